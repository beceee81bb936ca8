"""The output: built beside its final name and put in place as a whole, if nothing is lost by it."""
from contextlib import ExitStack
from pathlib import Path

from cache.files.listed_folder import listing_of, refuse_unless_ours, write_listing
from cache.files.whole_folder import WholeFolder
from companions.cluster.journal import MOVING, sync_folder
from companions.cluster.moving import only_writer_of, refuse_moved_originals


class OutputFolder:
    """with OutputFolder(path) as folder: fill folder.building, which appears under its name after the block
    has ended well."""

    def __init__(self, path: str):
        """Raises Refused if `path` holds anything but an earlier result, or moved originals."""
        self.final = Path(path).resolve()
        self._check()

    def __enter__(self) -> "OutputFolder":
        with ExitStack() as stack:
            self._whole = stack.enter_context(WholeFolder(self.final))
            self.building = self._whole.building
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        with self._stack:
            if kind is None:
                self._put_in_place()

    def _put_in_place(self) -> None:
        # Where originals are to come, no listing: nobody may take it for a result that can be replaced.
        if not (self.building / MOVING).exists():
            write_listing(self.building, listing_of(self.building))
        with only_writer_of(self.final):
            self._check()  # again: a run may have moved originals there meanwhile
            self._whole.put_in_place()
            sync_folder(self.final.parent)

    def _check(self) -> None:
        refuse_moved_originals(self.final)
        refuse_unless_ours(self.final)
