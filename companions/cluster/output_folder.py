"""The output: built beside its final name and put in place as a whole, if nothing is lost by it."""
from cache.files.listed_folder import ListedFolder, listing_of, write_listing
from companions.cluster.journal import MOVING, sync_folder
from companions.cluster.moving import only_writer_of, refuse_moved_originals


class OutputFolder(ListedFolder):
    """No run replaces one with moved originals in it."""

    def check(self) -> None:
        refuse_moved_originals(self.final)
        super().check()

    def put_in_place(self) -> None:
        # Where originals are to come, no listing: nobody may take it for a result that can be replaced.
        if not (self.building / MOVING).exists():
            write_listing(self.building, listing_of(self.building))
        with only_writer_of(self.final):
            self.check()  # again: a run may have moved originals there meanwhile
            self.whole.put_in_place()
            sync_folder(self.final.parent)
