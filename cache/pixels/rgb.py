"""Any mode -> RGB, on white paper as a page would show it."""
import numpy as np
from PIL import Image

from cache.pixels.colour_profile import to_srgb
from cache.pixels.look import Look
from cache.pixels.strips import strips

WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
OPAQUE = 255


def to_rgb(image: Image.Image, look: Look, profile: bytes = b"") -> Image.Image:
    """As it is stored. 16 bits are scaled, not clipped; what is transparent becomes white. Where a picture
    shows_paper(), its colours are converted by `profile` before they are mixed with it. Strip by strip, so
    that there are never more than two pictures."""
    if image.mode == "RGB" and look.opacity is None:
        return image
    black, white = _range(image)
    result = Image.new("RGB", image.size)
    for box in strips(image):
        colours = _colours(image.crop(box), black, white)
        if look.opacity is not None:
            colours.putalpha(look.opacity.crop(box))
        if colours.mode == "RGBA":
            colours = _on_white(colours, profile)
        result.paste(colours, box)
    return result


def shows_paper(image: Image.Image, look: Look) -> bool:
    """Whether anything is transparent. Pictures with an alpha channel may be opaque all over."""
    if image.mode not in WITH_ALPHA:
        return look.opacity is not None
    return bool(np.ravel(image.getextrema())[-2] < OPAQUE)


def _range(image: Image.Image) -> tuple[float, float]:
    """What becomes black and what becomes white. Pixels with a decimal point have a scale of their own: its
    ends."""
    if image.mode != "F":
        return 0.0, 65535.0
    black, white = float("inf"), float("-inf")
    for box in strips(image):
        values = _numbers(image.crop(box))
        black, white = min(black, float(values.min())), max(white, float(values.max()))
    return black, white


def _colours(strip: Image.Image, black: float, white: float) -> Image.Image:
    """In RGB, or in RGBA if its mode has an alpha channel."""
    if strip.mode.startswith("I") or strip.mode == "F":
        scale = 255.0 / max(white - black, 1e-12)  # of one value all over there is nothing to scale
        grey = np.clip((_numbers(strip) - black) * scale, 0, 255)
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if strip.mode == "La":
        strip = strip.convert("LA")  # the one way out of it that Pillow knows
    return strip.convert("RGBA" if strip.mode in WITH_ALPHA else "RGB")


def _on_white(strip: Image.Image, profile: bytes) -> Image.Image:
    if profile:
        colours = to_srgb(strip.convert("RGB"), profile)
        colours.putalpha(strip.getchannel("A"))
        strip = colours
    page = Image.new("RGBA", strip.size, "white")
    return Image.alpha_composite(page, strip).convert("RGB")


def _numbers(strip: Image.Image) -> np.ndarray:
    return np.nan_to_num(np.asarray(strip).astype(np.float32))
