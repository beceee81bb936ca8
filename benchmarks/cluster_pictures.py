"""The pictures of benchmarks.cluster: fifty photographs and thirty other pictures that Debian packages bring,
and what people make of photographs.

    python -m benchmarks.cluster                      # this file is a part of it
"""
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

PACKAGES = ("lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "mate-backgrounds", "opencv-doc")  # 170 MB
MOST_SIDE = 1024  # of a photograph
# The fifty largest photographs of these packages; of two that show the same, the first.
PHOTOGRAPHS = {
    "usr/share/backgrounds": """
        Bridge_by_Sander_Klootwijk.jpg Dragonfly_by_Bolly.jpg Picture_0B_by_freespace.jpg
        Picture_1A_by_freespace.jpg Wine_by_Jakkub_Mede.jpg aitzgorri_by_Aitzol_Berasategi.jpg
        free_by_Peter_Nerlich.jpg friends_by_Aitzol_Berasategi.jpg greentock_by_Peter_Nerlich.jpg
        life_by_Aitzol_Berasategi.jpg picosdeeuropa_by_Aitzol_Berasategi.jpg
        seeding_by_Clements_Engelhardt.jpg sunset_by_Aitzol_Berasategi.jpg Kleiber_by_Lukas_Baubkus.jpg""",
    "usr/share/backgrounds/mate/nature": """
        Aqua.jpg Blinds.jpg Dune.jpg FreshFlower.jpg Garden.jpg GreenMeadow.jpg LadyBird.jpg RainDrops.jpg
        Storm.jpg TwoWings.jpg Wood.jpg YellowFlower.jpg""",
    "usr/share/doc/opencv-doc/examples": """
        data/aero1.jpg data/aloeL.jpg data/apple.jpg data/baboon.jpg data/basketball1.png data/board.jpg
        data/building.jpg data/chicky_512.png data/fruits.jpg data/graf1.png data/home.jpg data/leuvenA.jpg
        data/licenseplate_motion.jpg data/orange.jpg data/rubberwhale1.png data/squirrel_cls.jpg
        data/starry_night.jpg data/stuff.jpg text/scenetext01.jpg text/scenetext02.jpg text/scenetext03.jpg
        text/scenetext04.jpg text/scenetext05.jpg text/scenetext06.jpg""",
}
OTHERS = {
    "usr/share/backgrounds": """
        umang_by_Abhishek_Mudgal.jpg analogpattern_by_Peter_Nerlich.jpg Fossa_by_Jasper_Roks.jpg
        Infinite-Sea_by_Aury88.jpg Painting-Colors_by__herobrine7gamer.jpg""",
    "usr/share/backgrounds/mate/abstract": "Elephants.jpg Flow.png Gulp.png",
    "usr/share/backgrounds/mate/desktop": """
        Float-into-MATE.png GreenTraditional.jpg MATE-Stripes-Dark.png Stripes.png
        Ubuntu-Mate-Cold-no-logo.png""",
    "usr/share/doc/opencv-doc/examples": """
        alphamat/input_images/plant.jpg data/butterfly.jpg data/messi5.jpg hfs/data/000.jpg reg/home.png
        data/box.png data/cards.png data/chessboard.png data/digits.png data/ellipses.jpg data/ml.png
        data/imageTextN.png data/pca_test1.jpg data/pic3.png data/smarties.png data/sudoku.png
        data/Blender_Suzanne1.jpg""",
}

Make = Callable[[Image.Image, np.random.Generator], Image.Image]
Variants = Mapping[str, tuple[Make, Mapping]]
JPEG = {"format": "JPEG", "quality": 90}


def unpacked(folder: Path) -> Path:
    """Where the packages lie side by side: downloaded once."""
    root = folder / "root"
    for package in PACKAGES:
        if not list(folder.glob(f"{package}_*.deb")):
            folder.mkdir(parents=True, exist_ok=True)
            download = ["apt-get", "-q", "download", package]
            subprocess.run(download, cwd=folder, check=True, capture_output=True)
        [archive] = folder.glob(f"{package}_*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, root], check=True)
    return root


def opened(root: Path, names: Mapping[str, str]) -> dict[str, Image.Image]:
    """By name, none larger than MOST_SIDE; those that packages have compressed lie beside their names."""
    paths = [root / folder / name for folder, listed in names.items() for name in listed.split()]
    return {path.name.partition(".")[0] + path.parent.name: _opened(path) for path in paths}


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        picture.draft("RGB", (2 * MOST_SIDE, 2 * MOST_SIDE))
        small = picture.convert("RGB")
    small.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.LANCZOS)
    return small


def scaled(share: float) -> Make:
    return lambda picture, random: picture.resize(
        (round(picture.width * share), round(picture.height * share)), Image.Resampling.LANCZOS)


def cut(share: float) -> Make:
    """Somewhere out of it, share of its width and of its height."""
    def make(picture: Image.Image, random: np.random.Generator) -> Image.Image:
        width, height = round(picture.width * share), round(picture.height * share)
        left = int(random.integers(picture.width - width + 1))
        upper = int(random.integers(picture.height - height + 1))
        return picture.crop((left, upper, left + width, upper + height))

    return make


def lighter(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Gamma 0.7, and a quarter more contrast."""
    curve = [round(255 * (value / 255) ** 0.7) for value in range(256)] * 3
    return ImageEnhance.Contrast(picture.point(curve)).enhance(1.25)


def framed(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    return ImageOps.expand(picture, round(0.12 * max(picture.size)), (250, 250, 245))


def written_on(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """The same text on every picture, along a seventh of it."""
    written, height = picture.copy(), round(0.15 * picture.height)
    draw = ImageDraw.Draw(written)
    draw.rectangle((0, picture.height - height, *picture.size), fill=(20, 20, 20))
    font = ImageFont.load_default(size=max(10, height // 2))
    place = (picture.width // 20, round(picture.height - 0.8 * height))
    draw.text(place, "HOLIDAYS IN THE MOUNTAINS", "white", font)
    return written


def with_a_logo(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """The same in the corner of every picture: a third of its width, with much to see in it."""
    marked, side = picture.copy(), max(picture.size) // 3
    logo = Image.fromarray(np.random.default_rng(1).integers(0, 256, (24, 48, 3), np.uint8))
    marked.paste(logo.resize((side, side // 2), Image.Resampling.NEAREST), (5, 5))
    return marked


EASY: Variants = {
    "png": (lambda picture, random: picture, {"format": "PNG", "compress_level": 1}),
    "jpeg-30": (lambda picture, random: picture, {"format": "JPEG", "quality": 30}),
    "three-quarters": (scaled(0.75), JPEG),
    "half": (scaled(0.5), JPEG),
    "cut-90": (cut(0.9), JPEG),
    "cut-75": (cut(0.75), JPEG),
    "lighter": (lighter, JPEG),
}
HARD: Variants = {
    "mirrored": (lambda picture, random: ImageOps.mirror(picture), JPEG),
    "turned": (lambda picture, random: picture.rotate(10, Image.Resampling.BICUBIC, expand=True), JPEG),
    "cut-50": (cut(0.5), JPEG),
    "framed": (framed, JPEG),
    "written-on": (written_on, JPEG),
    "grey": (lambda picture, random: picture.convert("L"), JPEG),
}


def make(folder: Path, photographs: Mapping[str, Image.Image], variants: Variants) -> None:
    """One folder a photograph: whatever lies in it belongs together."""
    for name, picture in photographs.items():
        (folder / name).mkdir(parents=True)
        for variant, (made_by, options) in variants.items():
            random = np.random.default_rng(crc32(f"{name} {variant}".encode()))
            extension = options["format"].lower()
            made_by(picture, random).save(folder / name / f"{variant}.{extension}", **options)


def unlike(photographs: Sequence[Image.Image], count: int) -> dict[str, Image.Image]:
    """As many, none like another: photographs, or their left and right halves, if there are not enough."""
    halves = [picture.crop((start, 0, start + picture.width // 2, picture.height))
              for picture in photographs for start in (0, picture.width // 2)]
    chosen = photographs if len(photographs) >= count else halves
    return {f"{number:03}": picture for number, picture in enumerate(chosen[:count])}
