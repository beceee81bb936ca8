"""Tagged rows -> folds -> fitted models of all tags together, with calibrated probabilities.

May import `stage2.metrics`, `stage2.flags` and `cache`.
"""
