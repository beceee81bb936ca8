"""Fitted models -> what is to be said of them: metrics, promises, cards, labels to check, pictures to label.

May import `stage2.learning` and below.
"""
