"""JSON objects, streamed: what is written comes back, and nothing else is taken for it."""
import json
import os
import re

import numpy as np
import pytest

from cache.files.json_file import JsonFormat, write_json_object
from cache.refusal import Refused

SONGS = JsonFormat("a song list", "stage 9", "{title: song}")
MEMBERS = {"first": {"notes": [1, 2]}, "second": {"notes": []}}


def test_every_member_has_a_line_and_floats_are_the_shortest_decimals_that_give_them_back(here):
    write_json_object("a.json", [("first", np.float32([0.1, 1 / 3, 3e-9])), ("ä\n", {"b": None})])
    assert (here / "a.json").read_bytes() == (
        b'{\n"first": [0.1,0.33333334,3e-9],\n' + '"ä\\n": {"b":null}\n}\n'.encode())
    write_json_object("empty.json", [])
    assert (here / "empty.json").read_bytes() == b"{\n}\n"


@pytest.mark.parametrize("layout", ["as written", "one line", "indented"])
def test_any_layout_gives_the_same_members(here, layout):
    write_json_object("a.json", MEMBERS.items())
    if layout != "as written":
        (here / "a.json").write_text(json.dumps(MEMBERS, indent=4 if layout == "indented" else None))
    assert dict(SONGS.members("a.json")) == MEMBERS
    assert SONGS.whole("a.json") == MEMBERS


CUT_OFF = "a.json is not valid JSON (...); if it was cut off, stage 9 makes it anew"


@pytest.mark.parametrize(("content", "refusal"), [
    (None, "cannot read a.json: No such file or directory; stage 9 makes it"),
    ("[1, 2]", "a.json is not a song list of stage 9: it should read {title: song}"),
    ("", CUT_OFF),
    ('{"a": ', CUT_OFF),
    ('{\n"a": {},\n"b": x\n}\n', CUT_OFF),
    ('{\n"a": {},\n', "a.json ends in the middle; run stage 9 again"),
])
def test_anything_else_is_refused_in_one_line(here, content, refusal):
    if content is not None:
        (here / "a.json").write_text(content)
    with pytest.raises(Refused) as caught:
        dict(SONGS.members("a.json"))
    assert re.sub(r"\(.+\)", "(...)", str(caught.value)) == refusal  # in brackets the parser's own words


def test_members_in_front_of_a_fault_are_read(here):
    (here / "a.json").write_text('{\n"a": {"b": 1},\n"c": x\n}\n')
    assert next(SONGS.members("a.json")) == ("a", {"b": 1})


def test_a_file_that_could_not_be_written_whole_is_not_there(here):
    def members():
        yield "first", 1
        raise RuntimeError("power cut")

    (here / "old.json").write_text("old")
    for name in ("old.json", "new.json"):
        with pytest.raises(RuntimeError, match="power cut"):
            write_json_object(name, members())
    assert {path.name: path.read_text() for path in here.iterdir()} == {"old.json": "old"}


def test_a_signal_just_when_a_file_has_got_its_name_is_no_other_error(here, monkeypatch):
    def interrupted(*paths) -> None:
        rename(*paths)
        raise KeyboardInterrupt

    rename = os.replace
    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_json_object("whole.json", [("first", 1)])
    assert os.listdir() == ["whole.json"]
