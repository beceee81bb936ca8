"""What served pages and endpoints need: who may ask, which paths may be named, pictures, errors, the frame.

May import `cache.stores`, `cache.pages` and below. Nothing in it knows the web app that serves it.
"""
