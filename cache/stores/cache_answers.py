"""The calls that FileCache, ClipCache and TagCache have in common, in one place, so that they stay alike."""
import os

from cache.stores.sqlite_table import Table


def database_path(out_dir: str | os.PathLike, db_name: str) -> str:
    return os.path.join(os.fspath(out_dir), db_name)


def created(table: type[Table], path: str) -> dict:
    """create_*: {db_path, created, message}. A database that is there already is left alone."""
    new = table.create(path)
    message = f"created {path}" if new else f"{path} exists already and was left as it is"
    return {"db_path": path, "created": new, "message": message}


def cleared(table: type[Table], path: str, delete: bool) -> dict:
    """clear_cache: {db_path, cleared (number of rows), deleted}."""
    with table(path) as opened:
        count = opened.clear()
    if delete:
        table.delete_file(path)
    return {"db_path": path, "cleared": count, "deleted": delete}
