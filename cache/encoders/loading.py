"""What the encoders of pictures and of texts do before they load: which weights are meant, on which device, with one line on stderr."""
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cache.progress import say
from cache.refusal import Refused

if TYPE_CHECKING:
    import torch


def checkpoint_name(pretrained: str) -> str:
    """open_clip's tag as it is; for the path of a checkpoint "sha256-" and the first 12 digits of its content's digest."""
    if not os.path.isfile(pretrained):
        if os.sep in pretrained:
            raise Refused(f"no such checkpoint: {pretrained}")
        return pretrained
    with open(pretrained, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return f"sha256-{digest.hexdigest()[:12]}"


def named_by(key: str, checkpoint: str | None) -> tuple[str, str]:
    """Model and weights of the vectors stored under `key`. `checkpoint` is the file of weights that are known as sha256-...; raises
    Refused if it holds others."""
    clip_model, _, pretrained = key.rpartition(":")
    if checkpoint and checkpoint_name(checkpoint) != pretrained:
        raise Refused(f"--pretrained {checkpoint} is {checkpoint_name(checkpoint)}, but the vectors are of {key}")
    return clip_model, checkpoint or pretrained


def device_named(name: str | None) -> "torch.device":
    import torch

    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(1, device=device)
    except Exception as error:
        raise Refused(f"--device {name} cannot be used: {str(error).splitlines()[0]}") from None
    return device


@contextmanager
def loading(key: str) -> Iterator[None]:
    say(f"loading the encoder {key}")
    logging.disable(logging.ERROR)  # the hub's client reports each retry twice; what matters ends up in the refusal
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
