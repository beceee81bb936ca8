"""The README is a promise: every command in it runs as written, every flag and file it names exists, and every flag is in it."""
import argparse
import re
import shlex

import pytest

from cache import __main__ as cache_main
from cache import command_line
from cache.decoder.limits import REASONS
from stage1 import ImageDatasetProcessor as stage1
from stage2 import train
from stage3 import classify
from stage4 import classify_zip
from tests.conftest import ROOT, run_python
from tests.drawing import png, tag_folders, write, zipped
from web_api import __main__ as web_api_main

README = (ROOT / "README.md").read_text()
NO_HUB = {"HF_HUB_OFFLINE": "1", "HF_HOME": "empty-hf-home"}
TWO_WAYS_OUT = ("use the embedded encoder (--clip_model EfficientNet-Lite0-MS --pretrained imagenet) "
                "or a local checkpoint (--pretrained /path/to/checkpoint)\n")
COUNTED = r"processed \d+, unchanged \d+, skipped \d+"
LAST_LINES = {
    "doctor": r"no problems, .+",
    "compare": r"\d+ pictures? changed, \d+ only in the first, \d+ only in the second",
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands() -> list[str]:
    return [line for block in blocks("sh") for line in block.splitlines() if line.startswith("python ")]


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A directory that looks like a clone next to a person's pictures, as the README has it."""
    folder = tmp_path_factory.mktemp("clone")
    for room in ("cache", "stage1", "stage2", "stage3", "stage4"):
        (folder / room).symlink_to(ROOT / room)
    write(folder / "photos", tag_folders())
    write(folder, {"photos.zip": zipped(tag_folders()), "new-pictures/one.png": png(500), "new-pictures/two.png": png(501, "dogs")})
    write(folder, {"archives/trip.zip": zipped({"day 1/a.png": png(502), "more.zip": zipped({"b.png": png(503, "dogs")})})})
    return folder


def test_every_command_runs_as_written(clone):
    for line in commands():
        needs_the_hub = "stage1" in line and "imagenet" not in line
        done = run_python(*shlex.split(line)[1:], cwd=clone, **NO_HUB)
        if needs_the_hub:
            assert (done.returncode, done.stdout) == (2, ""), line
            assert done.stderr.endswith(TWO_WAYS_OUT), line
            assert done.stderr.count("\n") == 2, line  # one line that says what is being loaded, one that says why it was not
        else:
            last_line = next((pattern for word, pattern in LAST_LINES.items() if word in line), COUNTED)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            assert re.search(rf"^{last_line}\n\Z", done.stdout, re.MULTILINE), line
    for name in ("output/stage1.db", "output/stage3.db", "output/stage4.db", "output/zip_score_cache.sqlite", "scored/output.json",
                 "untagged/clip-cache/new-pictures-metadata.json", "from-zip/input-metadata.json", "scored-trip/pictures"):
        assert (clone / name).exists(), name


def test_the_python_of_the_readme_runs_as_written_after_the_commands(clone):
    for block in blocks("python"):
        done = run_python("-c", block, cwd=clone, PYTHONPATH=str(clone), **NO_HUB)
        assert done.returncode == 0, f"{block}\n{done.stderr}"
    assert (clone / "scored-by-python/output.json").exists()


def flags_of(module, monkeypatch) -> set[str]:
    """The flags of a stage, taken from the parser it builds, those of its commands included."""
    found = set()

    def parse(parser: argparse.ArgumentParser, argv):
        commands = [command for action in parser._actions if isinstance(action, argparse._SubParsersAction)
                    for command in action.choices.values()]
        for each in (parser, *commands):
            found.update(each._option_string_actions)
        raise SystemExit

    monkeypatch.setattr(command_line, "parse", parse)
    with pytest.raises(SystemExit):
        getattr(module, "command", module.main)([])
    return {flag for flag in found if flag.startswith("--")}


def test_every_flag_is_in_the_readme_and_every_flag_in_the_readme_exists(monkeypatch):
    existing = set().union(*(flags_of(module, monkeypatch) for module in (stage1, train, classify, classify_zip, web_api_main, cache_main)))
    named = {flag.replace("--no-tagged-dataset", "--no-tagged_dataset") for flag in re.findall(r"--[a-z][\w-]*", README)}
    assert existing - named == set()
    assert named - existing == {"--like_this", "--like-this"}


def test_every_address_of_the_web_api_is_in_the_readme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from web_api.cache_web_api import create_app

    names = {rule.rule.split("/")[1]: rule.rule for rule in create_app().url_map.iter_rules() if rule.endpoint != "static"}
    for name, rule in names.items():
        assert re.search(rf"[`/]{name}\b" if name else "`/`", README), rule


def test_every_reason_for_skipping_is_in_the_readme():
    assert set(REASONS) - set(re.findall(r"`([a-z_]+)`", README)) == set()


def test_every_target_of_make_is_in_the_readme_and_every_one_in_the_readme_exists():
    existing = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE))
    assert (existing - named, named - existing) == (set(), set())


def test_every_module_that_can_be_run_is_in_the_readme():
    runnable = {str(path.relative_to(ROOT)) for room in ("cache", "stage1", "stage2", "stage3", "stage4", "web_api")
                for path in (ROOT / room).rglob("*.py") if path.name == "__main__.py" or 'if __name__ == "__main__"' in path.read_text()}
    unnamed = {path for path in runnable if path not in README and f"python -m {module_of(path)}" not in README}
    assert unnamed - {"cache/decoder/worker.py"} == set(), "but for the decoder, which the pool starts"


def module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__main__").replace("/", ".")


def test_every_file_that_a_run_writes_is_in_the_readme(clone):
    """After the commands above; what the tags of this dataset and the pictures are called does not matter."""
    written = [path for folder in ("output", "scored", "untagged") for path in (clone / folder).rglob("*") if path.is_file()]
    ours = {path.name for path in written if path.suffix != ".png" and path.name != ".run.lock"}
    names = {re.sub(r"-(ovr-[a-z-]+)-tag-\w+", "-<type>-tag-<tag>", name).replace("new-pictures", "<dataset name>") for name in ours}
    assert {name for name in names if name not in README} == set()


def test_every_file_the_readme_links_to_exists():
    assert [target for target in re.findall(r"\]\(([^)#]+)\)", README)
            if not target.startswith("https://colab.research.google.com/") and not (ROOT / target).exists()] == []


def test_every_heading_the_readme_links_to_exists():
    headings = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", README, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) - headings == set()
