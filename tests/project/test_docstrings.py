"""Code in docstrings reads as code: what breaks long lines may break the examples, too."""
import ast
import re
import textwrap

import pytest

from tests.conftest import ROOT

ROOMS = ("cache", "stage1", "stage2", "stage3", "stage4", "web_api", "companions", "tests")
BEGINS_LIKE_PYTHON = re.compile(r"from \w+ import|for \w+ in|with \w+\(|\w+ = \w+\(")


def examples(source: str) -> list[str]:
    """The indented blocks of a module's docstring that begin as Python does."""
    docstring = ast.get_docstring(ast.parse(source), clean=False) or ""
    blocks = re.findall(r"(?:^    .*\n+)+", docstring, re.MULTILINE)
    return [textwrap.dedent(block) for block in blocks if BEGINS_LIKE_PYTHON.match(block.strip())]


def paths_with_examples() -> list[str]:
    paths = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return [str(path.relative_to(ROOT)) for path in paths if examples(path.read_text("utf-8"))]


@pytest.mark.parametrize("path", paths_with_examples())
def test_the_examples_of_a_module_are_python(path):
    for example in examples((ROOT / path).read_text("utf-8")):
        compile(example, path, "exec")


def test_an_example_with_lines_that_run_into_each_other_is_seen():
    docstring = '''Pictures.

    for item in images("photos"):
        match item:
            case Picture(): ...     # where it lies, and its crop if one was
            wanted case Archive(): ...     # a ZIP, after its content
'''
    (broken,) = examples(repr(docstring))
    with pytest.raises(SyntaxError):
        compile(broken, "broken", "exec")
