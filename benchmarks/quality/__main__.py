"""How good the models of stage 2 are, and whether their decisions keep what they promise, on pictures that no
model has seen; as Markdown.

    python -m benchmarks.quality output/input-metadata.json output/input-tag-to-image-hash-list.json

Progress goes to stderr. With OPENBLAS_NUM_THREADS=1 where others use the machine: threads that wait for each
other made ten times of it.
"""
import argparse
import math
import warnings

from benchmarks.quality import second_layer, unknown_tags
from cache.stores.metadata import read_metadata
from cache.stores.tag_list import read_tag_to_hashes

TagToHashes = dict[str, list[str]]


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.quality", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("metadata", help="metadata JSON of stage 1")
    parser.add_argument("tags", help="tag list of stage 1")
    parser.add_argument("--draws", type=int, default=5, help="of unknown tags; 5")
    parser.add_argument("--most", type=int, help="pictures to take, of every tag the same share; all of them")
    parser.add_argument("--part", choices=("unseen", "promises"), help="one of the two tables alone")
    wanted = parser.parse_args()
    # Plain LogisticRegression has not converged after its 100 steps, as it would not for a person.
    warnings.simplefilter("ignore")
    metadata, tag_to_hashes = read_metadata(wanted.metadata), read_tag_to_hashes(wanted.tags)
    if wanted.most:
        tag_to_hashes = sample(tag_to_hashes, wanted.most)
    if wanted.part != "promises":
        print(*second_layer.table(metadata, tag_to_hashes), "", sep="\n", flush=True)
    if wanted.part != "unseen":
        print(*unknown_tags.table(metadata, tag_to_hashes, wanted.draws), sep="\n")


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
