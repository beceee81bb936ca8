"""README and docs/ are a promise: every command in them runs as written, every flag, file and link they name
exists, and what exists is named in them."""
import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from cache import __main__ as cache_main
from cache.argument_parser import ArgumentParser
from cache.limits import REASONS
from companions.cluster import __main__ as cluster
from stage1 import ImageDatasetProcessor as stage1
from stage2 import train
from stage3 import classify
from stage4 import classify_zip
from tests.conftest import ROOT, run_python
from tests.drawing import png, tag_folders, write, zipped
from web_api import __main__ as web_api_main

# In the order in which a newcomer reads them, and types their commands.
PAGES = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in (
    "stages", "report", "caches", "doctor", "cluster", "web", "speed", "reliability", "troubleshooting"))]
TEXT = {page: page.read_text() for page in PAGES}
ALL_TEXT = "\n".join(TEXT.values())
LONGEST_README = 200  # lines

TWO_WAYS_OUT = ("use the embedded encoder (--clip_model EfficientNet-Lite0-MS --pretrained imagenet) "
                "or a local checkpoint (--pretrained /path/to/checkpoint)\n")
COUNTED = r"processed \d+, unchanged \d+, skipped \d+"
LAST_LINES = {
    "doctor": r"no problems, .+",
    "compare": r"\d+ pictures? changed, \d+ only in the first, \d+ only in the second",
    "undo": r"back again: \d+ files?",
}
RUNNABLE_ROOMS = ("cache", "stage1", "stage2", "stage3", "stage4", "web_api")
COMMAND_MODULES = (stage1, train, classify, classify_zip, web_api_main, cache_main, cluster)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands() -> list[str]:
    return [line for text in TEXT.values() for block in blocks(text, "sh") for line in block.splitlines()
            if line.startswith(("python ", "itt "))]


def arguments_of(line: str) -> list[str]:
    """What follows `python`, for a command as a person types it."""
    words = shlex.split(line)
    return words[1:] if words[0] == "python" else ["-m", "itt", *words[1:]]


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A directory that looks like a clone next to a person's pictures, as the README has it."""
    folder = tmp_path_factory.mktemp("clone")
    for room in ("itt.py", "cache", "stage1", "stage2", "stage3", "stage4", "web_api", "companions"):
        (folder / room).symlink_to(ROOT / room)
    write(folder / "photos", tag_folders())
    write(folder, {
        "photos.zip": zipped(tag_folders()),
        "new-pictures/one.png": png(500), "new-pictures/two.png": png(501, "dogs"),
        "archives/trip.zip": zipped({
            "day 1/a.png": png(502), "more.zip": zipped({"b.png": png(503, "dogs")}),
        }),
    })
    return folder


def test_every_command_runs_as_written(clone, run_command):
    for line in commands():
        needs_the_hub = ("stage1" in line or "embed" in line) and "EfficientNet" not in line
        done = run_command(*arguments_of(line), cwd=clone)
        if needs_the_hub:
            assert (done.returncode, done.stdout) == (2, ""), line
            assert done.stderr.endswith(TWO_WAYS_OUT), line
            assert done.stderr.count("\n") == 2, line  # what is being loaded, and why it was not
        else:
            last_line = next((pattern for word, pattern in LAST_LINES.items() if word in line), COUNTED)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            assert re.search(rf"^{last_line}\n\Z", done.stdout, re.MULTILINE), line
    for name in ("output/stage1.db", "output/stage3.db", "output/stage4.db", "output/zip_score_cache.sqlite",
                 "sorted/index.html", "scored/output.json", "from-zip/input-metadata.json",
                 "untagged/clip-cache/new-pictures-metadata.json", "scored-trip/pictures"):
        assert (clone / name).exists(), name


def test_the_python_of_the_docs_runs_as_written_after_the_commands(clone, run_command):
    for block in blocks(ALL_TEXT, "python"):
        done = run_command("-c", block, cwd=clone, PYTHONPATH=str(clone))
        assert done.returncode == 0, f"{block}\n{done.stderr}"
    assert (clone / "scored-by-python/output.json").exists()


def test_the_readme_stays_a_page_to_begin_with():
    assert TEXT[ROOT / "README.md"].count("\n") <= LONGEST_README


