"""Stage 1: embed a dataset. Every picture of a folder of tag folders (or of a ZIP of one) becomes a vector.

    python ./stage1/ImageDatasetProcessor.py --input_folder photos --output_folder ./output

Writes the metadata JSON, stage1.db, and the caches that make the next run quick, into the output folder.
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms

import argparse
import os
from contextlib import ExitStack

from cache import command_line
from cache.decoder.limits import Limits
from cache.encoders.clip_encoder import ClipEncoder
from cache.files.json_file import write_json_object
from cache.files.run_lock import only_run_in
from cache.reader.batches import Counts, Embedding, record
from cache.reader.disk_files import dataset_name
from cache.reader.file_progress import FileProgress
from cache.reader.image_source import images
from cache.refusal import Refused
from cache.stores.clip_table import ClipStore, ClipTable
from cache.stores.dataset_listing import DatasetListing
from cache.stores.dataset_table import DatasetTable
from cache.stores.file_table import FileTable
from cache.stores.metadata_records import metadata_records
from cache.stores.tag_table import TagTable
from cache.text import printable


class ImageDatasetProcessor:
    @staticmethod
    def process_dataset(
        dataset_path: str, output_folder: str = "./output", tagged_dataset: bool = True, clip_model: str = "ViT-B-32",
        pretrained: str = "openai", batch_size: int = 32, num_threads: int = 4, device: str | None = None, *,
        precision: str | None = None, limits: Limits = Limits(), counts: Counts | None = None,
    ) -> dict:
        """Embed the pictures under dataset_path; returns the counts of files and the paths written. Known pictures are neither decoded
        nor embedded again. Raises Refused if there is no readable picture or the encoder cannot be had."""
        command_line.refuse_output_inside(dataset_path, output_folder)
        folder = output_folder if tagged_dataset else os.path.join(output_folder, "clip-cache")
        encoder = ClipEncoder(clip_model, pretrained, device, precision)
        counts = Counts() if counts is None else counts
        with ExitStack() as stack:
            stack.enter_context(only_run_in(folder))
            files = stack.enter_context(FileTable(os.path.join(folder, "file_cache.sqlite"), create=True))
            clips = stack.enter_context(ClipTable(os.path.join(folder, "clip_cache.sqlite"), create=True))
            tags = [stack.enter_context(TagTable(os.path.join(folder, "tag_cache.sqlite"), create=True))] if tagged_dataset else []
            dataset = stack.enter_context(DatasetTable(os.path.join(folder, "stage1.db"), create=True))
            listing = stack.enter_context(DatasetListing())
            progress = stack.enter_context(FileProgress(dataset_path, dataset.path))
            store = ClipStore(clips, encoder, files)
            embedding = Embedding(encoder, store.has, batch_size)
            stream = images(
                dataset_path, tagged=tagged_dataset, limits=limits, num_threads=num_threads, window=2 * batch_size + num_threads,
                crop_for=embedding.crop_for, known=store.known,
            )
            # The file cache comes last: what it knows is embedded and tagged, whenever the run is cut off.
            record(stream, [store, *tags, listing, files, counts, progress], embedding)
            if counts.processed + counts.unchanged == 0:
                raise Refused(_nothing_found(dataset_path, tagged_dataset, counts))
            for table in (files, *tags):
                table.forget_missing(printable(os.path.abspath(dataset_path)), listing.absolute_paths())
            written = _write(folder, dataset_path, listing, store, tagged_dataset)
            dataset.replace(listing)
        return {**counts.as_dict(), "written": [*written, os.path.join(folder, "stage1.db")]}


def _write(folder: str, dataset_path: str, listing: DatasetListing, store: ClipStore, tagged: bool) -> list[str]:
    name = "input-metadata.json" if tagged else f"{dataset_name(dataset_path)}-metadata.json"
    files = {name: metadata_records(listing.images(), store.encoder, store.vector, tagged)}
    if tagged:
        files["input-tag-to-image-hash-list.json"] = listing.hashes_by_tag()
        files["input-image-hash-to-tag-list.json"] = ((image["hash_id"], image["tags"]) for image in listing.images())
    for name, members in files.items():
        write_json_object(os.path.join(folder, name), members)
    return [os.path.join(folder, name) for name in files]


def _nothing_found(dataset_path: str, tagged: bool, counts: Counts) -> str:
    place = f"in a tag folder under {dataset_path}" if tagged else f"under {dataset_path}"
    hint = "; a tagged dataset has its pictures in <folder>/<tag>/, for others add --no-tagged_dataset"
    return f"no readable picture {place} {counts.why_nothing()}{hint if counts.reasons['outside_tag_folder'] else ''}"


def main(argv: list[str] | None = None) -> int:
    parser = command_line.new_parser(
        "Embed a dataset: every picture of a folder of tag folders becomes a vector.",
        "python ./stage1/ImageDatasetProcessor.py --input_folder photos --clip_model EfficientNet-Lite0-MS --pretrained imagenet",
    )
    parser.add_argument("--input_folder", required=True, default=argparse.SUPPRESS, metavar="PATH",
                        help="folder of tag folders, or a ZIP of one")
    parser.add_argument("--output_folder", default="./output", metavar="PATH", help="where the JSON files, stage1.db and the caches go")
    parser.add_argument("--tagged_dataset", nargs="?", const=True, default=True, type=command_line.truth, metavar="True|False",
                        help="the folder that holds a picture is its tag")
    parser.add_argument("--no-tagged_dataset", dest="tagged_dataset", action="store_false", default=argparse.SUPPRESS,
                        help="the same as --tagged_dataset False")
    parser.add_argument("--clip_model", default="ViT-B-32", metavar="NAME", help="an open_clip model, or EfficientNet-Lite0-MS")
    parser.add_argument("--pretrained", default="openai", metavar="TAG|PATH",
                        help="its weights: an open_clip tag or a checkpoint on disk; imagenet for EfficientNet-Lite0-MS")
    command_line.add_encoder_flags(parser)
    command_line.add_reading_flags(parser)
    arguments = command_line.parse(parser, argv)

    def work(counts: Counts) -> None:
        result = ImageDatasetProcessor.process_dataset(
            arguments.input_folder, arguments.output_folder, arguments.tagged_dataset, arguments.clip_model, arguments.pretrained,
            arguments.batch_size, arguments.num_threads, arguments.device,
            precision=arguments.precision, limits=command_line.limits_of(arguments), counts=counts,
        )
        for path in result["written"]:
            print(f"wrote {path}")

    return command_line.run(work, arguments.strict)


if __name__ == "__main__":
    raise SystemExit(main())
