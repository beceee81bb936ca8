"""Flags, exit codes, signals, and every way a stage or a cache may be started."""
import errno
import os
import signal
import sqlite3

import pytest

from cache import __main__ as cache_main
from cache import __version__, command_line
from cache.doctor import command as doctor
from cache.limits import Limits
from cache.reader.batches import Batch
from cache.reader.file_progress import FileProgress
from cache.reader.source_file import Skipped
from cache.refusal import Refused
from stage1 import ImageDatasetProcessor as stage1
from stage2 import train
from stage3 import classify
from stage4 import classify_zip
from tests.conftest import ROOT, run_python
from tests.drawing import png, write

SCRIPTS = list(command_line.SCRIPTS.values())
NAMES_SLOW_IMPORTS = """
import runpy, sys
sys.argv = [sys.argv[1], "--help"]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    print(end.code, sorted({"torch", "sklearn", "open_clip", "tqdm"} & sys.modules.keys()))
"""
INTERRUPTED = "interrupted; what was finished is kept, the same command goes on from there\n"
INTERRUPTS_ITSELF = """
import os, signal, sys
from cache.encoders.clip_encoder import ClipEncoder
from stage1.ImageDatasetProcessor import main
ClipEncoder.encode = lambda *_: os.kill(os.getpid(), signal.SIGINT)
sys.exit(main(["--input_folder", "photos", "--clip_model", "EfficientNet-Lite0-MS"]))
"""


@pytest.mark.parametrize(("flags", "expected"), [
    ([], True), (["--tagged_dataset"], True), (["--tagged_dataset", "True"], True),
    (["--tagged_dataset=False"], False), (["--tagged_dataset", "False"], False),
    (["--tagged-dataset=false"], False), (["--no-tagged_dataset"], False), (["--no-tagged-dataset"], False),
])
def test_a_truth_may_be_written_in_many_ways(monkeypatch, flags, expected):
    seen = {}

    def process_dataset(source, output, tagged, *rest, **options):
        seen.update(tagged=tagged)
        return {"written": []}

    monkeypatch.setattr(stage1.ImageDatasetProcessor, "process_dataset", process_dataset)
    assert stage1.main(["--input_folder", "photos", *flags]) == 0
    assert seen == {"tagged": expected}


@pytest.mark.parametrize("argument", [
    "--batch_size=0", "--batch_size=x", "--tagged_dataset=perhaps", "--precision=low", "--file_timeout=0",
    "--no_such_flag",
])
def test_a_wrong_argument_is_refused_with_exit_code_2(capsys, argument):
    with pytest.raises(SystemExit) as caught:
        stage1.main(["--input_folder", "photos", argument])
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


EMBED = "python ./stage1/ImageDatasetProcessor.py"


@pytest.mark.parametrize(("arguments", "message"), [
    (["--input_foldr", "photos"],
     "--input_foldr is not a flag; did you mean --input_folder? (--help lists them)"),
    (["photos", "--batch-sise=4"],
     "--batch-sise is not a flag; did you mean --batch_size? (--help lists them)"),
    (["photos", "--xyz"], "--xyz is not a flag (--help lists them)"),
    (["photos", "-x"], "-x is not a flag (--help lists them)"),
    (["photos", "-- b-c"], "one word too many: -- b-c; a path with spaces needs quotes (--help says more)"),
    ([], f"name the folder of pictures: {EMBED} photos (--help says more)"),
    (["my", "photos"], "one word too many: photos; a path with spaces needs quotes (--help says more)"),
    (["photos", "--input_folder", "more"],
     "the folder of pictures is named twice: photos and --input_folder more (--help says more)"),
    (["photos", "--batch_size", "0"], "--batch_size: '0' is not a whole number above 0"),
    (["photos", "--device"], "--device: expected one argument"),
    (["photos", "a\nb"], "one word too many: a\\nb; a path with spaces needs quotes (--help says more)"),
])
def test_what_is_wrong_with_a_command_is_said_in_one_line(capsys, arguments, message):
    with pytest.raises(SystemExit) as caught:
        stage1.main(arguments)
    assert (caught.value.code, *capsys.readouterr()) == (2, "", f"error: {message}\n")


