"""A decoded picture as a person sees it: upright, in sRGB, on white paper."""
from functools import cached_property

from PIL import Image

from cache.pixels.colour_profile import to_srgb
from cache.pixels.look import Look
from cache.pixels.packed import ROWS, Packed
from cache.pixels.rgb import shows_paper, to_rgb
from cache.pixels.turning import SIDEWAYS, upright

SPARE = 3  # times: how much larger than wanted the averages of boxes are, see scaled()


class Seen:
    """A decoded picture and its look. Whatever size is asked for, it is turned and converted by its profile
    when it is small: 12 million pixels take half a second, a crop 1 ms."""

    def __init__(self, image: Image.Image | Packed, look: Look = Look()):
        self._image, self._look = image, look
        self._averages: dict[int, Image.Image] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, upright."""
        return self._turned(self._image.size)

    def scaled(
        self, size: tuple[int, int], resampling: Image.Resampling, spare: float = SPARE,
    ) -> Image.Image:
        """In RGB. Large pictures are first averaged over boxes of 2, 4, ... 64 pixels, which takes a fifth
        of the time; what is left to resample is at least `spare` times as large as `size`."""
        wanted_width, wanted_height = self._turned(size)
        width, height = self._image.size
        factor = 1
        if resampling != Image.Resampling.NEAREST:
            factor = _factor(min(width / wanted_width, height / wanted_height) / spare)
        box = (0, 0, width / factor, height / factor)  # the last boxes may be cut off
        small = self._averaged(factor).resize((wanted_width, wanted_height), resampling, box)
        return upright(to_srgb(small, self._profile).convert("RGB"), self._look.orientation)

    def centre(self, width: int, height: int) -> "Seen":
        """The middle of the upright picture."""
        picture = upright(self._averaged(1), self._look.orientation)
        return Seen(centre_box(picture, width, height), Look(profile=self._profile))

    def _turned(self, size: tuple[int, int]) -> tuple[int, int]:
        """Of the upright picture, if `size` is of the stored one, and the other way round."""
        return size[::-1] if self._look.orientation in SIDEWAYS else size

    def _averaged(self, factor: int) -> Image.Image:
        """On white paper, over boxes of factor x factor pixels. Kept, and averaged further for what is
        smaller: rounded once more, which does for a thumbnail that is made behind a crop."""
        if factor not in self._averages:
            nearest = max((smaller for smaller in self._averages if smaller < factor), default=0)
            average = self._averages[nearest].reduce(factor // nearest) if nearest else self._made(factor)
            self._averages[factor] = average
        return self._averages[factor]

    def _made(self, factor: int) -> Image.Image:
        """Of the pixels themselves."""
        if isinstance(self._image, Packed):
            return self._image.averaged(factor) if factor > 1 else self._image.as_image()
        return self._on_paper[0].reduce(factor) if factor > 1 else self._on_paper[0]

    @property
    def _profile(self) -> bytes:
        return self._look.profile if isinstance(self._image, Packed) else self._on_paper[1]

    @cached_property
    def _on_paper(self) -> tuple[Image.Image, bytes]:
        assert isinstance(self._image, Image.Image)
        return _on_paper(self._image, self._look)


def centre_box(picture: Image.Image, width: int, height: int) -> Image.Image:
    left = round((picture.width - width) / 2)
    top = round((picture.height - height) / 2)
    return picture.crop((left, top, left + width, top + height))


def _on_paper(image: Image.Image, look: Look) -> tuple[Image.Image, bytes]:
    """The picture, and the profile that it still has to be converted by. Only what lets the paper through
    has to be converted before. CMYK with a profile stays CMYK: the profile makes RGB of it."""
    stays_as_it_is = image.mode in ("L", "RGB") or (image.mode == "CMYK" and look.profile)
    if look.opacity is None and stays_as_it_is:
        return image, look.profile
    if look.profile and shows_paper(image, look):
        return to_rgb(image, look, look.profile), b""
    return to_rgb(image, look), look.profile


def _factor(most: float) -> int:
    """The largest power of two that is not above `most`, from 1 to what Packed can average."""
    return min(1 << (max(1, int(most)).bit_length() - 1), ROWS)
