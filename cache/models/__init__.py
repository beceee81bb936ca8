"""Classifier files, safely loaded; vectors x models -> probabilities, decisions, bins.

May import `cache.files`, `cache.decoder` and below.
"""
