"""Files written byte by byte: forms that Pillow reads but does not write."""
import io
import struct
import zlib

from PIL import Image

from tests.drawing import encoded

BLACK_IS_ZERO, WHITE_IS_ZERO, PALETTE = 1, 0, 3  # TIFF's PhotometricInterpretation
GREY, RGB, INDICES, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6  # PNG's colour types
SAMPLES = {GREY: 1, RGB: 3, INDICES: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}  # of a pixel


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """Behind the header, where palette and transparency are expected."""
    return png[:33] + b"".join(chunks) + png[33:]


def png(depth: int, colour_type: int, rows: list[list[int]], *chunks: bytes) -> bytes:
    """Rows of samples, packed to `depth` bits each."""
    width = len(rows[0]) // SAMPLES[colour_type]
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + packed(row, depth) for row in rows))
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def packed(samples: list[int], depth: int) -> bytes:
    bits = "".join(f"{sample:0{depth}b}" for sample in samples)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def trns(*values: int) -> bytes:
    return chunk(b"tRNS", struct.pack(f">{len(values)}H", *values))


def gif(picture: Image.Image, canvas: tuple[int, int], corner: tuple[int, int] = (0, 0), **options) -> bytes:
    """One frame on a canvas of another size."""
    data = bytearray(encoded(picture, "GIF", **options))
    frame = data.index(b"," + struct.pack("<HHHH", 0, 0, *picture.size))
    struct.pack_into("<HH", data, frame + 1, *corner)
    struct.pack_into("<HH", data, 6, *canvas)
    return bytes(data)


def webp(
    picture: Image.Image, canvas: tuple[int, int], corner: tuple[int, int], has_alpha: bool = False
) -> bytes:
    """An animation of one frame on a larger canvas; the corner has even places."""
    places = corner[0] // 2, corner[1] // 2, picture.width - 1, picture.height - 1, 100
    frame = b"".join(map(_three_bytes, places)) + b"\2" + encoded(picture, "WEBP", lossless=True)[12:]
    sizes = b"".join(_three_bytes(side - 1) for side in canvas)
    flags = 2 + 16 * has_alpha
    parts = [(b"VP8X", bytes([flags, 0, 0, 0]) + sizes), (b"ANIM", bytes(6)), (b"ANMF", frame)]
    chunks = b"".join(name + struct.pack("<I", len(data)) + data for name, data in parts)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _three_bytes(number: int) -> bytes:
    return number.to_bytes(3, "little")


def tiff(
    order: str, size: tuple[int, int], bits: tuple[int, ...], photometric: int, pixels: bytes,
    **tags: tuple[int, ...],
) -> bytes:
    """Uncompressed, in one strip. `order` is "<" (II) or ">" (MM); `tags`: t338=(1,) and so on, shorts."""
    entries = {
        256: size[:1], 257: size[1:], 258: bits, 259: (1,), 262: (photometric,), 273: (8,),
        277: (len(bits),), 278: size[1:], 279: (len(pixels),),
        **{int(name[1:]): values for name, values in tags.items()},
    }
    start = 8 + len(pixels) + len(pixels) % 2
    behind = start + 2 + 12 * len(entries) + 4
    directory, values = struct.pack(order + "H", len(entries)), b""
    for tag, numbers in sorted(entries.items()):
        data = struct.pack(f"{order}{len(numbers)}H", *numbers)
        place = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(order + "I", behind + len(values))
        values += data if len(data) > 4 else b""
        directory += struct.pack(order + "HHI", tag, 3, len(numbers)) + place
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    return head + pixels.ljust(start - 8, b"\0") + directory + bytes(4) + values


def bmp_with_alpha(pixel: tuple[int, int, int, int], side: int = 8) -> bytes:
    """BITMAPV5HEADER with a mask for alpha; `pixel` is blue, green, red, alpha."""
    pixels, masks = bytes(pixel) * side * side, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    sizes = 124, side, side, 1, 32, 3, len(pixels), 0, 0, 0, 0
    header = struct.pack("<IiiHHIIiiII4I4s", *sizes, *masks, b"BGRs")
    file_header = b"BM" + struct.pack("<IHHI", 14 + 124 + len(pixels), 0, 0, 14 + 124)
    return file_header + header.ljust(124, b"\0") + pixels


def pair(picture: Image.Image, **options) -> bytes:
    """The pair of JPEGs (MPO) of a phone."""
    buffer = io.BytesIO()
    picture.save(buffer, "MPO", save_all=True, append_images=[picture], **options)
    return buffer.getvalue()
