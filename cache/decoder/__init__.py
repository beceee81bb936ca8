"""Bytes of one file -> pixels, hash, crop. Pillow, NumPy and small decoders; no torch, no SQL.

May import `cache.refusal` and `cache.text`.
"""
