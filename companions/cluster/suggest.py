"""--suggest: what each threshold would find, in place of clusters."""
from contextlib import ExitStack

from cache.reader.batches import Counts
from cache.stores.kept_thumbnails import thumbnails_in
from companions.cluster.methods.method import Method
from companions.cluster.output_folder import OutputFolder
from companions.cluster.reading import Reading, read
from companions.cluster.threshold_page import PAGE, THRESHOLDS, write_suggestion
from companions.cluster.thresholds import Suggestion, sample

LOW = 0.5  # of the method's own threshold: pairs down to it are looked for


def write_thresholds(reading: Reading, method: Method, output: str, counts: Counts) -> dict:
    """As run.cluster() gives it, without clusters."""
    with ExitStack() as stack:
        folder = stack.enter_context(OutputFolder(output))
        members, features = read(reading, method, stack, counts)
        numbers = sample(len(members))
        low = round(LOW * method.threshold, 3)
        suggestion = Suggestion(
            source=reading.source,
            method=method.name,
            threshold=method.threshold,
            low=low,
            members=[members[number] for number in numbers],
            pairs=list(method.pairs(features.some(numbers), low)),
            pictures=len(members),
        )
        kept = stack.enter_context(thumbnails_in(reading.cache_folder))
        write_suggestion(
            folder.building, suggestion, kept=kept, lies_in=folder.final, limits=reading.limits)
    written = [f"{output}/{name}" for name in (THRESHOLDS, PAGE)]
    return {**counts.as_dict(), "written": written}
