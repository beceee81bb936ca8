"""A stream as short rows."""
from cache.reader.image_source import images
from cache.reader.source_file import Archive, Picture, Skipped


def told(source, **options) -> list[tuple]:
    """The stream as short rows: (kind, path, what matters)."""
    rows = []
    for item in images(source, num_threads=2, **options):
        match item:
            case Picture():
                rows.append(("picture", item.file.file_path, item.file.folder))
            case Archive():
                rows.append(("archive", item.file.file_path, item.n_content))
            case Skipped():
                rows.append(("skipped", item.file_path, item.reason))
    return rows
