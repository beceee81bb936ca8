"""What a person sees of the four stages on a terminal of 80 x 24: at the start, midway and at the end."""
import ast
import re
import sys

import pytest

from tests.conftest import ROOT
from tests.drawing import png, tag_folders, write, zipped
from tests.project.test_rooms import modules
from tests.terminal import screen, typed

# On a slow machine: one that shows after two seconds, and what it leaves behind when it is done.
DELAYED = [
    "alike", "moving", "moving back", "near-duplicates", "page", "placing", "planning", "reading", "report",
    "training",
]
DELAYED_BAR = re.compile(rf"\r({'|'.join(DELAYED)}): [^\r\n]*(\r\n)?")
EVERY_STEP = {"TQDM_MININTERVAL": "0"}  # else a bar leaves out what follows within a tenth of a second


@pytest.fixture
def run(here):
    """A command of itt, typed on the terminal; all that it wrote there."""
    def type_it(*words: str) -> str:
        code, written = typed([sys.executable, str(ROOT / "itt.py"), *words], here, **EVERY_STEP)
        assert code == 0, written
        return DELAYED_BAR.sub("", written)

    return type_it


def test_every_bar_that_shows_late_is_known_here():
    calls = [
        node for path in modules() for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and any(keyword.arg == "delay" for keyword in node.keywords)
    ]
    descriptions = {ast.literal_eval(call.args[2]) for call in calls if len(call.args) > 2}
    assert sorted(descriptions) == DELAYED


@pytest.mark.parametrize("total", [2, None])
@pytest.mark.parametrize("description", DELAYED)
def test_what_a_late_bar_writes_can_be_taken_out(description, total):
    code = (
        "from cache.progress import progress_bar\n"
        f"with progress_bar({total}, 'steps', {description!r}) as bar:\n"
        "    bar.update()\n"
        "    bar.update()\n"
        "print('the end')\n"
    )
    _, written = typed([sys.executable, "-c", code], ROOT, **EVERY_STEP)
    assert f"\r{description}: " in written
    assert DELAYED_BAR.sub("", written) == "the end\r\n"


def test_four_stages_on_a_terminal(here, run):
    write(here / "photos", {**tag_folders(), "cats/empty.jpg": b""})
    write(here, {"new/one.png": png(500), "new/two.png": png(501, "dogs")})
    write(here, {"new.zip": zipped({"one.png": png(0)})})

    embed = run("embed", "photos", "--clip_model", "EfficientNet-Lite0-MS", "--batch_size", "4")
    loading = "loading the encoder EfficientNet-Lite0-MS:imagenet"
    assert screen(embed, r"^  0%.*time") == ["  0%|...| 0/13 [time]"]
    assert screen(embed, r"^loading.*\n.*time") == [loading, "  0%|...| 0/13 [time]"]
    assert screen(embed, r"31%.*time") == [loading, " 31%|...| 4/13 [time]"]
    skipped = "skipped photos/cats/empty.jpg: empty"
    assert screen(embed, r"^skipped.*\n.*time") == [loading, skipped, " 69%|...| 9/13 [time]"]
    assert screen(embed) == [
        loading,
        skipped,
        "100%|...| 13/13 [time]",
        "2 tags: cats 6, dogs 6",
        "wrote ./output/input-metadata.json",
        "wrote ./output/input-tag-to-image-hash-list.json",
        "wrote ./output/input-image-hash-to-tag-list.json",
        "wrote ./output/stage1.db",
        "skipped: 1 empty",
        "processed 12, unchanged 0, skipped 1",
    ]

    train = run("train")
    assert screen(train, r"^  0%.*time") == ["  0%|...| 0/28 [time]"]
    assert screen(train, r"^ \d\d%.*time")[0].endswith("/28 [time]")
    assert screen(train) == [
        "100%|...| 28/28 [time]",
        "                        average precision on unseen images (95 % interval)",
        "tag   images base rate  ovr-logistic-regression  ovr-svm",
        "cats       5    0.5000  1.000 (0.478-1.000)      1.000 (0.478-1.000)",
        "dogs       5    0.5000  1.000 (0.478-1.000)      1.000 (0.478-1.000)",
        "not tried among strangers, pictures of kinds that nobody has taught",
        "add tags (4 are enough), a folder other-training of anything",
        "trained 4 models of 2 tags; look at ./output/reports/index.html",
        "processed 12, unchanged 0, skipped 0",
    ]

    only_scores = "models without thresholds (decision is empty; see --target_precision): all 4"
    classify = run("classify", "new", "--output", "sorted", "--batch_size", "1")
    assert screen(classify, r"^  0%.*time") == ["  0%|...| 0/2 [time]"]
    assert screen(classify, r"^ 50%.*time") == [loading, " 50%|...| 1/2 [time]"]
    assert screen(classify) == [
        loading,
        "100%|...| 2/2 [time]",
        only_scores,
        "scored under 4 models",
        "wrote sorted",
        "wrote sorted/index.html",
        "wrote ./output/stage3.db",
        "processed 2, unchanged 0, skipped 0",
    ]

    classify_zip = run("classify-zip", "new.zip", "--output", "sorted-zip")
    assert screen(classify_zip, r"^0 files.*time") == ["0 files [time]"]
    assert screen(classify_zip) == [
        "2 files [time]",
        only_scores,
        "scored under 4 models",
        "wrote sorted-zip",
        "wrote sorted-zip/index.html",
        "wrote ./output/stage4.db",
        "wrote ./output/zip_score_cache.sqlite",
        "processed 1, unchanged 0, skipped 0",
    ]


def test_a_long_bar_stays_on_its_line():
    """With a description and large numbers, too: what is written beyond column 80 cannot be taken back."""
    code = ("from cache.progress import progress_bar, say\n"
            "with progress_bar(123456789, 'near-duplicates', 'looking for near-duplicates') as bar:\n"
            "    bar.update(98765432)\n"
            "    say('a line')\n")
    _, written = typed([sys.executable, "-c", code], ROOT, **EVERY_STEP)
    first, bar = screen(written)
    assert first == "a line"
    assert bar.startswith("looking for near-duplicates:  80%|...| 98765432/123456789 [")
