"""Texts -> vectors, by the text tower that was trained beside the image tower of the pictures' vectors.

torch is imported when the first text has to be embedded.
"""
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cache.encoders.causes import SINGULAR, cause_of
from cache.encoders.loading import EMBEDDED, device_named, loading, named_by
from cache.encoders.quiet import quiet
from cache.refusal import Refused

if TYPE_CHECKING:
    import open_clip
    import torch

TEXTS_AT_ONCE = 64

Tokenizer = Callable[[list[str]], "torch.Tensor"]


def text_vectors(
    key: str, checkpoint: str | None, texts: Sequence[str], device: str | None = None, *,
    asked_by: str = "texts",
) -> tuple[np.ndarray, float]:
    """float32 (texts, d), each of length 1, and the scale that CLIP multiplies their cosines with pictures
    by.

    `key` is what the pictures' vectors are stored under, model:weights; `checkpoint` the file of weights that
    are known as sha256-...; `asked_by` says, in a refusal, what needs these vectors. Raises Refused where
    there are none to be had.
    """
    if key == ":".join(EMBEDDED):
        raise Refused(f"{EMBEDDED[0]} has no text encoder; {asked_by} need vectors of a CLIP model")
    clip_model, weights = named_by(key, checkpoint)
    with loading(key):
        model, tokens = _loaded(clip_model, weights, device, asked_by)
    import torch

    with torch.inference_mode():
        starts = range(0, len(texts), TEXTS_AT_ONCE)
        batches = (tokens(list(texts[start:start + TEXTS_AT_ONCE])) for start in starts)
        vectors = torch.cat([model.encode_text(batch, normalize=True) for batch in batches])
        return vectors.cpu().numpy(), float(model.logit_scale.exp())


def _loaded(
    clip_model: str, weights: str, device_name: str | None, asked_by: str,
) -> tuple["open_clip.CLIP", Tokenizer]:
    """The model, and what makes its tokens of texts."""
    from cache.encoders import open_clip_encoder

    device = device_named(device_name)
    model = open_clip_encoder.whole_model(clip_model, weights, f"{asked_by} need them")
    tokenizer = _tokenizer(clip_model, asked_by)
    return model.eval().to(device), lambda texts: tokenizer(texts).to(device)


def _tokenizer(clip_model: str, asked_by: str) -> Tokenizer:
    """open_clip brings the one of most models; the others' come from the hub, by way of a package that it
    does not require."""
    import open_clip

    try:
        with quiet():
            return open_clip.get_tokenizer(clip_model)
    except ImportError as error:
        package = error.name or "transformers"
        raise Refused(f"the texts of {clip_model} need one more package: pip install {package}") from None
    except Exception as error:
        cause = cause_of(error, SINGULAR)
        if cause is None:
            raise
        raise Refused(f"cannot load the tokenizer of {clip_model}: {cause}; {asked_by} need it") from None
