"""The tag list of stage 1: one tag for two spellings."""
from pathlib import Path
from unicodedata import normalize

import pytest

from cache.files.json_file import write_json_object
from cache.refusal import Refused
from cache.stores.tag_list import read_tag_to_hashes, read_tags

COMPOSED, TAKEN_APART = (normalize(form, "Vögel") for form in ("NFC", "NFD"))


def test_two_spellings_of_a_tag_are_one_with_the_hashes_of_both_in_order(here):
    write_json_object("tags.json", [(TAKEN_APART, ["3", "1", "2"]), ("cats", ["5"]), (COMPOSED, ["4", "2"])])
    assert read_tag_to_hashes("tags.json") == {COMPOSED: ["3", "1", "2", "4"], "cats": ["5"]}
    assert list(read_tag_to_hashes("tags.json")) == [COMPOSED, "cats"]


@pytest.mark.parametrize("layout", ['{\n"%s": ["1"],\n"cats": []\n}\n', '{"cats": [], "%s": ["1"]}'])
def test_the_tags_alone_are_read_of_any_layout(here, layout):
    Path("tags.json").write_text(layout % TAKEN_APART, "utf-8")
    assert read_tags("tags.json") == {COMPOSED, "cats"}


def test_a_list_that_is_cut_off_is_refused(here):
    Path("tags.json").write_text('{\n"cats": [],\n"dogs": []\n')
    with pytest.raises(Refused, match=r"^tags.json ends in the middle; run stage 1 again$"):
        read_tags("tags.json")
