"""What cameras, phones and programs put beside photographs, told by name where the content says too little.

    sidecars of editors     IMG_1.xmp, IMG_1.AAE, IMG_1.CR2.pp3
    of exports              IMG_1.jpg.json of Google Takeout, the tracks of a journey
    of videos               MVI_1.THM, subtitles, streams whose first bytes say nothing

Videos that begin as such are told by their content, see cache/formats/signatures.py.
"""
import os

# Of files that neither begin like a picture nor like a video; a picture is one whatever it is called.
EXTENSIONS = {
    ".aae", ".xmp", ".pp3", ".dop", ".cos", ".nksc", ".arp", ".vrd", ".dr4",  # what editors have done
    ".json", ".gpx", ".kml", ".nmea",
    ".mov", ".mp4", ".m4v", ".3gp", ".3g2", ".avi", ".mts", ".m2ts", ".mpg", ".mpeg", ".mkv", ".webm", ".wmv",
    ".lrv", ".lrf", ".insv",
    ".wav", ".m4a", ".mp3", ".aac", ".amr", ".srt",
}
# A camera's JPEG of 160 x 120 pixels for a video or raw photograph of the same name. It shows what another
# file is, also where that one lies elsewhere, so no neighbour is looked for.
CAMERA_THUMBNAIL = ".thm"


def is_camera_thumbnail(name: str) -> bool:
    return _extension(name) == CAMERA_THUMBNAIL


def is_named_as_other(name: str) -> bool:
    """name: of a file whose content says nothing."""
    return _extension(name) in EXTENSIONS


def _extension(name: str) -> str:
    return os.path.splitext(name)[1].lower()
