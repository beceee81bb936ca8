"""Pictures -> vectors: any open_clip model with any of its weights or a local checkpoint, and the embedded encoder.

torch is imported when the first picture has to be embedded; naming an encoder and asking for its key cost nothing.
"""
import copy
import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cache.decoder.crop_spec import CropSpec
from cache.encoders.loading import checkpoint_name, device_named, loading
from cache.refusal import Refused

if TYPE_CHECKING:
    import torch

EMBEDDED = ("EfficientNet-Lite0-MS", "imagenet")
FP32 = "fp32"
LOWEST_COSINE = 0.999  # what a vector in low precision must keep of its float32 original

_ONE_BATCH = threading.Lock()  # on the CPU; two would take the cores from each other, and the number of torch's threads is the process's


@dataclass(frozen=True)
class _Loaded:
    encode: "torch.nn.Module"  # normalised float32 (n, 3, size, size) -> (n, d); lower(dtype) turns it to low precision
    crop_spec: CropSpec
    scale: "torch.Tensor"  # uint8 * scale + shift is the model's normalisation
    shift: "torch.Tensor"
    device: "torch.device"
    dtype: "torch.dtype"
    part: int  # pictures a CPU core embeds at once


class ClipEncoder:
    """An encoder by name. `pretrained` is one of open_clip's tags for the model, or the path of a checkpoint, which is known by a
    prefix of its sha256, never by its path. precision: None for the lowest that keeps the vectors, "fp32" for full."""

    def __init__(self, clip_model: str = "ViT-B-32", pretrained: str = "openai", device: str | None = None, precision: str | None = None):
        if clip_model == EMBEDDED[0] and pretrained != EMBEDDED[1]:
            raise Refused(f"{clip_model} has one set of weights: --pretrained {EMBEDDED[1]}")
        self.clip_model, self.pretrained = clip_model, checkpoint_name(pretrained)
        self._weights, self._device_name, self._wanted_precision = pretrained, device, precision
        self._lock = threading.Lock()
        self._outcome: _Loaded | Refused | None = None

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
        return {"float32": FP32, "bfloat16": "bf16", "float16": "fp16"}[str(self._loaded().dtype).removeprefix("torch.")]

    @property
    def device(self) -> str:
        return str(self._loaded().device)

    def encode(self, crops: np.ndarray) -> np.ndarray:
        """uint8 (n, size, size, 3) -> float32 (n, d), not normalised."""
        loaded = self._loaded()
        return _side_by_side(loaded, crops) if loaded.device.type == "cpu" else _encode(loaded, crops)

    def _loaded(self) -> _Loaded:
        with self._lock:  # decoder threads ask, too
            if self._outcome is None:
                self._outcome = self._load_or_refuse()
        if isinstance(self._outcome, Refused):
            raise self._outcome
        return self._outcome

    def _load_or_refuse(self) -> "_Loaded | Refused":
        """A refusal is remembered: a hub that cannot be reached is tried once, not by every decoder thread."""
        with loading(self.key):
            try:
                return self._load()
            except Refused as refusal:
                return refusal

    def _load(self) -> _Loaded:
        import torch

        if (self.clip_model, self.pretrained) == EMBEDDED:
            from cache.encoders import embedded_encoder as family
        else:
            from cache.encoders import open_clip_encoder as family

        device = device_named(self._device_name)
        encode, crop_spec, mean, std = family.load(self.clip_model, self._weights)
        encode = encode.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
        std = torch.tensor(std, device=device).view(1, 3, 1, 1)
        scale, shift = 1 / (255 * std), -torch.tensor(mean, device=device).view(1, 3, 1, 1) / std
        loaded = _Loaded(encode, crop_spec, scale, shift, device, torch.float32, family.PART)
        return loaded if self._wanted_precision == FP32 else _lowest_precision(loaded)


def _lowest_precision(loaded: _Loaded) -> _Loaded:
    """bfloat16 or float16 where the hardware computes in it and the vectors survive it, else what was given."""
    import torch

    dtype = _fast_dtype(loaded.device)
    if dtype == torch.float32:
        return loaded
    low = replace(loaded, encode=copy.deepcopy(loaded.encode).lower(dtype), dtype=dtype)
    pictures = _probe_pictures(loaded.crop_spec.size)
    with torch.inference_mode():
        cosines = torch.nn.functional.cosine_similarity(_features(loaded, pictures), _features(low, pictures))
    return low if cosines.min() >= LOWEST_COSINE else loaded


def _fast_dtype(device: "torch.device") -> "torch.dtype":
    import torch

    if device.type == "cuda":
        return torch.float16
    return torch.bfloat16 if device.type == "cpu" and computes_in_bfloat16() else torch.float32


def computes_in_bfloat16() -> bool:
    """Whether this CPU does; where it has to be emulated, it is slower than float32."""
    import torch

    features = getattr(torch.cpu, "get_capabilities", dict)()  # older versions of torch cannot tell
    return bool(features.get("avx512_bf16") or features.get("amx_bf16"))


def _probe_pictures(size: int) -> "torch.Tensor":
    """Four pictures of noise whose amplitudes fall with the frequency, as those of natural pictures do (Field 1987): gradients or
    white noise would judge an encoder by pictures it never sees. uint8 (4, size, size, 3)."""
    import torch

    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(np.random.default_rng(0).standard_normal((4, 3, size, size))) / frequency
    noise = np.fft.ifft2(spectrum).real
    noise *= 64 / noise.std((2, 3), keepdims=True)
    return torch.from_numpy(np.clip(128 + noise, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1).copy())


@functools.cache
def _cores() -> int:
    """As many threads as torch would use. Asked once: while a batch is embedded, torch gives other threads another answer."""
    import torch

    return torch.get_num_threads()


def _side_by_side(loaded: _Loaded, crops: np.ndarray) -> np.ndarray:
    """Parts of the batch, each on a core of its own. Cores that share one layer wait for each other at its end, and wait long where
    decoders run beside them: 6 % of a whole run on two cores."""
    import torch

    with _ONE_BATCH:
        parts = np.array_split(crops, _part_count(len(crops), loaded.part, _cores()))
        streams = min(_cores(), len(parts))
        try:
            with ThreadPoolExecutor(streams, "encoder", torch.set_num_threads, (_cores() // streams,)) as threads:
                return np.concatenate(list(threads.map(lambda part: _encode(loaded, part), parts)))
        finally:
            torch.set_num_threads(_cores())  # torch hands the number that was set last to threads yet to come


def _part_count(pictures: int, part: int, cores: int) -> int:
    """Parts of at most `part` pictures; as many for each core, unless that would halve them."""
    count = max(1, -(-pictures // part))
    even = -(-count // cores) * cores
    return even if 2 * (pictures // even) >= part else count


def _encode(loaded: _Loaded, crops: np.ndarray) -> np.ndarray:
    import torch

    pictures = torch.from_numpy(crops)
    if loaded.device.type == "cuda":
        pictures = pictures.pin_memory()  # the GPU fetches it by itself, as bytes: a quarter of what floats would be
    with torch.inference_mode():
        return _features(loaded, pictures).cpu().numpy()


def _features(loaded: _Loaded, pictures: "torch.Tensor") -> "torch.Tensor":
    # NHWC bytes seen as NCHW are channels-last already: one copy to the device, one multiply-add, no per-picture work.
    batch = pictures.to(loaded.device, non_blocking=True).permute(0, 3, 1, 2)
    return loaded.encode(batch * loaded.scale + loaded.shift).float()
