"""What an earlier run wrote into its clusters.json, read back and checked: it may come from anybody."""
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cache.files.json_file import JsonFormat
from companions.cluster.groups import LINKAGES
from companions.cluster.methods import METHODS
from companions.cluster.result import CLUSTERS

CLUSTERS_JSON = JsonFormat(f"a {CLUSTERS}", "cluster", "{method, threshold, linkage, clusters, outliers}")
HASH = re.compile("[0-9a-f]{128}")


@dataclass(frozen=True)
class Earlier:
    """A result that an earlier run wrote."""

    folder: str
    method: str
    threshold: float
    linkage: str
    files: Sequence[tuple[str, str]]  # (hash, path) of each, copies included


def read_earlier(folder: str) -> Earlier:
    """Raises Refused for what no run wrote."""
    path = os.path.join(folder, CLUSTERS)
    match CLUSTERS_JSON.whole(path):
        case {"method": str(method), "threshold": float(threshold) | int(threshold), "linkage": str(linkage),
              "clusters": list(clusters), "outliers": list(outliers)}:
            if method in METHODS and linkage in LINKAGES and 0 <= threshold <= 1:
                groups = [*(_pictures(path, cluster) for cluster in clusters), outliers]
                files = [_checked(path, record) for group in groups for record in group]
                return Earlier(folder, method, float(threshold), linkage, files)
    raise CLUSTERS_JSON.refusal(path)


def _pictures(path: str, cluster: Any) -> list:
    match cluster:
        case {"pictures": list(pictures)}:
            return pictures
    raise CLUSTERS_JSON.refusal(path, f"a cluster has no list of pictures: {cluster!r:.80}")


def _checked(path: str, record: Any) -> tuple[str, str]:
    match record:
        case {"hash_id": str(hash_id), "file_path": str(file_path)} if HASH.fullmatch(hash_id):
            if file_path and "\0" not in file_path:
                return hash_id, file_path
    raise CLUSTERS_JSON.refusal(path, f"a picture has no hash_id and file_path: {record!r:.80}")
