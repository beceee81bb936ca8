"""How stored pixels are turned to be seen upright, by the orientation of EXIF: 1 (upright) to 8."""
from PIL import Image

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)
LAST_ROW_FIRST = (3, 4, 6, 7)  # as the first row, or as the first column


def upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def upright_size(image: Image.Image, orientation: int) -> tuple[int, int]:
    return image.size[::-1] if orientation in SIDEWAYS else image.size


def place_of_strip(top: int, bottom: int, height: int, orientation: int) -> tuple[int, int]:
    """Where the upper left corner of a turned strip lies in the turned picture, which was `height` high."""
    start = height - bottom if orientation in LAST_ROW_FIRST else top
    return (start, 0) if orientation in SIDEWAYS else (0, start)
