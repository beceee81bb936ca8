"""Groups of alike pictures: copies found, nothing lost.

Every picture becomes the features of a method, cached by its hash; an index gives pairs that may be alike,
which are verified; pairs become clusters.
"""
