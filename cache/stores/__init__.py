"""What is known, on disk: every table of ours, the metadata JSON, where vectors and pictures lie; all SQL.

May import `cache.reader`, `cache.encoders`, `cache.models` and below.
"""
