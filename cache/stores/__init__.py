"""What is known, on disk: every table of ours, the metadata JSON, and where vectors and pictures are found. All SQL is here.

May import `cache.reader`, `cache.encoders`, `cache.models` and below.
"""
