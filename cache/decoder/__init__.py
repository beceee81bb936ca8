"""Bytes -> pixels, hash, crop, in processes that can be killed. No torch, no SQL.

May import `cache.formats` and below.
"""
