"""What every served page and endpoint needs: who may ask, which paths may be named, pictures, errors.

May import `cache.stores`, `cache.pages` and below.
"""
