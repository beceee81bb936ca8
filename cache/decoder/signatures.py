"""What a file is by its first bytes: pictures that are read, and content that is only recognised."""
from PIL import (
    AvifImagePlugin,  # noqa: F401  importing a plugin registers its format
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    JpegImagePlugin,  # noqa: F401
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

# Content that is recognised, but not read: these get `unsupported_type` instead of `not_an_image`.
UNREAD_MAGIC = {
    b"Rar!": "RAR archive", b"7z\xbc\xaf": "7z archive", b"\x1f\x8b": "gzip archive", b"BZh": "bzip2 archive", b"\xfd7zXZ": "xz archive",
    b"8BPS": "Photoshop document", b"\x00\x00\x00\x0cjP": "JPEG 2000 picture", b"\x00\x00\x01\x00": "icon", b"%PDF": "PDF document",
}


# A file that opens like a picture but is not understood is a damaged picture.
IMAGE_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")
OTHER_IMAGE_MAGIC = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"II+\x00", b"MM\x00+")  # PPM and its kin, BigTIFF


BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")  # behind b"ftyp"; videos have others


def begins_like_an_image(head: bytes) -> bool:
    """By the first 12 bytes, of any of FORMATS."""
    return head.startswith((*IMAGE_MAGIC, *OTHER_IMAGE_MAGIC)) or head[4:8] == b"ftyp" and head[8:12] in BRANDS
