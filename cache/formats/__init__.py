"""Bytes of one file -> pixels and look: what each format writes, and what Pillow makes of it.

Runs inside decoder processes. May import `cache.pixels` and `cache.limits`.
"""
