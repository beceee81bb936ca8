"""Our pictures beside the browser's own, of every form of file that it shows."""
import base64
from collections import defaultdict

import numpy as np

from cache.pixels.crop_spec import CropSpec
from tests.cache.formats.browser_cases import PROFILES, cases
from tests.cache.formats.decoded import cropped

SIDE = 24  # of a white page, on which each picture lies in the middle as large as it is
ON_A_PAGE = CropSpec(SIDE, "longest", "nearest", fill=255)
SHOWN = """async ([side, addresses]) => {
    const images = addresses.map(address => Object.assign(new Image(), {src: address}));
    await Promise.all(images.map(image => image.decode()));
    const canvas = Object.assign(document.createElement("canvas"), {width: side, height: side});
    const context = canvas.getContext("2d", {willReadFrequently: true});
    return images.map(image => {
        context.fillStyle = "white";
        context.fillRect(0, 0, side, side);
        const left = Math.floor((side - image.naturalWidth) / 2);
        const top = Math.floor((side - image.naturalHeight) / 2);
        context.drawImage(image, left, top);
        return btoa(String.fromCharCode(...context.getImageData(0, 0, side, side).data));
    });
}"""

# Of 255, mean and largest. A profile's curves are read by other approximations, which shows in the darks.
BAR = (1, 1)
BAR_WITH_PROFILE = (1, 12)
DIFFERENT = {  # on purpose; Chromium 150
    "JPEG CMYK, of CMYK": "it makes RGB of the inks, and asks their profile then, as if none were black",
    "PNG gamma 2.2 and sRGB": "so a PNG says sRGB; it shows a power instead, up to 8 darker in the darks",
    "PNG that hides its first picture": "it shows the next; older tools hash the first, as any first frame",
    "WebP turned by EXIF": "it looks for an orientation in JPEG, PNG and AVIF alone; phones write it",
}


def test_every_form_of_file_looks_as_in_the_browser(page):
    files = list(cases())
    differences = defaultdict(list)
    for case, shown in zip(files, shown_by(page, files), strict=True):
        differences[case.kind].append(np.abs(cropped(case.data, ON_A_PAGE) - shown))
    different = {kind for kind, pages in differences.items() if is_beyond_bar(kind, np.array(pages))}
    assert different == set(DIFFERENT)


def shown_by(page, files) -> np.ndarray:
    """On a page each: (files, SIDE, SIDE, 3), signed."""
    addresses = [f"data:{case.media_type};base64,{base64.b64encode(case.data).decode()}" for case in files]
    pages = b"".join(map(base64.b64decode, page.evaluate(SHOWN, [SIDE, addresses])))
    return np.frombuffer(pages, np.uint8).reshape(-1, SIDE, SIDE, 4)[..., :3].astype(int)


def is_beyond_bar(kind: str, differences: np.ndarray) -> bool:
    with_profile = kind.rpartition(", ")[2] in {*PROFILES, "of CMYK", "of CICP"} - {"sRGB"}
    mean, largest = BAR_WITH_PROFILE if with_profile else BAR
    return bool(differences.mean() > mean or differences.max() > largest)
