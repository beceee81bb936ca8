"""Who sees a bar: whoever watches a terminal or a notebook, nobody who reads a file afterwards."""
import contextlib
import io
import re
import sys

import nbformat
from nbclient import NotebookClient

from cache.progress import is_watched, progress_bar, say
from cache.reader.file_progress import file_bar
from tests.conftest import ROOT
from tests.drawing import write

CELL = """
import contextlib, os, sys, warnings
sys.path.insert(0, os.environ["CLONE"])
from cache.progress import progress_bar, say
from cache.reader.file_progress import file_bar

with warnings.catch_warnings(), file_bar("photos") as bar:
    warnings.simplefilter("error")  # as tqdm's, that it would rather have ipywidgets
    say("a line")
    bar.update(2)
with open("log.txt", "w") as log, contextlib.redirect_stderr(log), progress_bar(2, "files") as bar:
    bar.update(2)
"""


def test_a_notebook_shows_a_bar_below_the_cell_but_not_in_a_file(here, monkeypatch):
    write(here, {"photos/a.png": b"", "photos/b.png": b""})
    monkeypatch.setenv("CLONE", str(ROOT))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    NotebookClient(notebook, kernel_name="python3").execute(cwd=str(here))
    outputs = notebook.cells[0].outputs
    text = "".join(output["text"] for output in outputs)
    assert {output["name"] for output in outputs} == {"stderr"}
    assert re.sub(r"\[.*?\]", "[time]", text).rpartition("\r")[2] == "100%|██████████| 2/2 [time]\n"
    assert "\ra line\n" in text
    assert (here / "log.txt").read_text() == ""


def test_nothing_shows_in_a_file_and_its_lines_are_whole():
    with contextlib.redirect_stderr(io.StringIO()) as written:
        with progress_bar(3, "files") as bar:
            bar.update()
            say("a line")
            bar.update(2)
        assert not is_watched()
    assert written.getvalue() == "a line\n"


def test_a_program_without_a_console_has_nobody_to_tell(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    with file_bar(".") as bar:
        bar.update()
    say("a line")
    assert (is_watched(), *capsys.readouterr()) == (False, "", "")
