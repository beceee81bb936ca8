"""How tests find the browser, and what they say without one."""
import pytest

from tests import browser


def an_executable(path) -> str:
    path.touch(mode=0o755)
    return str(path)


def test_any_chromium_chrome_or_edge_in_the_path_will_do_and_the_first_one_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    assert browser.program_in_path() is None
    edge = an_executable(tmp_path / "microsoft-edge")
    assert browser.program_in_path() == edge
    chrome = an_executable(tmp_path / "google-chrome")
    assert browser.program_in_path() == chrome
    monkeypatch.setenv("CHROMIUM", edge)
    assert browser.program_in_path() == edge


def test_without_a_browser_a_test_is_skipped_and_says_which_package_brings_one(monkeypatch):
    monkeypatch.delenv("ITT_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt install chromium"):
        browser.missing()


def test_where_browser_tests_are_required_they_fail_without_a_browser(monkeypatch):
    monkeypatch.setenv("ITT_BROWSER", "required")
    with pytest.raises(pytest.fail.Exception, match="apt install chromium"):
        browser.missing()
