"""What a file is by its first bytes: one table of what is read and of what is only recognised."""
from typing import NamedTuple

from cache.limits import Skip

HEAD_BYTES = 12  # what the longest signature needs

PICTURE = "picture"  # the decoder reads it: what begins so and is not understood is damaged
MAYBE_PICTURE = "maybe picture"  # the decoder reads it, but text or anything else may begin so, too
RAW = "raw"  # read where rawpy is installed
JXL = "jxl"  # read where pillow-jxl-plugin is installed
HEIC_SEQUENCE = "heic sequence"  # the decoder reads it: its picture, or else its first frame
OTHER = "other"  # not read
VIDEO = "video"  # nor is this, or a sound, but it lies beside photographs

# Those of ISO/IEC 23008-12, Annex B; mif1 and msf1 may hold AV1 as well, which Pillow reads.
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")
HEIC_SEQUENCE_BRANDS = (b"hevc", b"hevx", b"hevm", b"hevs", b"msf1")

ANY_BYTE = bytes(range(256))
NO_TEXT = bytes(range(9))  # a text begins with a tab, 9, or more; the size of a box below 144 MiB with less


class Signature(NamedTuple):
    start: int
    magic: bytes
    name: str
    kind: str
    form: bytes = b""  # from the ninth byte on: of a RIFF file what is in it, of a TIFF which camera's it is
    first: bytes = ANY_BYTE  # of these one is its first byte

    def fits(self, head: bytes) -> bool:
        return (
            head.startswith(self.magic, self.start)
            and head[8:].startswith(self.form)
            and head[0] in self.first
        )


# Major brands of ISO base media files that are videos or sounds, or how these begin: of phones, cameras and
# what people convert with (https://mp4ra.org/registered-types/brands).
VIDEO_BRANDS = {
    b"qt  ": "QuickTime video",
    b"3g": "3GP video",
    b"M4A": "MPEG-4 sound",
    **dict.fromkeys(
        (b"iso", b"mp4", b"M4V", b"avc1", b"hvc1", b"mmp4", b"MSNV", b"dash", b"XAVC", b"F4V", b"pana"),
        "MPEG-4 video"),
}

SIGNATURES = (
    Signature(0, b"\xff\xd8\xff", "JPEG picture", PICTURE),
    Signature(0, b"\x89PNG", "PNG picture", PICTURE),
    Signature(0, b"GIF8", "GIF picture", PICTURE),
    Signature(0, b"BM", "BMP picture", PICTURE),
    # Other raw photographs begin like a TIFF, see tiff_directories.py.
    Signature(0, b"II*\x00", "Canon raw photograph", RAW, form=b"CR\x02\x00"),
    Signature(0, b"II*\x00", "Phase One raw photograph", RAW, form=b"IIII"),
    Signature(0, b"MM\x00*", "Phase One raw photograph", RAW, form=b"MMMM"),
    Signature(0, b"II\x1a\x00\x00\x00HEAPCC", "Canon raw photograph", RAW),
    Signature(4, b"ftypcrx ", "Canon raw photograph", RAW),
    Signature(0, b"FUJIFILMCCD-", "Fujifilm raw photograph", RAW),
    Signature(0, b"IIRO", "Olympus raw photograph", RAW),
    Signature(0, b"IIRS", "Olympus raw photograph", RAW),
    Signature(0, b"MMOR", "Olympus raw photograph", RAW),
    Signature(0, b"IIU\x00", "Panasonic raw photograph", RAW),
    Signature(0, b"\x00MRM", "Minolta raw photograph", RAW),
    Signature(0, b"FOVb", "Sigma raw photograph", RAW),
    Signature(0, b"\xff\x0a", "JPEG XL picture", JXL),
    Signature(0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL picture", JXL),
    Signature(0, b"II*\x00", "TIFF picture", PICTURE),
    Signature(0, b"MM\x00*", "TIFF picture", PICTURE),
    # With its third and fourth byte the wrong way round, as some programs write it and Pillow reads it.
    Signature(0, b"II\x00*", "TIFF picture", MAYBE_PICTURE),
    Signature(0, b"MM*\x00", "TIFF picture", MAYBE_PICTURE),
    Signature(0, b"II+\x00", "BigTIFF picture", MAYBE_PICTURE),
    Signature(0, b"MM\x00+", "BigTIFF picture", MAYBE_PICTURE),
    Signature(0, b"RIFF", "WebP picture", PICTURE, form=b"WEBP"),
    Signature(0, b"RIFF", "AVI video", VIDEO, form=b"AVI "),
    Signature(0, b"RIFF", "WAV sound", VIDEO, form=b"WAVE"),
    *(Signature(0, b"P" + bytes([letter]), "PPM picture", MAYBE_PICTURE) for letter in b"0123456fy"),
    # The major brand of an ISO base media file (ISO/IEC 14496-12); videos have others.
    Signature(4, b"ftypavif", "AVIF picture", PICTURE),
    Signature(4, b"ftypavis", "AVIF sequence", PICTURE),
    *(Signature(4, b"ftyp" + brand, "HEIC picture", PICTURE) for brand in HEIC_BRANDS),
    *(Signature(4, b"ftyp" + brand, "HEIC sequence", HEIC_SEQUENCE) for brand in HEIC_SEQUENCE_BRANDS),
    *(Signature(4, b"ftyp" + brand, name, VIDEO) for brand, name in VIDEO_BRANDS.items()),
    # QuickTime files without a brand begin with the size of one of these boxes, "The wide world" does not.
    *(Signature(4, box, "QuickTime video", VIDEO, first=NO_TEXT) for box in (b"moov", b"mdat", b"wide")),
    Signature(0, b"\x1aE\xdf\xa3", "Matroska video", VIDEO),
    Signature(0, b"0&\xb2u\x8ef\xcf\x11", "Windows Media video", VIDEO),
    Signature(0, b"\x00\x00\x01\xba", "MPEG video", VIDEO),
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


def why_no_picture(head: bytes) -> Skip | None:
    """What a file that begins so is left out for, before any more of it is read; None where the decoder might
    read it."""
    signature = signature_of(head)
    if signature is None:
        return Skip("not_an_image")
    if signature.kind == OTHER:
        return Skip("unsupported_type", signature.name)
    if signature.kind == VIDEO:
        return Skip("other_file", signature.name)
    return None


def begins_like_an_image(head: bytes) -> bool:
    return why_no_picture(head) is None
