"""Stage 1: embed a dataset. Every picture of a folder of tag folders (or of a ZIP of one) becomes a vector.

    python ./stage1/ImageDatasetProcessor.py photos

Writes the metadata JSON, stage1.db, and the caches that make the next run quick, into the output folder.
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms

import argparse
import os
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple

from cache import command_line
from cache.argument_parser import ArgumentParser, truth
from cache.encoders.clip_encoder import ClipEncoder
from cache.files.json_file import write_json_object
from cache.files.run_lock import only_run_in
from cache.limits import Limits
from cache.reader.batches import Counts, Embedding, Store, record
from cache.reader.disk_files import dataset_name
from cache.reader.file_progress import FileProgress
from cache.reader.image_source import images
from cache.refusal import Refused
from cache.stores.clip_table import ClipStore, ClipTable
from cache.stores.dataset_listing import DatasetListing
from cache.stores.dataset_table import DatasetTable
from cache.stores.file_table import FileTable
from cache.stores.kept_thumbnails import thumbnails_of_run
from cache.stores.metadata_records import VectorGone, metadata_records
from cache.stores.tag_list import TAG_LIST_NAME
from cache.stores.tag_table import TagTable
from stage1.about_tags import about_tags


class ImageDatasetProcessor:
    @staticmethod
    def process_dataset(  # noqa: PLR0917  the public Python call
        dataset_path: str,
        output_folder: str = "./output",
        tagged_dataset: bool = True,
        clip_model: str = "ViT-B-32",
        pretrained: str | None = None,
        batch_size: int = 32,
        num_threads: int = 4,
        device: str | None = None,
        *,
        precision: str | None = None,
        limits: Limits = Limits(),
        thumbnails: bool = True,
        counts: Counts | None = None,
        notes: list[str] | None = None,
    ) -> dict:
        """Embed the pictures under dataset_path; returns the counts of files and the paths written. Known
        pictures are neither decoded nor embedded again.

        pretrained: an open_clip tag or the path of a checkpoint; None is the usual weights of clip_model.
        thumbnails: whether small ones are kept of what is decoded, for pages.
        counts, notes: filled for the caller. The counts hold even where the run is cut short; the notes say
        what a person should know of the tags, a line each.
        Raises Refused if there is no readable picture or the encoder cannot be had.
        """
        command_line.refuse_output_inside(dataset_path, output_folder)
        folder = output_folder if tagged_dataset else os.path.join(output_folder, "clip-cache")
        encoder = ClipEncoder(clip_model, pretrained, device, precision)
        counts = Counts() if counts is None else counts
        with ExitStack() as stack:
            stack.enter_context(only_run_in(folder))
            tables = _open_tables(stack, folder, tagged_dataset)
            kept = stack.enter_context(thumbnails_of_run(folder, thumbnails))
            listing = stack.enter_context(DatasetListing())
            store = ClipStore(tables.clips, encoder, tables.files)
            embedding = Embedding(encoder, store.has, batch_size)
            stream = partial(
                images,
                dataset_path,
                tagged=tagged_dataset,
                limits=limits,
                num_threads=num_threads,
                window=2 * batch_size + num_threads,
                crop_for=embedding.crop_for,
                thumbnail_for=kept.are_wanted_of,
                known=store.known,
            )
            # The file cache comes last: what it knows is embedded and tagged, whenever the run is cut off.
            stores: list[Store] = [store, *tables.tags, kept, listing, tables.files, counts]
            with FileProgress(dataset_path, tables.dataset.path, limits.include_hidden) as progress:
                record(stream(), [*stores, progress], embedding)
            if counts.processed + counts.unchanged == 0:
                raise Refused(_nothing_found(dataset_path, tagged_dataset, counts))
            for table in (tables.files, *tables.tags):
                table.keep_only(dataset_path, listing)
            store.keep_only_skips(dataset_path, listing.skips())
            write = partial(_write, folder, dataset_path, listing, store, tagged_dataset)
            try:
                written = write()
            except VectorGone:  # cleared by somebody, or damaged on the disk
                record(stream(), [store], embedding)
                written = write()
            if tagged_dataset and notes is not None:
                notes.extend(about_tags(listing, dataset_path))
            tables.dataset.replace(listing)
        return {**counts.as_dict(), "written": [*written, os.path.join(folder, "stage1.db")]}


class _Tables(NamedTuple):
    files: FileTable
    clips: ClipTable
    tags: list[TagTable]  # none for a dataset without tags
    dataset: DatasetTable


def _open_tables(stack: ExitStack, folder: str, tagged: bool) -> _Tables:
    def path(name: str) -> str:
        return os.path.join(folder, name)

    files = stack.enter_context(FileTable(path("file_cache.sqlite"), create=True))
    clips = stack.enter_context(ClipTable(path("clip_cache.sqlite"), create=True))
    tags = [stack.enter_context(TagTable(path("tag_cache.sqlite"), create=True))] if tagged else []
    dataset = stack.enter_context(DatasetTable(path("stage1.db"), create=True))
    return _Tables(files, clips, tags, dataset)


def _write(
    folder: str, dataset_path: str, listing: DatasetListing, store: ClipStore, tagged: bool,
) -> list[str]:
    name = "input-metadata.json" if tagged else f"{dataset_name(dataset_path)}-metadata.json"
    files: dict[str, Iterable[tuple[str, Any]]] = {
        name: metadata_records(listing.images(), store.encoder, store.vector, tagged)}
    if tagged:
        tags_of = ((image["hash_id"], image["tags"]) for image in listing.images())
        files[TAG_LIST_NAME] = listing.hashes_by_tag()
        files["input-image-hash-to-tag-list.json"] = tags_of
    for file_name, members in files.items():
        write_json_object(os.path.join(folder, file_name), members)
    return [os.path.join(folder, file_name) for file_name in files]


def _nothing_found(dataset_path: str, tagged: bool, counts: Counts) -> str:
    place = f"in a tag folder under {dataset_path}" if tagged else f"under {dataset_path}"
    hint = "; a tagged dataset has its pictures in <folder>/<tag>/, for others add --no-tagged_dataset"
    without_tag = counts.reasons["outside_tag_folder"]
    return f"no readable picture {place} {counts.why_nothing()}{hint if without_tag else ''}"


def main(argv: list[str] | None = None, prog: str | None = None) -> int:
    """The command line; prog: how it was called, for its help. Returns the exit code."""
    prog = prog or command_line.call("embed")
    parser = command_line.new_parser(
        "Embed a dataset: every picture of a folder of tag folders becomes a vector.", f"{prog} photos", prog)
    _add_flags(parser)
    arguments = parser.parse_args(argv)

    def work(counts: Counts) -> None:
        notes: list[str] = []
        result = ImageDatasetProcessor.process_dataset(
            arguments.input_folder,
            arguments.output_folder,
            arguments.tagged_dataset,
            arguments.clip_model,
            arguments.pretrained,
            arguments.batch_size,
            arguments.num_threads,
            arguments.device,
            precision=arguments.precision,
            limits=command_line.limits_of(arguments),
            thumbnails=arguments.thumbnails,
            counts=counts,
            notes=notes,
        )
        for line in (*notes, *(f"wrote {path}" for path in result["written"])):
            print(line)

    return command_line.run(work, arguments.strict)


def _add_flags(parser: ArgumentParser) -> None:
    parser.add_input("--input_folder", "the folder of pictures", "folder of tag folders, or a ZIP of one")
    add = parser.add_argument
    add("--output_folder", default="./output", metavar="PATH", help="where all that is written goes")
    add("--tagged_dataset", nargs="?", const=True, default=True, type=truth, metavar="True|False",
        help="the folder that holds a picture is its tag")
    add("--no-tagged_dataset", dest="tagged_dataset", action="store_false", default=argparse.SUPPRESS,
        help="the same as --tagged_dataset False")
    add("--clip_model", default="ViT-B-32", metavar="NAME",
        help="an open_clip model, or EfficientNet-Lite0-MS, which needs no download")
    add("--pretrained", default=None, metavar="TAG|PATH",
        help="its weights, an open_clip tag or a checkpoint on disk; None: those that are usual for "
             "the model, such as openai for ViT-B-32 and imagenet for EfficientNet-Lite0-MS")
    command_line.add_encoder_flags(parser)
    command_line.add_reading_flags(parser)


if __name__ == "__main__":
    raise SystemExit(main())
