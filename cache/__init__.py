"""What is known about images, shared by every stage: `from cache import FileCache, ClipCache, TagCache`."""
from importlib import import_module

__version__ = "0.1.0"

_HOMES = {"FileCache": "cache.cache_file", "ClipCache": "cache.cache_clip", "TagCache": "cache.cache_tag"}
__all__ = [*_HOMES]


def __getattr__(name: str):
    """A public class, imported when first named: decoder processes start with Pillow alone (PEP 562)."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
