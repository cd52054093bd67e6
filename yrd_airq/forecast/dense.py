"""Small dense models on standardised features: a network of a few units, and ridge regression, one layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPRegressor

from yrd_airq.forecast.settings import NetworkSettings

Array = NDArray[np.float32]

_WIDEST = np.float32(5.0)


@dataclass(frozen=True)
class Scaling:
    """Features brought to one scale: ``columns`` used, ``centre`` and ``width``; missing counts as 0."""

    columns: NDArray[np.int64]
    centre: Array
    width: Array

    def apply(self, x: Array) -> Array:
        """Rows (row, feature) standardised and held within ±5, without missing values."""
        scaled = (x[:, self.columns] - self.centre) / self.width
        return np.nan_to_num(np.clip(scaled, -_WIDEST, _WIDEST))


@dataclass(frozen=True)
class Dense:
    """Weights (input, output) and offsets of each layer, float32; units between layers are rectified."""

    layers: tuple[tuple[Array, Array], ...]

    def predict(self, x: Array) -> Array:
        """The output for standardised rows."""
        signal = x
        for k, (weights, offset) in enumerate(self.layers):
            signal = signal @ weights + offset
            if k < len(self.layers) - 1:
                signal = np.maximum(signal, np.float32(0))
        return np.asarray(signal[:, 0])


def fit_scaling(x: Array, columns: NDArray[np.int64]) -> Scaling:
    """Mean and standard deviation of the ``columns`` of ``x`` (row, feature) over what is there."""
    seen = np.isfinite(x[:, columns])
    count = np.maximum(seen.sum(axis=0), 1)
    values = np.where(seen, x[:, columns], 0.0).astype(np.float64)
    centre = values.sum(axis=0) / count
    spread = np.sqrt((np.where(seen, values - centre, 0.0) ** 2).sum(axis=0) / count)
    # A column that never changes carries nothing; it is left at 0.
    width = np.where(spread > 1e-6, spread, np.inf)
    return Scaling(columns, centre.astype(np.float32), width.astype(np.float32))


def fit_ridge(x: Array, y: Array, penalty: float) -> Dense:
    """Least squares with an offset; ``penalty`` is the weight of a squared coefficient per row."""
    offset = float(y.mean(dtype=np.float64))
    gram = (x.T @ x).astype(np.float64) + penalty * len(y) * np.eye(x.shape[1])
    right = (x.T @ (y - np.float32(offset))).astype(np.float64)
    weights = np.linalg.solve(gram, right)
    return Dense(((weights[:, None].astype(np.float32), np.array([offset], dtype=np.float32)),))


def fit_network(x: Array, y: Array, settings: NetworkSettings, seed: int) -> Dense:
    """A network of rectified units, stopped after ``epochs``, well before it knows the rows by heart."""
    spread = max(float(y.std()), 1e-6)
    model = MLPRegressor(
        hidden_layer_sizes=settings.hidden,
        alpha=settings.penalty,
        batch_size=min(settings.batch, len(y)),
        learning_rate_init=settings.learning_rate,
        max_iter=settings.epochs,
        n_iter_no_change=settings.epochs,
        random_state=seed,
    )
    model.fit(x, y / np.float32(spread))
    layers = [
        (np.asarray(weights, dtype=np.float32), np.asarray(offset, dtype=np.float32))
        for weights, offset in zip(model.coefs_, model.intercepts_, strict=True)
    ]
    layers[-1] = (layers[-1][0] * np.float32(spread), layers[-1][1] * np.float32(spread))
    return Dense(tuple(layers))
