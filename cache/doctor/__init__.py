"""`python -m cache doctor`: what a run would skip, and whether what is ours is whole. Writes nothing.

May import `cache.results` and below.
"""
