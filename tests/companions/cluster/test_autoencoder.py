"""The autoencoder learns, goes on where it was, and gives the same again."""
import numpy as np
import pytest
import torch
from PIL import Image

from cache.refusal import Refused
from companions.cluster import autoencoder
from companions.cluster.autoencoder import MAE, MSE, PERCEPTUAL, Training, small_colours, vectors
from tests.companions.cluster.held_features import HeldFeatures, drawn_picture

SHORT = Training(epochs=3)


@pytest.fixture(scope="module")
def features() -> HeldFeatures:
    return HeldFeatures([small_colours(drawn_picture(seed // 2, 50 + seed % 2, 70)) for seed in range(24)])


def epochs_in(checkpoint) -> list[tuple[int, float]]:
    return torch.load(checkpoint, weights_only=True)["done"]


@pytest.mark.parametrize(("loss", "epochs"), [(MSE, 6), (MAE, 6), (PERCEPTUAL, 3)])
def test_a_picture_held_out_that_is_like_the_others_is_drawn_better_after_some_epochs(
    features, tmp_path, loss, epochs,
):
    training = Training(loss, epochs=epochs, rate=0.005)
    matrix = vectors(HeldFeatures(features[:1] * 12), training, tmp_path / "a.pt")
    assert (matrix.dtype, matrix.shape) == (np.float32, (12, 64))
    losses = [loss_of_epoch for _, loss_of_epoch in epochs_in(tmp_path / "a.pt")]
    assert losses[-1] < losses[0]


def test_the_seed_decides_and_nothing_else(features, tmp_path):
    torch.manual_seed(1)
    first = vectors(features, SHORT, tmp_path / "a.pt")
    torch.manual_seed(2)
    threads = torch.get_num_threads()
    again = vectors(HeldFeatures(features, at_once=5), SHORT, tmp_path / "b.pt")
    np.testing.assert_allclose(again, first, rtol=1e-4, atol=1e-5)  # batches of another size
    assert epochs_in(tmp_path / "a.pt") == epochs_in(tmp_path / "b.pt")
    assert torch.get_num_threads() == threads
    assert not np.allclose(vectors(features, Training(epochs=3, seed=1), tmp_path / "c.pt"), first)


def test_a_run_that_was_cut_short_goes_on_as_if_it_had_not_been(features, tmp_path, monkeypatch):
    whole = vectors(features, SHORT, tmp_path / "whole.pt")
    save, saved = autoencoder._Trainer._save, []

    def save_twice(trainer) -> None:
        save(trainer)
        saved.append(1)
        if len(saved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(autoencoder._Trainer, "_save", save_twice)
    with pytest.raises(KeyboardInterrupt):
        vectors(features, SHORT, tmp_path / "cut.pt")
    assert vectors(features, SHORT, tmp_path / "cut.pt").tobytes() == whole.tobytes()
    assert len(saved) == 3
    assert epochs_in(tmp_path / "cut.pt") == epochs_in(tmp_path / "whole.pt")


def test_a_checkpoint_is_used_again_and_only_for_the_same_pictures_and_training(
    features, tmp_path, monkeypatch,
):
    path = tmp_path / "a.pt"
    first = vectors(features, SHORT, path)
    epochs = []
    learn = autoencoder._Trainer._epoch

    def epoch(trainer, number: int) -> None:
        epochs.append(number)
        learn(trainer, number)

    monkeypatch.setattr(autoencoder._Trainer, "_epoch", epoch)
    assert vectors(features, SHORT, path).tobytes() == first.tobytes()
    assert epochs == []
    vectors(features, Training(MAE, epochs=1), path)
    vectors(HeldFeatures(features[1:]), Training(MAE, epochs=1), path)
    assert epochs == [0, 0]
    path.write_bytes(b"no checkpoint")
    assert vectors(features, SHORT, path).tobytes() == first.tobytes()


def test_training_stops_when_it_gets_no_better(features, tmp_path):
    vectors(features, Training(epochs=50, patience=2, rate=0.0), tmp_path / "a.pt")
    assert len(epochs_in(tmp_path / "a.pt")) == 3  # the first was the best


def test_the_best_network_is_used_not_the_last(features, tmp_path):
    matrix = vectors(features, Training(epochs=8, patience=2, rate=0.1), tmp_path / "a.pt")  # too fast
    losses = [loss for _, loss in epochs_in(tmp_path / "a.pt")]
    assert min(losses) < losses[-1]
    network = autoencoder.Network()
    network.load_state_dict(torch.load(tmp_path / "a.pt", weights_only=True)["best"])
    with torch.inference_mode():
        wanted = network.encode(autoencoder._pictures(features)).numpy()
    np.testing.assert_allclose(matrix, wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("count", [0, 1])
def test_few_pictures_have_vectors_too(features, tmp_path, count):
    matrix = vectors(HeldFeatures(features[:count]), Training(epochs=1), tmp_path / "a.pt")
    assert matrix.shape == (count, 64)
    assert np.isfinite(matrix).all()


def test_an_unknown_loss_is_refused(features, tmp_path):
    with pytest.raises(Refused, match="there is no loss mes; there are mse, mae, perceptual"):
        vectors(features, Training("mes"), tmp_path / "a.pt")


def test_what_the_network_sees_is_the_picture_at_its_size():
    picture = drawn_picture(1)
    small = np.frombuffer(small_colours(picture), np.uint8).reshape(64, 64, 3)
    wanted = Image.fromarray(picture).resize((64, 64), Image.Resampling.LANCZOS)
    assert (small == np.asarray(wanted)).all()
