"""What a file is by its first bytes: one table of what is read and of what is only recognised."""
from typing import NamedTuple

HEAD_BYTES = 12  # what the longest signature needs

PICTURE = "picture"  # the decoder reads it: what begins so and is not understood is damaged
MAYBE_PICTURE = "maybe picture"  # the decoder reads it, but text or anything else may begin so, too
HEIF = "heif"  # read where pillow-heif is installed
OTHER = "other"  # not read


class Signature(NamedTuple):
    start: int
    magic: bytes
    name: str
    kind: str

    def fits(self, head: bytes) -> bool:
        return head.startswith(self.magic, self.start)


SIGNATURES = (
    Signature(0, b"\xff\xd8\xff", "JPEG picture", PICTURE),
    Signature(0, b"\x89PNG", "PNG picture", PICTURE),
    Signature(0, b"GIF8", "GIF picture", PICTURE),
    Signature(0, b"BM", "BMP picture", PICTURE),
    Signature(0, b"II*\x00", "TIFF picture", PICTURE),
    Signature(0, b"MM\x00*", "TIFF picture", PICTURE),
    Signature(0, b"II+\x00", "BigTIFF picture", MAYBE_PICTURE),
    Signature(0, b"MM\x00+", "BigTIFF picture", MAYBE_PICTURE),
    Signature(0, b"RIFF", "WebP picture", PICTURE),
    *(Signature(0, b"P%d" % number, "PPM picture", MAYBE_PICTURE) for number in range(1, 7)),
    # The major brand of an ISO base media file (ISO/IEC 14496-12); videos have others.
    Signature(4, b"ftypavif", "AVIF picture", PICTURE),
    Signature(4, b"ftypavis", "AVIF sequence", PICTURE),
    Signature(4, b"ftypheic", "HEIC picture", HEIF),
    Signature(4, b"ftypheix", "HEIC picture", HEIF),
    Signature(4, b"ftypheim", "HEIC picture", HEIF),
    Signature(4, b"ftypheis", "HEIC picture", HEIF),
    Signature(4, b"ftypmif1", "HEIC picture", HEIF),
    Signature(4, b"ftypmsf1", "HEIC sequence", HEIF),
    Signature(0, b"Rar!", "RAR archive", OTHER),
    Signature(0, b"7z\xbc\xaf", "7z archive", OTHER),
    Signature(0, b"\x1f\x8b", "gzip archive", OTHER),
    Signature(0, b"BZh", "bzip2 archive", OTHER),
    Signature(0, b"\xfd7zXZ", "xz archive", OTHER),
    Signature(0, b"8BPS", "Photoshop document", OTHER),
    Signature(0, b"\x00\x00\x00\x0cjP", "JPEG 2000 picture", OTHER),
    Signature(0, b"\x00\x00\x01\x00", "icon", OTHER),
    Signature(0, b"%PDF", "PDF document", OTHER),
)


def signature_of(head: bytes) -> Signature | None:
    """The first that fits the first HEAD_BYTES of a file."""
    return next((signature for signature in SIGNATURES if signature.fits(head)), None)


def begins_like_an_image(head: bytes) -> bool:
    """Whether the decoder might read it, pillow-heif installed or not."""
    signature = signature_of(head)
    return signature is not None and signature.kind != OTHER
