"""index.html of stages 3 and 4: every bin as a contact sheet of its likeliest pictures, with links to the
pictures and bins placed."""
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from urllib.parse import quote

from cache.limits import Limits
from cache.models.score_bins import bin_name
from cache.models.tag_models import TagModel
from cache.pages.contact_sheet import MOST_SHOWN, MOST_THUMBNAILS, Group, Section, Tile, choose, write_sheet
from cache.pages.thumbnails import Kept, page_pictures
from cache.reader.batches import Counts
from cache.results.likeliest import Cell, Likeliest
from cache.results.result_folder import PAGE, PICTURES, ResultFolder
from cache.stores.score_listing import ScoreListing
from cache.text import on_one_line, plural

MOST_BINS = 100  # where there are more, the page shows hundredths


def write_result_page(
    source: str, listing: ScoreListing, models: Sequence[TagModel], folder: ResultFolder,
    *, kept: Kept, counts: Counts, limits: Limits, notes: Sequence[str] = (),
) -> None:
    """Into the folder that is being built. kept: thumbnails, also of pictures that are gone. notes: what else
    is to be known of the run."""
    bins = min(folder.bins, MOST_BINS)
    cells = _cells(listing, models, bins)
    chosen = choose([[list(cell.likeliest) for cell in members] for members in cells.values()])
    files = {position: listing.file(position) for position in chosen}
    places = {file["hash_id"]: [_readable_path(file, folder)] for file in files.values()}
    shown = page_pictures(places, kept, limits)
    groups = {
        number: [
            _group(cell, models[cell.column], files, _link(folder, cell, bins), high=number > bins / 2)
            for cell in members
        ]
        for number, members in cells.items()
    }
    embedded = {
        position: shown[file["hash_id"]].uri for position, file in files.items() if file["hash_id"] in shown}
    write_sheet(
        folder.building / PAGE, f"Scores of {on_one_line(source)}", [*_summary(counts, len(models)), *notes],
        list(_sections(groups, bins)), thumbnails=embedded, unit="score")


def _cells(listing: ScoreListing, models: Sequence[TagModel], bins: int) -> dict[int, list[Cell]]:
    """Of every bin that holds something, the highest first: its cells by tag and model type."""
    likeliest = Likeliest(bins, len(models), MOST_SHOWN)
    for block in listing.blocks():
        likeliest.add(*block)

    def tag_and_type(cell: Cell) -> tuple[str, str]:
        return models[cell.column].tag_name, models[cell.column].model_type

    by_bin = groupby(likeliest.cells(), key=lambda cell: cell.bin)
    return {number: sorted(members, key=tag_and_type) for number, members in by_bin}


def _readable_path(file: Mapping, folder: ResultFolder) -> str:
    """Of its copy in the result, or where none is placed, of the picture itself."""
    return str(folder.building / PICTURES / file["placed"]) if file["placed"] else file["absolute_path"]


def _group(
    cell: Cell, model: TagModel, files: Mapping[int, Mapping], link: str | None, *, high: bool,
) -> Group:
    """high: whether the bin is above the middle."""
    tiles = [
        _tile(position, files[position], probability)
        for position, probability in cell.likeliest.items() if position in files
    ]
    facts = {
        "tag": on_one_line(model.tag_name),
        "model": on_one_line(model.model_type),
        "decision": cell.decision or "none",
    }
    note = "may hold strangers" if high and model.worlds.differ else ""
    return Group(facts, cell.count, tiles, link, note)


def _tile(position: int, file: Mapping, probability: float) -> Tile:
    link = f"{PICTURES}/{quote(file['placed'])}" if file["placed"] else None
    return Tile(position, on_one_line(file["file_name"]), f"{probability:.3f}", link)


def _link(folder: ResultFolder, cell: Cell, bins: int) -> str | None:
    """To the bin's folder, if there is one."""
    if not folder.places or bins != folder.bins:
        return None
    return quote(folder.bin_folder(cell.column, cell.bin).as_posix()) + "/"


def _sections(groups: Mapping[int, list[Group]], bins: int) -> Iterator[Section]:
    """From the highest bin to the lowest; neighbours that are empty become one."""
    for _, run in groupby(range(bins, 0, -1), key=lambda number: number if number in groups else None):
        numbers = list(run)
        heading = f"{bin_name(numbers[-1] - 1, bins)}–{bin_name(numbers[0], bins)}"
        yield Section(heading, groups.get(numbers[0], []))


def _summary(counts: Counts, models: int) -> list[str]:
    pictures = plural(counts.processed + counts.unchanged, "picture")
    scored = f"{pictures} scored under {plural(models, 'model')}"
    skipped = f", {counts.skipped:,} skipped ({counts.why_skipped()})" if counts.skipped else ""
    shown = (
        f"The likeliest pictures of every bin, at most {MOST_SHOWN} of each model, "
        f"and {MOST_THUMBNAILS} different ones in all."
    )
    return [scored + skipped, shown]
