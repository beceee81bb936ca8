"""The tag lists of stage 1: which pictures, by their hashes, carry each tag."""
import os

from cache.files.json_file import JsonFormat

TAG_LIST = JsonFormat("a tag list", "stage 1", "{tag: [hash_id, ...]}")


def read_tag_to_hashes(path: str | os.PathLike) -> dict[str, list[str]]:
    """{tag: [hash_id]}. Raises Refused for anything else."""
    hashes_by_tag = TAG_LIST.whole(path)
    if not all(map(_is_list_of_texts, hashes_by_tag.values())):
        raise TAG_LIST.refusal(path)
    return hashes_by_tag


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
