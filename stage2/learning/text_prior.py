"""What the text of a tag says about a picture, before any example has been seen: a linear function of the
picture's raw vector.

CLIP's own formula (Radford et al. 2021), the softmax over two texts, that of the tag and the same one of
nothing in particular:

    logit = s (cos(x, "a photo of cats") - cos(x, "a photo of something"))

s being the scale that the model has learnt.

To be linear in x, it takes the average length of the dataset's vectors for |x|: CLIP's raw vectors of
pictures lie in a thin shell (Levi and Gilboa 2025, The Double-Ellipsoid Geometry of CLIP). One that is 10 %
longer than average gets a logit 10 % further from 0, but never one of another sign, because there is no
offset. An offset that gives the average picture a logit of 0 would say that about half of any dataset carries
the tag, rare or not; the order of a tag's pictures would be the same.

Nobody has told a text how many pictures carry its tag: its probabilities sort pictures, but they are not
calibrated.
"""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cache.refusal import Refused
from stage2.learning.logistic_regression import new_regression

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

PLACE, ANYTHING = "{tag}", "something"

# Texts -> their vectors (n, d), of length 1, and the scale s.
Encode = Callable[[Sequence[str]], tuple[np.ndarray, float]]


@dataclass(frozen=True)
class TextPrior:
    """sigmoid(vectors @ weights) is the probability that the text gives the tag."""

    weights: np.ndarray  # float64 (d,)

    def logits(self, vectors: np.ndarray) -> np.ndarray:
        """(n, d) -> (n,), in the precision of the vectors: a copy of them all in float64 would cost more than
        it is worth."""
        return vectors @ self.weights.astype(vectors.dtype)


def text_priors(
    prompt: str, tags: Sequence[str], vectors: np.ndarray, encode: Encode,
) -> dict[str, TextPrior]:
    """For every tag what the prompt with its name says. vectors: those of the dataset, (n, d), not
    normalised. Raises Refused for a prompt without a place for the tag, and for texts that are not of the
    vectors' encoder."""
    if PLACE not in prompt:
        raise Refused(f'--prompt "{prompt}" names no {PLACE}; for example --prompt "a photo of {PLACE}"')
    # Not str.format: it would read every other brace.
    texts, scale = encode([prompt.replace(PLACE, name) for name in (*tags, ANYTHING)])
    if texts.shape[1] != vectors.shape[1]:
        raise Refused(
            f"the vectors have {vectors.shape[1]} features, "
            f"but texts of their encoder have {texts.shape[1]}; run stage 1 again")
    *of_tags, neutral = texts.astype(np.float64)
    factor = scale / _average_length(vectors)
    return {tag: TextPrior(factor * (text - neutral)) for tag, text in zip(tags, of_tags, strict=True)}


def _average_length(vectors: np.ndarray) -> float:
    squares = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
    return float(np.sqrt(squares).mean()) or 1.0


def with_prior(
    prior: TextPrior, scaler: "StandardScaler", weights: np.ndarray | float, offset: float,
) -> tuple[np.ndarray, float]:
    """Weights and offset on standardised features that give their own logit plus the prior's of the raw
    vector."""
    return weights + prior.weights * scaler.scale_, offset + float(prior.weights @ scaler.mean_)


def zero_shot_estimator(prior: TextPrior, scaler: "StandardScaler") -> "Pipeline":
    """A tag without examples as a model like any other: predict_proba(vectors)[:, 0] is the prior's
    probability. The scaler of the run's other models changes nothing here; it makes this one of their
    kind."""
    from sklearn.pipeline import make_pipeline

    return make_pipeline(scaler, new_regression(*with_prior(prior, scaler, 0.0, 0.0)))
