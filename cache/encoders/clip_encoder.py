"""Pictures -> vectors: any open_clip model with any of its weights or a local checkpoint, and the embedded
encoder.

torch is imported when the first picture has to be embedded. Naming an encoder costs no more than the digest
of a checkpoint, if it names one. Its key is known at once, but where no weights are named open_clip has to be
asked for those of most models, see default_weights().
"""
import threading
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cache.encoders.loaded import Loaded, embed
from cache.encoders.loading import EMBEDDED, ONE_LOAD, checkpoint_name, default_weights, device_named, loading
from cache.encoders.precision import lowest_precision
from cache.encoders.side_by_side import embed_side_by_side
from cache.pixels.crop_spec import CropSpec
from cache.refusal import Refused

if TYPE_CHECKING:
    import torch

FP32 = "fp32"
PRECISIONS = {"float32": FP32, "bfloat16": "bf16", "float16": "fp16"}
KEPT = 2  # encoders that stay loaded in a process: pictures are compared under one or two of them

_kept: dict[tuple[tuple[str, str, str | None], "torch.device"], Loaded] = {}  # the one used last comes last


class ClipEncoder:
    """An encoder by name.

    `pretrained` is one of open_clip's tags for the model, or the path of a checkpoint, which is known by a
    prefix of its sha256, never by its path; None for the weights that go with the model, see
    default_weights(). precision: None for the lowest that keeps the vectors, "fp32" for full. Of what
    the process has loaded it keeps the two used last, see forget_encoders().
    """

    def __init__(
        self, clip_model: str = "ViT-B-32", pretrained: str | None = None, device: str | None = None,
        precision: str | None = None,
    ):
        if clip_model == EMBEDDED[0] and pretrained not in (None, EMBEDDED[1]):
            raise Refused(f"{clip_model} has one set of weights: --pretrained {EMBEDDED[1]}")
        self.clip_model = clip_model
        if pretrained is not None:
            self.pretrained = checkpoint_name(pretrained)
        self._checkpoint_or_tag = pretrained
        self._device_name = device
        self._precision = precision
        self._lock = threading.Lock()
        self._outcome: Loaded | Refused | None = None

    @cached_property
    def pretrained(self) -> str:
        """The tag of the weights, or the prefix of a checkpoint's sha256. Looked up when it is first asked
        for where none was named: that may import open_clip, which takes seconds."""
        return default_weights(self.clip_model)

    @property
    def key(self) -> str:
        """What vectors of this encoder are stored under: model:weights."""
        return f"{self.clip_model}:{self.pretrained}"

    @property
    def embeddings_type(self) -> str:
        return "ImageNet" if (self.clip_model, self.pretrained) == EMBEDDED else "CLIP"

    @property
    def crop_spec(self) -> CropSpec:
        return self._loaded().crop_spec

    @property
    def precision(self) -> str:
        return PRECISIONS[str(self._loaded().dtype).removeprefix("torch.")]

    @property
    def device(self) -> str:
        return str(self._loaded().device)

    def encode(self, crops: np.ndarray) -> np.ndarray:
        """uint8 (n, size, size, 3) -> float32 (n, d), not normalised. Raises Refused if the weights cannot be
        had."""
        loaded = self._loaded()
        return embed_side_by_side(loaded, crops) if loaded.device.type == "cpu" else embed(loaded, crops)

    def _loaded(self) -> Loaded:
        with self._lock:  # decoder threads ask, too
            if self._outcome is None:
                self._outcome = self._load_or_refuse()
        if isinstance(self._outcome, Refused):
            raise self._outcome
        return self._outcome

    def _load_or_refuse(self) -> Loaded | Refused:
        """A refusal is remembered: a hub that cannot be reached is tried once, not by every decoder
        thread."""
        with ONE_LOAD:
            try:
                weights = self._checkpoint_or_tag or self.pretrained
                return _kept_or_loaded(self.key, weights, self._device_name, self._precision)
            except Refused as refusal:
                return refusal


def forget_encoders() -> None:
    """Let go of the weights that the process keeps loaded, for a program that lives on without them.

    Those of a ClipEncoder that has encoded stay until it is dropped, too. What a GPU's memory then has free,
    torch keeps for its next tensors; torch.cuda.empty_cache() hands it back to the system.
    """
    with ONE_LOAD:
        _kept.clear()


def _kept_or_loaded(key: str, weights: str, device_name: str | None, precision: str | None) -> Loaded:
    """`weights` is what `key` names behind the model: a tag of open_clip's or the path of a checkpoint.
    Refusals are not kept. The caller holds ONE_LOAD."""
    names = (key, weights, precision)
    loaded = None
    if _kept:  # Else torch may not be imported yet: that is for loading(), which says first what it is for.
        loaded = _kept.pop((names, device_named(device_name)), None)
    if loaded is None:
        loaded = _load(key, weights, device_name, precision)
    _kept[names, loaded.device] = loaded
    if len(_kept) > KEPT:
        del _kept[next(iter(_kept))]
    return loaded


def _load(key: str, weights: str, device_name: str | None, precision: str | None) -> Loaded:
    clip_model = key.rpartition(":")[0]
    with loading(key):
        loaded = _loader_of(clip_model)(clip_model, weights, device_named(device_name))
        return loaded if precision == FP32 else lowest_precision(loaded)


def _loader_of(clip_model: str) -> Callable[[str, str, "torch.device"], Loaded]:
    if clip_model == EMBEDDED[0]:
        from cache.encoders.embedded_encoder import load
    else:
        from cache.encoders.open_clip_encoder import load
    return load
