"""What a person should know of the tags of a dataset, in a line or two, before stage 2 learns them."""
from collections.abc import Iterator

from cache.stores.dataset_listing import DatasetListing
from cache.text import on_one_line, plural

SHOWN = 10  # tags with their counts; more would not be read


def about_tags(listing: DatasetListing, dataset_path: str) -> Iterator[str]:
    """The tags with the most files, and whether a folder in a folder names one, which surprises people."""
    counts = listing.files_by_tag()
    largest = sorted(counts, key=lambda tag: (-counts[tag], tag))[:SHOWN]
    shown = ", ".join(f"{tag} {counts[tag]:,}" for tag in largest)
    more = len(counts) - len(largest)
    yield on_one_line(f"{plural(len(counts), 'tag')}: {shown}{f' and {more:,} more' if more else ''}")
    nested = listing.nested_tag_folder(dataset_path)
    if nested:
        around, tag = nested
        surprise = f"the pictures in {around}/{tag} are tagged {tag}"
        yield on_one_line(f"{around} holds folders of its own: {surprise}")
