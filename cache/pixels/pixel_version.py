"""A number for what a hash and a crop stand for: raised whenever the same file may get another of either."""

# 1: the pixels, as Pillow gives them. 2: what a person sees: transparency, orientation, colour profile.
PIXEL_VERSION = 2