@pytest.mark.parametrize(("command", "message"), [
    (classify.command,
     "name the folder of pictures: python ./stage3/classify.py new-pictures (--help says more)"),
    (classify_zip.command,
     "name the ZIP, or the folder of ZIPs: python ./stage4/classify_zip.py archives.zip (--help says more)"),
    (doctor.main, "name PATH: python -m cache doctor photos (--help says more)"),
    (cache_main.main, "--jsn is not a flag (--help lists them)"),
    (train.command, "--jsn is not a flag (--help lists them)"),
])
def test_every_command_says_what_it_misses(capsys, command, message):
    with pytest.raises(SystemExit):
        command(["--jsn", "doctor"] if "jsn" in message else [])
    assert capsys.readouterr() == ("", f"error: {message}\n")


def test_a_command_of_a_command_knows_its_own_flags(capsys):
    with pytest.raises(SystemExit):
        cache_main.main(["doctor", "photos", "--jsn"])
    assert capsys.readouterr().err == "error: --jsn is not a flag; did you mean --json? (--help lists them)\n"


@pytest.mark.parametrize("arguments", [
    ["photos"], ["--input_folder", "photos"], ["--input-folder=photos"], ["--batch_size", "4", "photos"],
    ["--no-tagged_dataset", "photos", "--precision", "fp32"], ["--", "photos"],
])
def test_the_input_is_a_word_or_stands_behind_its_flag(monkeypatch, arguments):
    sources = []

    def process_dataset(source, *rest, **options):
        sources.append(source)
        return {"written": []}

    monkeypatch.setattr(stage1.ImageDatasetProcessor, "process_dataset", process_dataset)
    assert stage1.main(arguments) == 0
    assert sources == ["photos"]


@pytest.mark.parametrize(("main", "arguments"), [
    (stage1.main, ["--num-threads", "2", "--", "--2020-01"]),
    (cache_main.main, ["doctor", "--json", "--", "--2020-01"]),
])
def test_what_stands_behind_two_dashes_is_a_name_as_it_is(here, capsys, main, arguments):
    """Flags may have their words joined in two ways; a folder has one name."""
    assert main(arguments) == 2
    assert capsys.readouterr().err.endswith("error: no such file or folder: --2020-01\n")


def test_every_limit_has_a_flag_with_its_default_and_reaches_the_reader():
    parser = command_line.new_parser("test", "test")
    command_line.add_reading_flags(parser)
    assert command_line.limits_of(parser.parse_args([])) == Limits()
    arguments = parser.parse_args(["--max-pixels", "7", "--file_timeout", "1.5"])
    assert command_line.limits_of(arguments) == Limits(max_pixels=7, file_timeout=1.5)


def outcome(work, capsys, strict: bool = False) -> tuple[int, str, str]:
    code = command_line.run(work, strict)
    return (code, *capsys.readouterr())


def test_exit_codes_say_what_happened(capsys):
    def refuse(counts):
        raise Refused("no such folder: x")

    def interrupt(counts):
        counts.processed = 3
        os.kill(os.getpid(), signal.SIGTERM)

    def disk_full(counts):
        raise OSError(errno.ENOSPC, "No space left on device")

    def database_full(counts):
        raise sqlite3.OperationalError("database or disk is full")

    def skip(counts):
        counts.add(Batch([Skipped("x", "empty")]))

    def bug(counts):
        raise OSError(errno.EBADF, "Bad file descriptor")

    assert outcome(lambda counts: None, capsys) == (0, "processed 0, unchanged 0, skipped 0\n", "")
    assert outcome(refuse, capsys) == (2, "", "error: no such folder: x\n")
    assert outcome(interrupt, capsys) == (130, "processed 3, unchanged 0, skipped 0\n", INTERRUPTED)
    make_room = "make room, the same command goes on from there\n"
    assert outcome(disk_full, capsys) == (
        2, "", f"error: cannot read or write: [Errno 28] No space left on device; {make_room}")
    assert outcome(database_full, capsys) == (
        2, "", f"error: cannot read or write: database or disk is full; {make_room}")
    why = "skipped: 1 empty\nprocessed 0, unchanged 0, skipped 1\n"
    assert outcome(skip, capsys) == (0, why, "")
    assert outcome(skip, capsys, strict=True) == (3, why, "")
    with pytest.raises(OSError, match="Bad file descriptor"):
        command_line.run(bug)


