"""How far the reader goes for one image, and the fixed list of reasons for which it leaves a file out."""
from dataclasses import dataclass

MIB = 1024 * 1024

REASONS = {
    "empty": "the file has no bytes",
    "not_an_image": "the content is not a picture",
    "damaged": "a picture whose pixels cannot be decoded",
    "too_many_pixels": "more pixels or decoded bytes than allowed",
    "too_large": "more bytes than allowed",
    "unsupported_type": "a picture, archive or compression format that is not read",
    "encrypted": "a ZIP member behind a password",
    "bad_archive": "a ZIP whose table of contents cannot be read, or leaves out members",
    "nested_too_deep": "a ZIP inside too many others",
    "too_many_entries": "a ZIP with more entries than allowed; the first ones were read",
    "expansion_ratio": "a ZIP member that grows more than allowed",
    "unsafe_name": "a ZIP member whose name is absolute or climbs",
    "duplicate_name": "a ZIP member that a later one of the same name replaces",
    "archive": "a ZIP where only loose pictures are scored; stage 4 scores it",
    "not_in_archive": "a loose file where only ZIPs are scored; stage 3 scores it",
    "outside_tag_folder": "no folder names a tag for it",
    "other_file": "a video, or notes of a camera or program beside photographs",
    "hidden": "made by a program, or hidden",
    "unreadable": "the file or folder cannot be read",
    "timeout": "decoding took longer than allowed",
}
# What every folder of photographs holds: nothing to tell a person off for, nor to fail under --strict.
NO_FAULT = {"other_file", "hidden"}


class Skip(Exception):
    """Raised where a file cannot be used; the stream turns it into a `Skipped` row."""

    def __init__(self, reason: str, detail: str = ""):
        if reason not in REASONS:
            raise ValueError(f"unknown reason code {reason!r}")
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def skip_for(error: Exception) -> Skip:
    """What a picture is left out for when decoding it raises `error`."""
    if isinstance(error, MemoryError):
        return Skip("too_many_pixels", "more memory than a decoder may have")
    return Skip("damaged", f"{type(error).__name__}: {error}".rstrip()[:200])


@dataclass(frozen=True)
class Limits:
    """Bounds for hostile or broken input. Each field a person may raise is a flag of the stages, see
    command_line.py."""

    max_pixels: int = 89_478_485  # Pillow's own threshold: 256 MiB of RGB
    max_decoded_mib: int = 256
    max_member_mib: int = 256
    max_expansion: int = 200
    max_zip_depth: int = 8
    max_zip_entries: int = 1_000_000
    max_inner_zip_entries: int = 20_000
    file_timeout: float = 20.0
    # Shared by all decoders, so that eight large pictures at once do not take 2 GiB.
    decoder_budget_mib: int = 384
    # Below this size a large ratio hurts nobody, and flat drawings reach it honestly.
    expansion_free_bytes: int = MIB
    inner_zip_memory_bytes: int = 32 * MIB
    include_hidden: bool = False  # also read what is hidden, or made by a program

    @property
    def decoder_memory(self) -> int:
        """Bytes that decoding one picture may take, besides the file: 3.5 times the pixels of the largest one
        allowed."""
        return int(3.5 * self.max_decoded_mib * MIB)

    def judge(self, width: int, height: int, mode: str, decoded_bytes: int) -> None:
        """Raises Skip for more pixels or bytes than allowed."""
        if width * height > self.max_pixels or decoded_bytes > self.max_decoded_mib * MIB:
            raise Skip("too_many_pixels", f"{width} x {height} {mode}")
