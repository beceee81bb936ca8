"""Pictures and texts -> vectors. torch is imported when the first of them has to be embedded.

May import `cache.decoder`, `cache.files` and below.
"""
