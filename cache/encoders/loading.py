"""What the encoders of pictures and of texts share: which weights are meant, on which device, and how they
are loaded."""
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cache.progress import say
from cache.refusal import Refused

if TYPE_CHECKING:
    import torch

EMBEDDED = ("EfficientNet-Lite0-MS", "imagenet")
DIGEST_BLOCK = 1 << 20

ONE_LOAD = threading.RLock()  # two would want the memory of both, and may want the same weights


def default_weights(clip_model: str) -> str:
    """The weights that go with a model where none are named: its own of the embedded encoder; OpenAI's where
    open_clip has them for this model, else the first that it lists; "openai" for models that it does not
    know, to be refused later.

    Imports open_clip, and torch with it, for models other than the embedded one and ViT-B-32.
    """
    if clip_model == EMBEDDED[0]:
        return EMBEDDED[1]
    if clip_model == "ViT-B-32":
        return "openai"
    import open_clip

    tags = open_clip.list_pretrained_tags_by_model(clip_model)
    return tags[0] if tags and "openai" not in tags else "openai"


def checkpoint_name(pretrained: str) -> str:
    """open_clip's tag as it is; for the path of a checkpoint "sha256-" and the first 12 digits of its
    content's digest."""
    if not os.path.isfile(pretrained):
        if os.sep in pretrained:
            raise Refused(f"no such checkpoint: {pretrained}")
        return pretrained
    digest = hashlib.sha256()
    with open(pretrained, "rb") as file:
        while block := file.read(DIGEST_BLOCK):
            digest.update(block)
    return f"sha256-{digest.hexdigest()[:12]}"


def named_by(key: str, checkpoint: str | None) -> tuple[str, str]:
    """Model and weights of the vectors stored under `key`. `checkpoint` is the file of weights that are known
    as sha256-...; raises Refused if it holds others."""
    clip_model, _, pretrained = key.rpartition(":")
    if not checkpoint:
        return clip_model, pretrained
    name = checkpoint_name(checkpoint)
    if name != pretrained:
        raise Refused(f"--pretrained {checkpoint} is {name}, but the vectors are of {key}")
    return clip_model, checkpoint


def device_named(name: str | None) -> "torch.device":
    """The device, with its number where there may be several ("cuda" is cuda:0 unless the program has chosen
    another). None is for a GPU where there is one, else the CPU. Raises Refused for what cannot be used."""
    import torch

    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        return torch.empty(1, device=device).device
    except (RuntimeError, AssertionError, ImportError) as error:  # no such name, machine, build or backend
        raise Refused(f"--device {name} cannot be used: {str(error).splitlines()[0]}") from None


@contextmanager
def loading(key: str) -> Iterator[None]:
    """One load at a time, announced by a line on stderr; the random numbers that a model is made of before
    its weights arrive are not taken from the caller's."""
    with ONE_LOAD:
        say(f"loading the encoder {key}")
        import torch  # takes seconds, behind the line that says what they are for

        with torch.random.fork_rng(devices=[]):
            yield
