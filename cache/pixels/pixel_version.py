"""A number for what a hash and a crop stand for: raised whenever the same file may get another of either."""

# 1: the pixels, as Pillow gives them. 2: what a person sees: transparency, orientation, colour profile.
# 3: of a TIFF its picture, not the thumbnail before it; raw photographs.
PIXEL_VERSION = 3
