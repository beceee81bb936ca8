"""A tag without examples is scored as CLIP itself would score its text, by a model like any other."""
import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from cache.encoders.clip_encoder import ClipEncoder
from cache.encoders.text_encoder import text_vectors
from cache.models.score_forms import linear_row
from cache.models.tag_scores import sigmoid
from cache.pixels.crops import crop
from cache.pixels.seen import Seen
from cache.refusal import Refused
from stage2.learning.text_prior import TextPrior, text_priors, with_prior, zero_shot_estimator
from tests.conftest import TINY
from tests.drawing import drawn

PROMPT, TAGS = "a photo of {tag}", ["cats", "dogs", "{tag}"]
RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def encoder(tiny_checkpoint) -> ClipEncoder:
    return ClipEncoder(TINY, tiny_checkpoint, "cpu", "fp32")


@pytest.fixture(scope="module")
def vectors(encoder) -> np.ndarray:
    pictures = (Seen(drawn(seed, "cats")) for seed in range(12))
    return encoder.encode(np.stack([crop(picture, encoder.crop_spec) for picture in pictures]))


@pytest.fixture
def encode(encoder, tiny_checkpoint):
    return lambda texts: text_vectors(encoder.key, tiny_checkpoint, texts)


@pytest.fixture(scope="module")
def scaler() -> StandardScaler:
    """Of other pictures: a zero-shot tag may be scored by models that were trained on anything."""
    return StandardScaler().fit(RANDOM.normal(2, 3, (40, 16)))


def clips_own_probabilities(checkpoint: str, vectors: np.ndarray, tag: str) -> np.ndarray:
    """The softmax over two texts."""
    import open_clip

    model = open_clip.create_model(TINY, checkpoint).eval()
    with torch.inference_mode():
        tokens = open_clip.get_tokenizer(TINY)([f"a photo of {tag}", "a photo of something"])
        texts = model.encode_text(tokens, normalize=True)
        logits = model.logit_scale.exp() * torch.nn.functional.normalize(torch.from_numpy(vectors)) @ texts.T
        return logits.softmax(1)[:, 0].numpy()


def same_length(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths * lengths.mean()


def refusal(prompt: str, vectors: np.ndarray, encode) -> str:
    with pytest.raises(Refused) as caught:
        text_priors(prompt, TAGS, vectors, encode)
    return str(caught.value)


@pytest.mark.parametrize("tag", TAGS)
def test_vectors_of_one_length_get_clips_own_probability(tag, vectors, encode, scaler, tiny_checkpoint):
    vectors = same_length(vectors)
    estimator = zero_shot_estimator(text_priors(PROMPT, TAGS, vectors, encode)[tag], scaler)
    theirs = clips_own_probabilities(tiny_checkpoint, vectors, tag)
    assert np.ptp(theirs) > 0.01
    assert np.abs(estimator.predict_proba(vectors)[:, 0] - theirs).max() < 1e-5


def test_a_longer_vector_is_surer_and_never_on_the_other_side(vectors, encode, tiny_checkpoint):
    lengths = RANDOM.uniform(0.5, 2, (len(vectors), 1)).astype(np.float32)
    ours = text_priors(PROMPT, TAGS, vectors, encode)["cats"].logits(vectors * lengths)
    theirs = clips_own_probabilities(tiny_checkpoint, vectors, "cats")
    assert (np.sign(ours) == np.sign(theirs - 0.5)).all()
    of_given_length = text_priors(PROMPT, TAGS, vectors, encode)["cats"].logits(vectors)
    assert of_given_length * lengths[:, 0] == pytest.approx(ours, rel=1e-5)


def test_it_is_a_model_like_any_other(scaler):
    prior = TextPrior(RANDOM.normal(size=16))
    vectors = RANDOM.normal(2, 3, (50, 16)).astype(np.float32)
    estimator = zero_shot_estimator(prior, scaler)
    assert np.abs(estimator.predict_proba(vectors)[:, 0] - sigmoid(vectors @ prior.weights)).max() < 1e-6
    weights, offset = linear_row(estimator)
    assert weights == pytest.approx(prior.weights)
    assert offset == pytest.approx(0, abs=1e-12)


def test_learnt_weights_are_added_to_what_the_text_says(scaler):
    prior, learnt = TextPrior(RANDOM.normal(size=16)), RANDOM.normal(size=16)
    vectors = RANDOM.normal(2, 3, (50, 16))
    features = scaler.transform(vectors)
    weights, offset = with_prior(prior, scaler, learnt, 0.5)
    assert features @ weights + offset == pytest.approx(features @ learnt + 0.5 + prior.logits(vectors))


def test_the_prompt_may_hold_any_other_brace_and_a_tag_is_put_in_as_it_is():
    asked = []

    def encode(texts):
        asked.extend(texts)
        return np.eye(len(texts), 4, dtype=np.float32), 100.0

    vectors = np.full((2, 4), 3, np.float32)
    priors = text_priors("{} {0} {tag} {tag}", ["cats", "{tag}", "{0}"], vectors, encode)
    assert asked == ["{} {0} cats cats", "{} {0} {tag} {tag}", "{} {0} {0} {0}", "{} {0} something something"]
    assert {tag: prior.weights.tolist() for tag, prior in priors.items()} == {
        "cats": [100 / 6, 0, 0, -100 / 6],
        "{tag}": [0, 100 / 6, 0, -100 / 6],
        "{0}": [0, 0, 100 / 6, -100 / 6]}


def test_a_dataset_whose_vectors_are_all_zero_says_nothing():
    def encode(texts):
        return np.eye(2, dtype=np.float32), 1.0

    vectors = np.zeros((3, 2), np.float32)
    assert text_priors(PROMPT, ["cats"], vectors, encode)["cats"].logits(vectors).tolist() == [0, 0, 0]


def test_a_prompt_without_a_place_for_the_tag_is_refused(vectors, encode):
    for prompt in ("a photo", "a {TAG}"):
        assert refusal(prompt, vectors, encode) == (
            f'--prompt "{prompt}" names no {{tag}}; for example --prompt "a photo of {{tag}}"')


def test_vectors_that_are_not_of_the_encoder_they_name_are_refused(vectors, encode):
    assert refusal(PROMPT, vectors[:, :3], encode) == (
        "the vectors have 3 features, but texts of their encoder have 16; run stage 1 again")
