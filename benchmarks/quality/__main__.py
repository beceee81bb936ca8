"""How good the models of stage 2 are on pictures that they have not seen, whether their decisions keep what
they promise, and how many wrong labels they find; as Markdown.

    python -m benchmarks.quality output/input-metadata.json output/input-tag-to-image-hash-list.json

Progress goes to stderr. With OPENBLAS_NUM_THREADS=1 where others use the machine: threads that wait for each
other made ten times of it.
"""
import argparse
import math
import warnings
from collections.abc import Callable, Iterator

from benchmarks import label_errors
from benchmarks.quality import second_layer, unknown_tags
from cache.stores.metadata import Metadata, read_metadata
from cache.stores.tag_list import read_tag_to_hashes

TagToHashes = dict[str, list[str]]


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.quality", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("metadata", help="metadata JSON of stage 1")
    parser.add_argument("tags", help="tag list of stage 1")
    parser.add_argument("--draws", type=int, default=5, help="of unknown tags, and of wrong labels; 5")
    parser.add_argument("--most", type=int, help="pictures to take, of every tag the same share; all of them")
    parser.add_argument("--part", choices=PARTS, help="one of the tables alone")
    wanted = parser.parse_args()
    # Plain LogisticRegression has not converged after its 100 steps, as it would not for a person.
    warnings.simplefilter("ignore")
    metadata, tag_to_hashes = read_metadata(wanted.metadata), read_tag_to_hashes(wanted.tags)
    if wanted.most:
        tag_to_hashes = sample(tag_to_hashes, wanted.most)
    for name, part in PARTS.items():
        if wanted.part in (None, name):
            print(*part(metadata, tag_to_hashes, wanted.draws), "", sep="\n", flush=True)


def unseen(metadata: Metadata, tag_to_hashes: TagToHashes, draws: int) -> Iterator[str]:
    """Every picture is unseen once: there is nothing to draw."""
    return second_layer.table(metadata, tag_to_hashes)


def labels(metadata: Metadata, tag_to_hashes: TagToHashes, draws: int) -> Iterator[str]:
    lines = label_errors.rows_of_table(label_errors.Dataset(metadata, tag_to_hashes), draws)
    return (f"    {line}" for line in lines)  # as Markdown has text whose columns stay


PARTS: dict[str, Callable[[Metadata, TagToHashes, int], Iterator[str]]] = {
    "unseen": unseen, "promises": unknown_tags.table, "labels": labels}


def sample(tag_to_hashes: TagToHashes, most: int) -> TagToHashes:
    """Of every tag the same share, about `most` in all: those that come first by their hash, which is as good
    as by chance. What a picture carries stays together."""
    share = min(1.0, most / len({hash_id for hashes in tag_to_hashes.values() for hash_id in hashes}))
    chosen = {
        hash_id for hashes in tag_to_hashes.values()
        for hash_id in sorted(set(hashes))[:math.ceil(share * len(set(hashes)))]}
    return {
        tag: [hash_id for hash_id in hashes if hash_id in chosen] for tag, hashes in tag_to_hashes.items()}


if __name__ == "__main__":
    main()
