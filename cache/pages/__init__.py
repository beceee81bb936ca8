"""Pages that are one file: templates, styles and pictures inside, so that they open offline.

May import `cache.reader`, `cache.encoders`, `cache.models` and below.
"""
