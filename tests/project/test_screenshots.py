"""docs/screenshots.py on pages that are not those of the demo."""
from contextlib import nullcontext

import pytest

from cache.pages.contact_sheet import Group, Section, Tile, write_sheet
from docs import screenshots
from tests.drawing import tree, write


@pytest.mark.parametrize("tags", [["cats"], ["cats", "dogs"]])
def test_pages_of_other_pictures_are_refused_and_nothing_is_replaced(browser, tmp_path, monkeypatch, tags):
    """Refused at once: to wait for a choice that does not come would end in Playwright's own error."""
    monkeypatch.setattr(screenshots, "ROOT", tmp_path)
    monkeypatch.setattr(screenshots, "launched", lambda: nullcontext(browser))
    write(tmp_path, {"docs/report.png": b"before", screenshots.PAGES["report"]: b"<h1>report</h1>"})
    groups = [Group({"tag": tag, "model": "ovr-svm"}, 1, [Tile("a", "a.png", "0.9")]) for tag in tags]
    gallery = tmp_path / screenshots.PAGES["gallery"]
    write_sheet(gallery, "Scores", [], [Section("0.9–1.0", groups)], thumbnails={}, unit="score")
    before = tree(tmp_path)
    no_such_tag = "^error: demo/scored-folder/index.html shows no digit-5; run make demo first"
    with pytest.raises(SystemExit, match=no_such_tag):
        screenshots.main()
    assert tree(tmp_path) == before
