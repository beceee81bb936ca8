"""An encoder whose weights are there: what it consists of, and how a batch of crops goes through it."""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from cache.pixels.crop_spec import CropSpec

if TYPE_CHECKING:
    import torch

Network = TypeVar("Network", bound="torch.nn.Module")


class Tower(Protocol):
    """The network of an encoder: normalised float32 (n, 3, size, size) -> (n, d)."""

    def __call__(self, pictures: "torch.Tensor") -> "torch.Tensor": ...

    def lower(self, dtype: "torch.dtype") -> "Tower":
        """Itself, turned to low precision where that does not cost the vectors."""
        ...


@dataclass(frozen=True)
class Loaded:
    tower: Tower
    crop_spec: CropSpec
    scale: "torch.Tensor"  # uint8 * scale + shift is the model's normalisation
    shift: "torch.Tensor"
    device: "torch.device"
    dtype: "torch.dtype"
    part: int  # pictures a CPU core embeds at once


def ready(network: Network, device: "torch.device") -> Network:
    """On its device, laid out for convolutions, and never to be trained."""
    import torch

    return network.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)


def in_float32(
    tower: Tower, *, crop_spec: CropSpec, mean: Sequence[float], std: Sequence[float],
    device: "torch.device", part: int,
) -> Loaded:
    """mean and std: of each colour, on the scale from 0 to 1, as the model's training had them."""
    import torch

    deviation = torch.tensor(std, device=device).view(1, 3, 1, 1)
    scale = 1 / (255 * deviation)
    shift = -torch.tensor(mean, device=device).view(1, 3, 1, 1) / deviation
    return Loaded(tower, crop_spec, scale, shift, device, torch.float32, part)


def embed(loaded: Loaded, crops: np.ndarray) -> np.ndarray:
    """uint8 (n, size, size, 3) -> float32 (n, d), as one batch."""
    import torch

    pictures = torch.from_numpy(crops)
    if loaded.device.type == "cuda":
        # The GPU fetches it by itself, as bytes: a quarter of what floats would be.
        pictures = pictures.pin_memory()
    with torch.inference_mode():
        return features(loaded, pictures).cpu().numpy()


def features(loaded: Loaded, pictures: "torch.Tensor") -> "torch.Tensor":
    """uint8 (n, size, size, 3) -> float32 (n, d) on the encoder's device."""
    # NHWC bytes seen as NCHW are channels-last already: one copy to the device, one multiply-add, no work per
    # picture.
    batch = pictures.to(loaded.device, non_blocking=True).permute(0, 3, 1, 2)
    return loaded.tower(batch * loaded.scale + loaded.shift).float()
