"""HEIC and other HEIF: libheif's decoder, by way of pi_heif, which is a plugin of Pillow.

It gives the primary picture upright (irot, imir) and cut to size (clap), puts grids of tiles together, and
refuses a picture whose decoded size is another than its header says.
"""
from pi_heif import register_heif_opener


def register() -> None:
    """Teach Pillow to open HEIF. Nothing beside the picture is asked for: neither thumbnails nor maps of
    depth or gain. A decoder process has its share of the cores, so tiles are decoded one by one."""
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=0)