def test_every_page_is_linked_from_the_readme():
    linked = set(re.findall(r"\]\((docs/\w+\.md)", TEXT[ROOT / "README.md"]))
    assert linked == {str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md")}


def flags_of(module, monkeypatch) -> set[str]:
    """The flags of a stage, taken from the parser it builds, those of its commands included."""
    flags = set()

    def parse(parser: ArgumentParser, argv):
        subparsers = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        for command in (parser, *(command for action in subparsers for command in action.choices.values())):
            flags.update(command._option_string_actions)
        raise SystemExit

    monkeypatch.setattr(ArgumentParser, "parse_args", parse)
    with pytest.raises(SystemExit):
        getattr(module, "command", module.main)([])
    return {flag for flag in flags if flag.startswith("--")}


def test_every_flag_is_in_the_docs_and_every_flag_in_the_docs_exists(monkeypatch):
    existing = set().union(*(flags_of(module, monkeypatch) for module in COMMAND_MODULES))
    flags = re.findall(r"--[a-z][\w-]*", ALL_TEXT)
    named = {flag.replace("--no-tagged-dataset", "--no-tagged_dataset") for flag in flags}
    assert existing - named == set()
    assert named - existing == {"--like_this", "--like-this"}


def test_every_verb_of_itt_is_in_the_readme_and_every_one_in_the_docs_exists(clone):
    done = run_python("-m", "itt", cwd=clone)
    existing = set(re.findall(r"^  ([a-z-]+)  ", done.stdout, re.MULTILINE))
    assert existing - set(re.findall(r"itt ([a-z-]+)", TEXT[ROOT / "README.md"])) == set()
    assert set(re.findall(r"[`\n]itt ([a-z-]+)", ALL_TEXT)) - existing == set()


def test_every_address_of_the_web_api_is_in_the_docs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from web_api.cache_web_api import create_app

    rules = {rule.rule.split("/")[1]: rule.rule for rule in create_app().url_map.iter_rules()
             if rule.endpoint.rpartition(".")[2] != "static"}
    for name, rule in rules.items():
        assert re.search(rf"[`/]{name}\b" if name else "`/`", ALL_TEXT), rule


def test_every_reason_for_skipping_is_in_the_docs():
    assert set(REASONS) - set(re.findall(r"`([a-z_]+)`", ALL_TEXT)) == set()


def test_every_target_of_make_is_in_the_docs_and_every_one_in_the_docs_exists():
    existing = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", ALL_TEXT, re.MULTILINE))
    assert (existing - named, named - existing) == (set(), set())


def test_every_module_that_can_be_run_is_in_the_docs():
    runnable = {str(path.relative_to(ROOT)) for room in RUNNABLE_ROOMS for path in (ROOT / room).rglob("*.py")
                if path.name == "__main__.py" or 'if __name__ == "__main__"' in path.read_text()}
    unnamed = {path for path in runnable
               if path not in ALL_TEXT and f"python -m {module_of(path)}" not in ALL_TEXT}
    assert unnamed - {"cache/decoder/worker.py"} == set(), "but for the decoder, which the pool starts"


def module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__main__").replace("/", ".")


def test_every_file_that_a_run_writes_is_in_the_docs(clone):
    """After the commands above; what the tags of this dataset and the pictures are called does not matter."""
    written = [path for folder in ("output", "scored", "untagged") for path in (clone / folder).rglob("*")]
    names = {path.name for path in written if path.is_file() and path.suffix != ".png"} - {".run.lock"}
    general = {re.sub(r"-(ovr-[a-z-]+)-tag-\w+", "-<type>-tag-<tag>", name) for name in names}
    wanted = {name.replace("new-pictures", "<dataset name>") for name in general}
    assert {name for name in wanted if name not in ALL_TEXT} == set()


def links() -> Iterator[tuple[Path, str]]:
    """The page that a link leads to, and the heading if it names one; links to other sites aside."""
    for page in [*PAGES, ROOT / "docs/design.md"]:
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            if not target.startswith("https://"):
                path, _, heading = target.partition("#")
                yield (page.parent / path if path else page), heading


def test_every_link_leads_somewhere():
    assert [str(path) for path, _ in links() if not path.exists()] == []


def test_every_heading_that_is_linked_to_exists():
    for path, heading in links():
        if heading:
            lines = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}, path
