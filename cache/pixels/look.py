"""What decides how a picture looks besides its pixels and its palette.

Read once for each file (first_frame.py), and then used for its hash and for every crop of it alike.
"""
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from cache.pixels.strips import strips


@dataclass(frozen=True)
class Look:
    """Of a picture that is what its pixels say, all are at their defaults."""

    opacity: Image.Image | None = None  # mode L, as large as the stored picture; None: nothing shines through
    orientation: int = 1  # as in EXIF, 1 to 8: how the stored pixels have to be turned to be seen upright
    profile: bytes = b""  # ICC; none: sRGB

    @property
    def is_plain(self) -> bool:
        return self.opacity is None and self.orientation == 1 and not self.profile

    def digested(self) -> Iterator[bytes]:
        """What a hash has behind pixels and palette, in pieces: for each thing that is there its name, its
        length (8 bytes, big endian) and its bytes."""
        if self.opacity is not None:
            yield _head(b"opacity", self.opacity.width * self.opacity.height)
            yield from (self.opacity.crop(box).tobytes() for box in strips(self.opacity))
        if self.orientation != 1:
            yield _head(b"orientation", 1) + bytes([self.orientation])
        if self.profile:
            yield _head(b"profile", len(self.profile)) + self.profile


def _head(name: bytes, length: int) -> bytes:
    return name + length.to_bytes(8, "big")
