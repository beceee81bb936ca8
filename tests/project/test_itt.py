"""The command `itt`: what it lists, what is behind its doors, and that it opens none before it is asked."""
import importlib
import inspect
import re

import pytest

import companions
import itt
from cache import __version__
from tests.conftest import ROOT, run_python
from tests.drawing import write

NAMES_SLOW_IMPORTS = """
import sys
import itt
try:
    itt.main(sys.argv[1:])
finally:
    print({"torch", "sklearn", "flask", "open_clip", "matplotlib", "tqdm"} & sys.modules.keys())
"""
VERBS = {**itt.TOOLKIT, **itt.companion_doors()}


def outcome(capsys, *arguments: str) -> tuple[int, str, str]:
    code = itt.main(arguments)
    return (code, *capsys.readouterr())


@pytest.fixture
def two_companions(tmp_path, monkeypatch):
    """One that can be opened, and a folder that is none."""
    write(tmp_path, {
        "companions/sleep/__init__.py":
            b'"""Counts sheep.\n\nIt may import cache."""\nraise ImportError("too early")\n',
        "companions/sleep/__main__.py": b"",
        "companions/notes/__init__.py": b'"""No command."""\n',
    })
    monkeypatch.setattr(companions, "__path__", [str(tmp_path / "companions")])


def test_itt_alone_lists_the_verbs_in_two_groups_with_a_line_each(capsys, two_companions):
    expected = """\
usage: itt VERB ...

learn a person's own tags, and find them in new pictures:
  embed         pictures in tag folders become vectors
  train         every tag becomes two classifiers, judged in a report
  classify      a folder of new pictures is scored and sorted
  classify-zip  the same for the pictures in ZIPs
  doctor        look before a run: what would be skipped and why
  compare       what two results decide differently
  serve         all of it in a browser, and over HTTP

before, beside and after tagging:
  sleep         Counts sheep

itt VERB --help says everything about one.
"""
    for arguments in ([], ["--help"], ["-h"], ["help"]):
        assert outcome(capsys, *arguments) == (0, expected, "")


def test_without_companions_there_is_one_group(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(companions, "__path__", [str(tmp_path)])
    assert "beside" not in outcome(capsys)[1]


def test_every_folder_of_companions_with_a_main_is_a_verb(capsys):
    existing = {path.parent.name for path in (ROOT / "companions").glob("*/__main__.py")}
    listed = re.findall(r"^  ([a-z-]+)  ", outcome(capsys)[1], re.MULTILINE)
    assert set(listed) == {*itt.TOOLKIT, *existing}


@pytest.mark.parametrize(("verb", "message"), [
    ("clasify", "clasify is not a verb of itt; did you mean itt classify? (itt alone lists them)"),
    ("nonsense", "nonsense is not a verb of itt (itt alone lists them)"),
    ("--strict", "--strict is not a verb of itt (itt alone lists them)"),
])
def test_a_verb_that_there_is_not_is_refused_in_one_line(capsys, verb, message):
    assert outcome(capsys, verb, "photos") == (2, "", f"error: {message}\n")


def test_help_may_stand_before_a_verb(capsys):
    with pytest.raises(SystemExit) as ended:
        itt.main(["help", "embed"])
    assert (ended.value.code, capsys.readouterr().out.splitlines()[0][:16]) == (0, "usage: itt embed")


def test_itt_says_its_version(capsys):
    assert outcome(capsys, "--version") == (0, f"image-tagging-tools {__version__}\n", "")


@pytest.mark.parametrize("verb", VERBS)
def test_behind_every_door_is_a_main_of_one_form(verb):
    door = VERBS[verb]
    main = getattr(importlib.import_module(door.module), door.function)
    assert list(inspect.signature(main).parameters) == ["argv", "prog"]


@pytest.mark.parametrize("verb", VERBS)
def test_help_comes_at_once_and_names_the_verb(here, verb):
    """At once: before the libraries that take a second to import."""
    done = run_python("-c", NAMES_SLOW_IMPORTS, verb, "--help", cwd=here, PYTHONPATH=str(ROOT))
    assert done.stdout.startswith(f"usage: itt {verb} ")
    assert f"\nexample:\n  itt {verb}" in done.stdout
    assert done.stdout.splitlines()[-1] == "set()"


def test_a_forgotten_input_is_asked_for_in_the_words_of_itt(capsys):
    with pytest.raises(SystemExit) as caught:
        itt.main(["embed"])
    assert (caught.value.code, capsys.readouterr().err) == (
        2, "error: name the folder of pictures: itt embed photos (--help says more)\n")


def test_what_an_earlier_verb_makes_is_asked_for_by_that_verb(here, capsys):
    write(here, {"new/a.png": b""})
    assert outcome(capsys, "train") == (
        2, "", "error: there is no ./output/input-metadata.json yet; this makes it: itt embed photos\n")
    assert outcome(capsys, "classify", "new")[2] == (
        "error: there is no ./output/input-metadata.json yet; this makes it: itt embed photos\n")
    write(here, {"output/input-metadata.json": b"{}"})
    assert outcome(capsys, "classify", "new")[2] == (
        "error: there is no ./output/models yet; this makes it: itt train\n")


def test_a_zip_is_sent_on_to_the_verb_for_it(here, capsys):
    write(here, {"trip.zip": b"PK\5\6" + bytes(18)})
    assert outcome(capsys, "classify", "trip.zip")[2] == (
        "error: trip.zip is a ZIP; stage 4 scores those: itt classify-zip --directory trip.zip\n")


def test_it_can_be_started_as_a_file_and_as_a_module(here):
    for arguments in ([str(ROOT / "itt.py")], ["-m", "itt"]):
        done = run_python(*arguments, "--version", cwd=here, PYTHONPATH=str(ROOT))
        assert (done.returncode, done.stdout, done.stderr) == (0, f"image-tagging-tools {__version__}\n", "")


def test_nothing_is_imported_for_the_list(here):
    done = run_python("-X", "importtime", str(ROOT / "itt.py"), cwd=here)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    rooms = ("cache.", "stage", "web_api", "companions")
    assert {name for name in imported if name.startswith(rooms)} == {"cache.text", "companions"}
