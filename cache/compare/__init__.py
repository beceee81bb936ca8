"""`python -m cache compare`: what two results decide differently.

May import `cache.results` and below.
"""
