"""Tiles: SVGs that say why a picture cannot be shown."""
import xml.etree.ElementTree as ElementTree

import pytest

from cache.limits import REASONS, Skip
from cache.serving.tile import short_reason, tile

SVG = "{http://www.w3.org/2000/svg}"


def lines_of(drawing: str) -> list[str]:
    return [line.text for line in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


@pytest.mark.parametrize(("pixels", "side", "lines"), [
    (96, "64", ["outside", "the", "allowed", "folders"]),
    (112, "64", ["outside", "the", "allowed", "folders"]),
    (113, "160", ["outside the", "allowed folders"]),
    (512, "160", ["outside the", "allowed folders"]),
])
def test_a_small_tile_has_the_larger_letters(pixels, side, lines):
    drawing = tile("outside the allowed folders", pixels)
    root = ElementTree.fromstring(drawing).attrib
    assert (root["width"], root["height"], root["viewBox"]) == (side, side, f"0 0 {side} {side}")
    assert lines_of(drawing) == lines


def test_lines_stand_around_the_middle():
    for text, expected in (("a b", [85.95]), ("x" * 30, [74.9, 97])):
        lines = ElementTree.fromstring(tile(text, 160)).iter(f"{SVG}text")
        assert [float(line.attrib["y"]) for line in lines] == pytest.approx(expected)


def test_what_a_file_says_is_text_and_never_longer_than_the_tile():
    assert lines_of(tile("<script>&")) == ["<script>&"]
    assert lines_of(tile("no end " * 100, 64)) == ["no end no", "end no end", "no end no", "end no..."]


def test_every_reason_has_a_few_words():
    words = {reason: short_reason(Skip(reason)) for reason in REASONS}
    assert [reason for reason, text in words.items() if not 0 < len(text.split()) <= 4] == []
    assert words["timeout"] == "took too long"
    assert short_reason(Skip("unreadable", "no longer in the archive")) == "no longer in the archive"
