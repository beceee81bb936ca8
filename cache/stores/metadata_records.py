"""The metadata JSON of stage 1 as it is written: {hash_id: record}, in listing order."""
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from cache.encoders.clip_encoder import ClipEncoder
from cache.refusal import Refused


class VectorGone(Refused):
    """Somebody has cleared the cache, or its disk has damaged it."""


def metadata_records(
    images: Iterable[dict], encoder: ClipEncoder, vector: Callable[[str], np.ndarray | None], tagged: bool,
) -> Iterator[tuple[str, dict]]:
    """(hash_id, record) for each image of a dataset's listing; `vector` finds those of the encoder by hash.
    Raises VectorGone if an image has none, after all others were looked for."""
    images = iter(images)
    for image in images:
        embedded = vector(image["hash_id"])
        if embedded is None:
            for other in images:
                vector(other["hash_id"])  # each that is damaged goes: all are made anew at once
            path = image["file_path"]
            raise VectorGone(
                f"the vector of {path} has gone from the clip cache; the same command makes it anew")
        yield image["hash_id"], _record(image, encoder, embedded, tagged)


def _record(image: dict, encoder: ClipEncoder, vector: np.ndarray, tagged: bool) -> dict:
    width, height = image["width"], image["height"]
    return {
        "hash_id": image["hash_id"],
        "file_path": image["file_path"],
        "file_name": image["file_name"],
        "file_type": image["type"],
        "image_size_bytes": image["size_bytes"],
        "image_resolution": [width, height],
        "image_xsize": width,
        "image_ysize": height,
        **({"image_tags": image["tags"]} if tagged else {}),
        "embeddings_type": encoder.embeddings_type,
        "model": encoder.clip_model,
        "pretrained": encoder.pretrained,
        "embeddings_vector": vector,
    }
