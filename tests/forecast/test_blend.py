from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.forecast import factory
from yrd_airq.forecast.blend import LEAST_UGM3, NORMAL, TREES, TrainingRows, fit_blend
from yrd_airq.forecast.dense import Dense, fit_network, fit_ridge, fit_scaling
from yrd_airq.forecast.settings import NetworkSettings
from yrd_airq.forecast.state import read_arrays, write_arrays

NETWORK = NetworkSettings(
    members=1, hidden=(16,), penalty=0.01, epochs=40, epochs_beside=40, batch=64, learning_rate=0.01
)
SETTINGS = factory.quick_settings(least_weight=0.0)


def rows(seed: int = 0, *, seasonal: bool = True) -> TrainingRows:
    """600 rows in two folds whose ratio to the anchor follows the first of three features."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (600, 3)).astype(np.float32)
    anchor = np.full(600, 40.0)
    observed = anchor * np.exp(0.4 * x[:, 0] + rng.normal(0, 0.05, 600))
    fold = np.arange(600) // 50 % 2
    left = fold == np.arange(2)[:, None]
    normal = observed + rng.normal(0, 0.1, 600)
    return TrainingRows(("a", "b", "c"), x, anchor, normal, observed, ~left, left, seasonal, True)


def test_the_blend_gives_weight_to_what_helps_on_left_out_rows_and_drops_the_rest() -> None:
    given = rows()
    blend, held = fit_blend(given, True, factory.quick_settings(least_weight=0.1))
    assert sum(blend.weights.values()) == pytest.approx(1.0)
    assert min(blend.weights.values()) >= 0.1
    assert blend.weights["ridge"] > 0.5  # the truth is a line in the logarithm of the ratio
    assert set(blend.dense) | ({TREES} if blend.trees else set()) == set(blend.weights)
    assert NORMAL not in blend.weights
    assert np.corrcoef(held, given.observed)[0, 1] > 0.95


def test_a_running_mean_normal_is_a_member_of_its_own() -> None:
    blend, _ = fit_blend(rows(seasonal=False), True, factory.quick_settings())
    assert blend.weights[NORMAL] > 0.8  # here the normal is almost the truth
    given = rows(seasonal=False)
    mean = blend.mean(given.x, given.anchor, given.normal)
    assert np.abs(mean - given.observed).mean() < 3


def test_a_young_blend_leans_on_the_running_mean() -> None:
    given = rows(seasonal=False)
    far = TrainingRows(**{**given.__dict__, "normal": np.full(600, 500.0)})
    young = TrainingRows(**{**far.__dict__, "trust": 0.75})
    blends = [fit_blend(each, True, factory.quick_settings())[0] for each in (far, young)]
    assert blends[0].weights[NORMAL] == 0
    assert blends[1].weights[NORMAL] == pytest.approx(0.25)
    assert sum(blends[1].weights.values()) == pytest.approx(1.0)
    full, leaning = (blend.mean(given.x, given.anchor, far.normal) for blend in blends)
    np.testing.assert_allclose(leaning, 0.75 * full + 0.25 * far.normal)


def test_networks_learn_from_neighbouring_leads_but_not_from_their_left_out_rows() -> None:
    given, near = rows(), rows(1)
    alone, with_near = (fit_blend(given, True, SETTINGS, beside)[0] for beside in ((), (near,)))
    moved = near.observed.copy()
    moved[near.left[0]] *= 5
    changed = TrainingRows(**{**near.__dict__, "observed": moved})
    with_changed, _ = fit_blend(given, True, SETTINGS, (changed,))
    networks = [blend.dense["network"] for blend in (alone, with_near, with_changed)]
    first, second = ([network.layers[0][0] for network in kind] for kind in networks[1:])
    assert not np.array_equal(networks[0][0].layers[0][0], first[0])
    np.testing.assert_array_equal(first[0], second[0])
    assert not np.array_equal(first[1], second[1])
    np.testing.assert_array_equal(
        alone.dense["ridge"][0].layers[0][0], with_near.dense["ridge"][0].layers[0][0]
    )


def test_left_out_forecasts_come_from_models_without_the_block() -> None:
    given = rows()
    moved = given.observed.copy()
    moved[given.left[0]] *= 5
    settings = factory.quick_settings(least_weight=0.0)
    changed = TrainingRows(**{**given.__dict__, "observed": moved})
    (first, _), (second, _) = (fit_blend(r, True, settings) for r in (given, changed))
    # The models of fold 0 have not seen its rows: they are the same models, whatever those rows say.
    for kind in set(first.dense) & set(second.dense):
        half = len(first.dense[kind]) // 2
        for a, b in zip(first.dense[kind][:half], second.dense[kind][:half], strict=True):
            for (w, c), (v, d) in zip(a.layers, b.layers, strict=True):
                np.testing.assert_array_equal(w, v)
                np.testing.assert_array_equal(c, d)


def test_the_same_rows_give_the_same_numbers() -> None:
    a, b = (fit_blend(rows(), True, factory.quick_settings())[1] for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_missing_features_and_a_vanishing_anchor_give_a_forecast_all_the_same() -> None:
    blend, _ = fit_blend(rows(), True, factory.quick_settings())
    x = np.full((2, 3), np.nan, dtype=np.float32)
    mean = blend.mean(x, np.array([0.0, 40.0]), np.array([0.0, 40.0]))
    assert np.isfinite(mean).all()
    assert 0 <= mean[0] <= 10 * LEAST_UGM3


def test_ridge_by_hand() -> None:
    x = np.array([[1.0], [-1.0]], dtype=np.float32)
    found = fit_ridge(x, np.array([3.0, 1.0], dtype=np.float32), 1.0)
    # offset 2; slope = Σ x (y − 2) / (Σ x² + penalty · n) = 2 / (2 + 2)
    np.testing.assert_allclose(found.predict(np.array([[2.0]], dtype=np.float32)), [3.0])


def test_a_network_is_rectified_between_its_layers() -> None:
    by_hand = Dense(
        (
            (np.array([[1.0, -1.0]], dtype=np.float32), np.zeros(2, dtype=np.float32)),
            (np.array([[2.0], [3.0]], dtype=np.float32), np.array([1.0], dtype=np.float32)),
        )
    )
    x = np.array([[4.0], [-4.0]], dtype=np.float32)
    assert by_hand.predict(x).tolist() == [9.0, 13.0]
    y = np.abs(np.linspace(-2, 2, 400)).astype(np.float32)
    bent = np.linspace(-2, 2, 400, dtype=np.float32)[:, None]
    fitted = fit_network(bent, y, NETWORK, 1)
    assert np.abs(fitted.predict(bent) - y).mean() < 0.2


def test_scaling_leaves_out_what_never_changes_and_counts_missing_as_usual() -> None:
    x = np.array([[1.0, 7.0], [3.0, 7.0], [np.nan, 7.0]], dtype=np.float32)
    scaling = fit_scaling(x, np.array([0, 1]))
    np.testing.assert_allclose(scaling.apply(x), [[-1, 0], [1, 0], [0, 0]])
    far = scaling.apply(np.array([[1e6, 8.0]], dtype=np.float32))
    np.testing.assert_allclose(far, [[5, 0]])


def test_arrays_are_written_with_the_same_bytes(tmp_path: Path) -> None:
    arrays = {"b/x": np.arange(3.0), "a": np.array(4), "c": np.zeros((2, 2), dtype=np.float32).T}
    for name in ("one.npz", "two.npz"):
        write_arrays(tmp_path / name, dict(reversed(arrays.items())) if name == "two.npz" else arrays)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    found = read_arrays(tmp_path / "one.npz")
    assert found["a"].shape == ()
    np.testing.assert_array_equal(found["b/x"], arrays["b/x"])
