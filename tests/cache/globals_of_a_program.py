"""A program that uses ours as a library, and says after each step which of its own settings are no longer as
they were.

    python -m tests.cache.globals_of_a_program CHECKPOINT_OF_THE_TINY_MODEL      in a folder with photos/

Prints a JSON object: {step: [names of what has changed since before the step]}.
"""
import gc
import importlib
import json
import locale
import logging
import os
import pkgutil
import random
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Other people's libraries come first: what they change on import is not ours.
import joblib
import matplotlib
import numpy as np
import open_clip
import timm
import torch
import tqdm
import waitress
from PIL import Image, ImageFile
from sklearn import calibration, linear_model, preprocessing, svm

from tests.conftest import ROOT, TINY

OTHERS = (joblib, timm, tqdm, waitress, calibration, linear_model, preprocessing, svm)
LOGGERS = [logging.getLogger(name) for name in (None, "huggingface_hub", "PIL")]
ROOMS = ("cache", "stage1", "stage2", "stage3", "stage4", "web_api")


def settings() -> dict[str, object]:
    return {
        "PIL.Image.MAX_IMAGE_PIXELS": Image.MAX_IMAGE_PIXELS,
        "formats of Pillow": sorted(Image.OPEN),
        "PIL.ImageFile.LOAD_TRUNCATED_IMAGES": ImageFile.LOAD_TRUNCATED_IMAGES,
        "logging.disable": logging.root.manager.disable,
        "levels of loggers": [logger.level for logger in LOGGERS],
        "handlers of loggers": [logger.handlers[:] for logger in LOGGERS],
        "filters of loggers": [logger.filters[:] for logger in LOGGERS],
        "filters of handlers": [handler.filters[:] for logger in LOGGERS for handler in logger.handlers],
        "filters of the last handler": logging.lastResort.filters[:],
        "warnings.filters": warnings.filters[:],
        "locale": locale.setlocale(locale.LC_ALL),
        "sys.path": [entry for entry in sys.path if entry != str(ROOT)],
        "handlers of signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "environment": dict(os.environ),
        "current directory": os.getcwd(),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "errors of streams": (sys.stdout.errors, sys.stderr.errors),
        "hooks": (sys.excepthook, threading.excepthook, sys.getprofile(), sys.gettrace()),
        "recursion limit": sys.getrecursionlimit(),
        "garbage collection": (gc.isenabled(), gc.get_threshold()),
        "socket timeout": socket.getdefaulttimeout(),
        # Those of NumPy are left out: scikit-learn's SVC draws a seed from them, which it does not use.
        "random numbers": random.getstate(),
        "errors of NumPy": np.geterr(),
        "random numbers of torch": torch.get_rng_state().tolist(),
        "threads of torch": (torch.get_num_threads(), threads_of_torch_in_a_fresh_thread()),
        "gradients of torch": torch.is_grad_enabled(),
        "default type of torch": torch.get_default_dtype(),
        "matplotlib": dict(matplotlib.rcParams),
    }


def threads_of_torch_in_a_fresh_thread() -> int:
    with ThreadPoolExecutor(1) as fresh:
        return fresh.submit(torch.get_num_threads).result()


def changed(step: Callable[[], object]) -> list[str]:
    before = settings()
    step()
    after = settings()
    return [name for name in before if before[name] != after[name]]


def import_everything() -> None:
    for room in ROOMS:
        for module in pkgutil.walk_packages([str(ROOT / room)], f"{room}."):
            importlib.import_module(module.name)


def use_the_caches() -> None:
    from cache import ClipCache, FileCache, TagCache

    ClipCache(TINY, CHECKPOINT).add_folder_to_clip_cache("photos", "caches")
    FileCache().add_folder_to_file_cache("photos", "caches")
    TagCache().add_folder_to_tag_cache("photos", "caches")
    ClipCache(TINY, CHECKPOINT).create_clip_cache("other")
    FileCache().create_file_cache("other")
    TagCache().create_tag_cache("other")


def be_refused() -> None:
    """A model whose weights cannot be had: open_clip and its hub log that in their own ways."""
    from cache.encoders.clip_encoder import ClipEncoder
    from cache.refusal import Refused

    try:
        _ = ClipEncoder("ViT-B-32", "openai").crop_spec
    except Refused:
        return
    raise AssertionError("the hub was to be out of reach")


def run_the_stages() -> None:
    from stage1.ImageDatasetProcessor import ImageDatasetProcessor
    from stage2.train import main as train
    from stage3.classify import main as classify

    metadata = "output/input-metadata.json"
    ImageDatasetProcessor.process_dataset("photos", "output", clip_model=TINY, pretrained=CHECKPOINT)
    train(metadata, "output/input-tag-to-image-hash-list.json", "output", 0.2)
    classify("photos", "scored", metadata, 10, "output/models")


def main() -> None:
    logging.disable(logging.WARNING)  # as a program may that wants no warnings
    Image.MAX_IMAGE_PIXELS = 1_000_000
    Image.init()
    open_clip.add_model_config(Path(CHECKPOINT).with_name(f"{TINY}.json"))
    changes = {step.__name__: changed(step) for step in (import_everything, use_the_caches)}
    torch.set_num_threads(torch.get_num_threads() + 1)  # as a program may after its first pictures
    changes |= {step.__name__: changed(step) for step in (be_refused, run_the_stages)}
    print(json.dumps(changes))


if __name__ == "__main__":
    CHECKPOINT = sys.argv[1]
    main()
