"""Checksums of rows, so that a bit that flipped on the disk is not taken for what was once computed.

CRC-32 (zlib): finds every damage of up to 32 bits in a row, and of any other all but one in four billion. It
is no help against a person who means harm, and need not be.
"""
import struct
from zlib import crc32


def vector_checksum(hash_id: str, model: str, vector: bytes) -> int:
    return crc32(vector, crc32(f"{hash_id}\0{model}".encode(errors="surrogatepass")))


def score_checksum(hash_id: str, model_type: str, tag: str, score: float, decision: str | None) -> int:
    text = f"{hash_id}\0{model_type}\0{tag}\0{decision}"
    return crc32(struct.pack("<d", score), crc32(text.encode(errors="surrogatepass")))


def thumbnail_checksum(hash_id: str, old_hash_id: str | None, jpeg: bytes) -> int:
    return crc32(jpeg, crc32(f"{hash_id}\0{old_hash_id or ''}".encode(errors="surrogatepass")))
