"""Folders, single files and ZIPs to any depth -> one stream of pictures, archives and skipped files, cut into
batches.

May import `cache.decoder`, `cache.files` and below.
"""
