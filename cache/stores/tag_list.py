"""The tag lists of stage 1: which pictures, by their hashes, carry each tag."""
import os

from cache.files.json_file import JsonFormat
from cache.text import tag_name

TAG_LIST = JsonFormat("a tag list", "stage 1", "{tag: [hash_id, ...]}")
TAG_LIST_NAME = "input-tag-to-image-hash-list.json"  # as stage 1 calls it, beside its metadata


def tag_list_beside(metadata_path: str) -> str:
    return os.path.join(os.path.dirname(metadata_path), TAG_LIST_NAME)


def read_tag_to_hashes(path: str | os.PathLike) -> dict[str, list[str]]:
    """{tag: [hash_id]}, each hash once; what an older list says of two spellings of a tag is said of the one.
    Raises Refused for anything else."""
    hashes_of: dict[str, dict[str, None]] = {}
    for name, hash_ids in TAG_LIST.whole(path).items():
        if not _is_list_of_texts(hash_ids):
            raise TAG_LIST.refusal(path)
        hashes_of.setdefault(tag_name(name), {}).update(dict.fromkeys(hash_ids))
    return {tag: list(hash_ids) for tag, hash_ids in hashes_of.items()}


def read_tags(path: str | os.PathLike) -> set[str]:
    """The tags alone, of a list that is never whole in memory. Raises Refused for anything else."""
    return {tag_name(name) for name, _ in TAG_LIST.members(path)}


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
