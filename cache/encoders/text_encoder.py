"""Texts -> vectors, by the text tower that was trained beside the image tower of the pictures' vectors.

torch is imported when the first text has to be embedded.
"""
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cache.encoders.clip_encoder import EMBEDDED
from cache.encoders.loading import device_named, loading, named_by
from cache.refusal import Refused

if TYPE_CHECKING:
    import torch

TEXTS_AT_ONCE = 64
NEEDED = "--prompt and --tags need"


def text_vectors(key: str, checkpoint: str | None, texts: Sequence[str], device: str | None = None) -> tuple[np.ndarray, float]:
    """float32 (texts, d), each of length 1, and the scale that CLIP multiplies their cosines with pictures by. `key` is what the pictures'
    vectors are stored under, model:weights; `checkpoint` the file of weights that are known as sha256-..."""
    if key == ":".join(EMBEDDED):
        raise Refused(f"{EMBEDDED[0]} has no text encoder; {NEEDED} vectors of a CLIP model")
    clip_model, weights = named_by(key, checkpoint)
    with loading(key):
        model, tokens = _loaded(clip_model, weights, device)
    import torch

    with torch.inference_mode():
        parts = [model.encode_text(tokens(texts[start:start + TEXTS_AT_ONCE]), normalize=True)
                 for start in range(0, len(texts), TEXTS_AT_ONCE)]
        return torch.cat(parts).cpu().numpy(), float(model.logit_scale.exp())


def _loaded(clip_model: str, weights: str, device_name: str | None) -> tuple["torch.nn.Module", Callable[[Sequence[str]], "torch.Tensor"]]:
    """The model, and what makes its tokens of texts."""
    from cache.encoders import open_clip_encoder

    device = device_named(device_name)
    model = open_clip_encoder.whole_model(clip_model, weights, f"{NEEDED} them")
    tokenizer = _tokenizer(clip_model)
    return model.eval().to(device), lambda texts: tokenizer(list(texts)).to(device)


def _tokenizer(clip_model: str) -> Callable[[list[str]], "torch.Tensor"]:
    """open_clip brings the one of most models; the others' come from the hub, by way of a package that it does not require."""
    import open_clip

    try:
        return open_clip.get_tokenizer(clip_model)
    except ImportError:
        raise Refused(f"the texts of {clip_model} need one more package: pip install transformers") from None
    except Exception:
        raise Refused(f"cannot load the tokenizer of {clip_model}: it is not in the local cache, and the Hugging Face hub cannot be "
                      f"reached or does not have it; {NEEDED} it") from None
