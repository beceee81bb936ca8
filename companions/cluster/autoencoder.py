"""Vectors of pictures without an encoder of anybody's: a small network learns to draw the pictures again from
64 numbers, and these are their vectors.

    matrix = vectors(features, Training(loss="mae"), "output/autoencoder.pt")

Convolutions halve the side four times, and double it again. A tenth of the pictures is held out; training
ends when these have not become better for some epochs, and the best network is used. A checkpoint is on the
disk after every epoch: the same call goes on from there, and once it has ended only uses it. All chance is
drawn from the seed and the number of the epoch, and one thread computes: killed or not, with however many
threads, the weights are the same on one machine.
"""
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from cache.files.whole_file import whole_file
from cache.progress import PATIENCE, progress_bar
from cache.refusal import Refused
from companions.cluster.methods.method import Features

MSE, MAE, PERCEPTUAL = LOSSES = ("mse", "mae", "perceptual")
SIDE, CHANNELS = 64, 3
NUMBERS = 64  # of a vector
WIDTHS = (CHANNELS, 16, 32, 64, 64)
DEEPEST = SIDE // 2 ** (len(WIDTHS) - 1)
BATCH = 32
HELD_OUT = 10  # one picture in so many
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Training:
    loss: str = MSE  # perceptual: mean |f(x) - f(y)| of the embedded encoder f
    epochs: int = 100
    patience: int = 8  # epochs without a better one
    seed: int = 0
    rate: float = 1e-3  # of Adam


class Epoch(NamedTuple):
    number: int
    loss: float  # of the pictures held out


def small_colours(picture: np.ndarray) -> bytes:
    """uint8 (height, width, 3) -> what the network sees of it: the features of the method."""
    return Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.LANCZOS).tobytes()


def vectors(features: Features, training: Training, checkpoint: str | os.PathLike) -> np.ndarray:
    """features: of small_colours(). -> float32 (n, NUMBERS). Raises Refused for an unknown loss."""
    if training.loss not in LOSSES:
        raise Refused(f"there is no loss {training.loss}; there are {', '.join(LOSSES)}")
    with _one_thread():
        network = _Trainer(features, training, checkpoint).trained()
        with torch.inference_mode():
            parts = [network.encode(_pictures(block)).numpy() for _, block in features.blocks()]
    return np.concatenate([np.empty((0, NUMBERS), np.float32), *parts])


class Network(nn.Module):
    """float (n, 3, SIDE, SIDE), 0 to 1 -> the same, drawn again."""

    def __init__(self) -> None:
        super().__init__()
        down = [layer for narrow, wide in zip(WIDTHS, WIDTHS[1:], strict=False)
                for layer in (nn.Conv2d(narrow, wide, 3, stride=2, padding=1), nn.ReLU())]
        up = [layer for wide, narrow in zip(WIDTHS[:0:-1], WIDTHS[-2::-1], strict=True)
              for layer in (nn.ReLU(), nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1))]
        inner = WIDTHS[-1] * DEEPEST ** 2
        self.encode = nn.Sequential(*down, nn.Flatten(), nn.Linear(inner, NUMBERS))
        self.decode = nn.Sequential(
            nn.Linear(NUMBERS, inner), nn.Unflatten(1, (WIDTHS[-1], DEEPEST, DEEPEST)), *up, nn.Sigmoid())

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.decode(self.encode(pictures))


class _Trainer:
    def __init__(self, features: Features, training: Training, checkpoint: str | os.PathLike):
        self._features, self._training, self._checkpoint = features, training, checkpoint
        self._key = _key(features, training)
        self._loss = _loss(training.loss)
        with torch.random.fork_rng([]):  # whoever called keeps the state of chance
            torch.manual_seed(training.seed)
            self._network = Network()
        self._adam = torch.optim.Adam(self._network.parameters(), training.rate)
        self._done: list[Epoch] = []
        self._best = self._weights()

    def trained(self) -> Network:
        self._go_on()
        with progress_bar(None, "epochs", "training", delay=PATIENCE) as bar:
            while not self._has_ended():
                self._epoch(len(self._done))
                self._save()
                bar.update()
        self._network.load_state_dict(self._best)
        return self._network.eval()

    def _has_ended(self) -> bool:
        if not self._done:
            return len(self._features) == 0
        best = min(self._done, key=lambda epoch: epoch.loss)
        return len(self._done) >= self._training.epochs or (
            len(self._done) - 1 - best.number >= self._training.patience)

    def _epoch(self, number: int) -> None:
        count = len(self._features)
        order = np.random.default_rng((self._training.seed, 0)).permutation(count)
        held_out, learnt = order[:max(1, count // HELD_OUT)], order[count // HELD_OUT:]
        learnt = np.random.default_rng((self._training.seed, 1, number)).permutation(learnt)
        for pictures in self._batches(learnt):
            self._adam.zero_grad()
            self._loss(self._network(pictures), pictures).backward()
            self._adam.step()
        with torch.inference_mode():
            losses = [len(pictures) * float(self._loss(self._network(pictures), pictures))
                      for pictures in self._batches(held_out)]
        epoch = Epoch(number, sum(losses) / len(held_out))
        if epoch.loss < min((done.loss for done in self._done), default=np.inf):
            self._best = self._weights()
        self._done.append(epoch)

    def _batches(self, numbers: np.ndarray) -> Iterator[torch.Tensor]:
        for start in range(0, len(numbers), BATCH):
            yield _pictures(self._features.of(numbers[start:start + BATCH].tolist()))

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: tensor.clone() for name, tensor in self._network.state_dict().items()}

    def _save(self) -> None:
        state = {
            "key": self._key, "done": [tuple(epoch) for epoch in self._done], "best": self._best,
            "network": self._network.state_dict(), "adam": self._adam.state_dict(),
        }
        with whole_file(self._checkpoint) as file:
            torch.save(state, file)

    def _go_on(self) -> None:
        """From the checkpoint, if it is of the same pictures and the same training."""
        state = _loaded(self._checkpoint)
        if state.get("key") == self._key:
            self._done = [Epoch(*epoch) for epoch in state["done"]]
            self._best = state["best"]
            self._network.load_state_dict(state["network"])
            self._adam.load_state_dict(state["adam"])


def _loaded(path: str | os.PathLike) -> dict[str, Any]:
    """Empty if there is none, or none that can be read: then it is made anew."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch raises whatever the bytes lead to
        return {}
    return state if isinstance(state, dict) else {}


def _key(features: Features, training: Training) -> str:
    digest = hashlib.blake2b(repr(asdict(training)).encode())
    for _, block in features.blocks():
        for feature in block:
            digest.update(feature)
    return digest.hexdigest()


def _pictures(features: list[bytes]) -> torch.Tensor:
    pixels = np.frombuffer(b"".join(features), np.uint8).reshape(-1, SIDE, SIDE, CHANNELS)
    return torch.from_numpy(pixels.transpose(0, 3, 1, 2).astype(np.float32) / 255)


def _loss(name: str) -> Loss:
    if name != PERCEPTUAL:
        return functional.mse_loss if name == MSE else functional.l1_loss
    from cache.encoders.embedded_encoder import EmbeddedEncoder

    encoder = EmbeddedEncoder().requires_grad_(False).eval()
    return lambda drawn, pictures: functional.l1_loss(encoder(2 * drawn - 1), encoder(2 * pictures - 1))


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
