"""Whether an encoder may compute in fewer bits: where the hardware does so quickly, and the vectors survive
it."""
import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cache.encoders.loaded import Loaded, features

if TYPE_CHECKING:
    import torch

LOWEST_COSINE = 0.999  # what a vector in low precision must keep of its float32 original
PROBES = 4
CONTRAST = 64  # standard deviation of a probe's pixels


def lowest_precision(loaded: Loaded) -> Loaded:
    """bfloat16 or float16 where the hardware computes in it and the vectors survive it, else what was
    given."""
    import torch

    dtype = fast_dtype(loaded.device)
    if dtype == torch.float32:
        return loaded
    low = replace(loaded, tower=copy.deepcopy(loaded.tower).lower(dtype), dtype=dtype)
    pictures = probe_pictures(loaded.crop_spec.size)
    with torch.inference_mode():
        cosines = torch.nn.functional.cosine_similarity(features(loaded, pictures), features(low, pictures))
    return low if cosines.min() >= LOWEST_COSINE else loaded


def fast_dtype(device: "torch.device") -> "torch.dtype":
    import torch

    if device.type == "cuda":
        return torch.float16
    return torch.bfloat16 if device.type == "cpu" and computes_in_bfloat16() else torch.float32


def computes_in_bfloat16() -> bool:
    """Whether this CPU does; where it has to be emulated, it is slower than float32."""
    import torch

    # Older versions of torch cannot tell.
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def probe_pictures(size: int) -> "torch.Tensor":
    """Pictures of noise whose amplitudes fall with the frequency, as those of natural pictures do (Field
    1987): gradients or white noise would judge an encoder by pictures it never sees. uint8 (PROBES, size,
    size, 3)."""
    import torch

    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = 1  # the mean, which no frequency divides
    white_noise = np.random.default_rng(0).standard_normal((PROBES, 3, size, size))
    noise = np.fft.ifft2(np.fft.fft2(white_noise) / frequency).real
    noise *= CONTRAST / noise.std((2, 3), keepdims=True)
    pixels = np.clip(128 + noise, 0, 255).astype(np.uint8)
    return torch.from_numpy(pixels.transpose(0, 2, 3, 1).copy())
