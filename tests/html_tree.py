"""A page as a tree, read by Python's own parser: what a browser would see of it, names and texts
unescaped."""
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "img", "input", "br"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """With single spaces, as it is shown."""
        return " ".join(self._raw_text().split())

    def _raw_text(self) -> str:
        return "".join(child if isinstance(child, str) else child._raw_text() for child in self.children)

    def all(self, tag: str, of_class: str | None = None) -> Iterator["Element"]:
        for child in self.children:
            if isinstance(child, Element):
                if child.tag == tag and of_class in (None, *(child.attributes.get("class") or "").split()):
                    yield child
                yield from child.all(tag, of_class)

    def one(self, tag: str, of_class: str | None = None) -> "Element":
        [element] = self.all(tag, of_class)
        return element


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag, attributes) -> None:
        element = Element(tag, dict(attributes))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data) -> None:
        self.open[-1].children.append(data)


def read_page(path: str | Path) -> Element:
    return parse_page(Path(path).read_text())


def parse_page(text: str) -> Element:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    [page] = reader.open  # every element is closed
    return page
