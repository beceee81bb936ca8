"""Results of stages 3 and 4 written by hand, and what the comparison says of two."""
import os
from pathlib import Path

import orjson

from cache.__main__ import main
from cache.files.json_file import write_json_object

CATS, DOGS = ("ovr-svm", "cats"), ("ovr-svm", "dogs")


def record(path: str, *scores: tuple) -> dict:
    """scores: ((model type, tag), probability, decision or nothing)."""
    outputs = []
    for (model_type, tag_name), probability, *decision in scores:
        output = {"model_type": model_type, "tag_name": tag_name, "tag_prob": probability}
        outputs.append({**output, "decision": decision[0]} if decision else output)
    return {"hash_id": "ignored", "file_path": path, "classifiers_output": outputs}


def result(folder: str, records: dict[str, dict], one_line: bool = False) -> str:
    os.makedirs(folder, exist_ok=True)
    write_json_object(f"{folder}/output.json", records.items())
    if one_line:  # another program may have written it anew
        Path(folder, "output.json").write_bytes(orjson.dumps(records))
    return folder


def compare(capsys, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["compare", *arguments])
    return (code, *capsys.readouterr())
