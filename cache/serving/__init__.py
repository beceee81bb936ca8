"""What every served page and endpoint needs: who may ask, which paths may be named, pictures, errors.

May import `cache.stores`, `cache.pages` and below.
"""
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"  # base.html, the frame of served pages; macros.html, tiles; error.html