def test_the_first_skipped_files_are_named_and_the_rest_counted(here, capsys):
    with FileProgress(here, "output/stage1.db") as progress:
        progress.add(Batch([Skipped(f"{number}.png", "damaged", "cut") for number in range(23)]))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "skipped 0.png: damaged (cut)"
    assert lines[20:] == ["... and 3 more skipped files: see the table `skipped` of output/stage1.db"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_shows_every_default_without_importing_torch_or_scikit_learn(here, script):
    done = run_python("-c", NAMES_SLOW_IMPORTS, str(ROOT / script), cwd=here)
    assert done.stdout.splitlines()[-1] == "0 []"
    assert done.stdout.startswith("usage: ")
    assert "(default: ./output" in done.stdout
    assert "example:\n  python ./" + script in done.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_stage_starts_from_any_directory_and_as_a_module(here, script):
    expected = (0, f"image-tagging-tools {__version__}\n", "")
    module = script.removesuffix(".py").replace("/", ".")
    for start, cwd in (([str(ROOT / script)], here), ([f"./{script}"], ROOT), (["-m", module], ROOT)):
        done = run_python(*start, "--version", cwd=cwd)
        assert (done.returncode, done.stdout, done.stderr) == expected


@pytest.mark.parametrize("start", [
    (ROOT, "from cache import FileCache, ClipCache, TagCache", {}),
    (ROOT, "from cache.cache_file import FileCache", {}),
    (ROOT / "cache",
     "from cache_file import FileCache\nfrom cache_clip import ClipCache\nfrom cache_tag import TagCache",
     {}),
    (None, "from cache_file import FileCache", {"PYTHONPATH": str(ROOT / "cache")}),
], ids=["from the package", "from the module", "inside cache/", "cache/ on the path"])
def test_the_caches_can_be_imported_every_promised_way_and_used(here, start):
    folder, statement, environment = start
    write(here, {"photos/a.png": png(1)})
    photos, caches = str(here / "photos"), str(here / "caches")
    use = f"print(FileCache.add_folder_to_file_cache({photos!r}, {caches!r})['processed'])"
    done = run_python("-c", f"{statement}\n{use}", cwd=folder or here, **environment)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_a_name_that_is_not_public_is_no_attribute_of_the_package():
    import cache

    with pytest.raises(AttributeError, match="module 'cache' has no attribute 'DogCache'"):
        cache.DogCache  # noqa: B018


def test_an_interrupt_from_the_keyboard_ends_a_stage_with_130_and_its_decoders_with_it(here):
    write(here, {f"photos/cats/{number:03}.png": png(number) for number in range(40)})
    done = run_python("-c", INTERRUPTS_ITSELF, cwd=here, PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stdout) == (130, "processed 0, unchanged 0, skipped 0\n")
    assert done.stderr.endswith(INTERRUPTED)


def test_a_name_cannot_write_on_the_terminal(here, capsys):
    with FileProgress(".", "stage1.db") as progress:
        progress.add(Batch([Skipped("\x1b[31mred\n\u202egnp.exe", "empty")]))
    assert "skipped \\x1b[31mred\\n\\u202egnp.exe: empty\n" in capsys.readouterr().err
    assert outcome(lambda counts: (_ for _ in ()).throw(Refused("no such folder: \x1b[2J")), capsys)[2] == (
        "error: no such folder: \\x1b[2J\n")
