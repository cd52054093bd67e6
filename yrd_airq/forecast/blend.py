"""The blend of one lead: boosted trees, small networks, ridge and the normal, weighed on left-out days.

Every member is trained once for each fold of time blocks, without that fold; the forecast is the mean of
these. So each training day has a forecast by models that have not seen its block, and the members differ
in the weather situations they have learnt from, which steadies their mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from yrd_airq.forecast.dense import Dense, Scaling, fit_network, fit_ridge, fit_scaling
from yrd_airq.forecast.features import CATEGORICAL
from yrd_airq.forecast.settings import ForecastSettings

Array = NDArray[np.float64]

TREES: Final = "trees"
NETWORK: Final = "network"
RIDGE: Final = "ridge"
NORMAL: Final = "normal"
KINDS: Final = (TREES, NETWORK, RIDGE, NORMAL)
LEAST_UGM3 = 3.0
"""Below this level the ratio to the anchor says nothing of use."""
_HIGHEST_LOG_RATIO = 2.0


@dataclass(frozen=True)
class Blend:
    """Members of one lead by kind, each with a model a fold (networks: several).

    Trees give the difference to the anchor, dense members the logarithm of the ratio to it. ``weights`` of
    the kinds sum to 1; a kind that does not help on left-out days has none and is not kept. ``factors``
    make up for the mean of a ratio being more than the exponential of its mean logarithm.
    """

    scaling: Scaling
    trees: tuple[lgb.Booster, ...]
    dense: Mapping[str, tuple[Dense, ...]]
    weights: Mapping[str, float]
    factors: Mapping[str, float]

    def mean(self, x: NDArray[np.float32], anchor: Array, normal: Array) -> Array:
        """Forecast of each row of ``x`` (row, feature) with its ``anchor`` and ``normal``; at least 0."""
        parts = {NORMAL: normal} if NORMAL in self.weights else {}
        if self.trees:
            corrections = [np.asarray(m.predict(x, num_threads=1)) for m in self.trees]
            parts[TREES] = anchor + np.mean(corrections, axis=0)
        if self.dense:
            scaled = self.scaling.apply(x)
            for kind, members in self.dense.items():
                parts[kind] = _from_ratios([member.predict(scaled) for member in members], anchor)
        total = sum(self.weights[kind] * self.factors[kind] * part for kind, part in parts.items())
        return np.maximum(np.asarray(total), 0.0)


@dataclass(frozen=True)
class TrainingRows:
    """Rows with an observation: features ``x`` (row, feature), anchor, normal, observation.

    ``kept`` (fold, row) are the rows a fold's models learn from, ``left`` (fold, row) those they are held
    against. ``seasonal``: whether the normal is a curve fitted to these rows.
    """

    names: tuple[str, ...]
    x: NDArray[np.float32]
    anchor: Array
    normal: Array
    observed: Array
    kept: NDArray[np.bool_]
    left: NDArray[np.bool_]
    seasonal: bool


def fit_blend(rows: TrainingRows, ahead: bool, settings: ForecastSettings) -> tuple[Blend, Array]:
    """The blend, and for every row its forecast by the models that have not seen its block."""
    columns = np.flatnonzero(np.array(rows.names) != CATEGORICAL)
    scaling = fit_scaling(rows.x, columns)
    scaled = scaling.apply(rows.x)
    base = np.maximum(rows.anchor, LEAST_UGM3)
    ratio = np.log(np.maximum(rows.observed, LEAST_UGM3) / base).astype(np.float32)
    held = {kind: np.full(len(rows.anchor), np.nan) for kind in (TREES, NETWORK, RIDGE)}
    if not rows.seasonal:
        # A seasonal curve was fitted to the left-out days too, so they cannot judge it; a running mean can.
        held[NORMAL] = rows.normal
    trees = _fit_trees(rows, ahead, settings)
    dense: dict[str, list[Dense]] = {NETWORK: [], RIDGE: []}
    for fold, (kept, left) in enumerate(zip(rows.kept, rows.left, strict=True)):
        x, y = scaled[kept], ratio[kept]
        networks = [
            fit_network(x, y, settings.network, settings.seed + 100 * fold + k)
            for k in range(settings.network.members)
        ]
        ridge = fit_ridge(x, y, settings.ridge_penalty)
        dense[NETWORK] += networks
        dense[RIDGE].append(ridge)
        at = np.flatnonzero(left)
        correction = np.asarray(trees[fold].predict(rows.x[at], num_threads=1), dtype=float)
        held[TREES][at] = rows.anchor[at] + correction
        held[NETWORK][at] = _from_ratios(
            [network.predict(scaled[at]) for network in networks], rows.anchor[at]
        )
        held[RIDGE][at] = _from_ratios([ridge.predict(scaled[at])], rows.anchor[at])
    weights, factors = _weigh(held, rows.observed, settings.least_weight)
    out = sum(weight * factors[kind] * held[kind] for kind, weight in weights.items())
    blend = Blend(
        scaling,
        tuple(trees) if TREES in weights else (),
        {kind: tuple(members) for kind, members in dense.items() if kind in weights},
        weights,
        factors,
    )
    return blend, np.maximum(np.asarray(out), 0.0)


def _from_ratios(ratios: Sequence[NDArray[np.float32]], anchor: Array) -> Array:
    mean = np.mean(ratios, axis=0, dtype=np.float64)
    return np.asarray(
        np.maximum(anchor, LEAST_UGM3) * np.exp(np.clip(mean, -_HIGHEST_LOG_RATIO, _HIGHEST_LOG_RATIO))
    )


def _fit_trees(rows: TrainingRows, ahead: bool, settings: ForecastSettings) -> list[lgb.Booster]:
    parameters = settings.lightgbm(ahead)
    data = lgb.Dataset(
        rows.x,
        rows.observed - rows.anchor,
        feature_name=list(rows.names),
        categorical_feature=[CATEGORICAL] if CATEGORICAL in rows.names else [],
        params=parameters,
        free_raw_data=False,
    ).construct()
    rounds = settings.boost(ahead).rounds
    return [
        lgb.train(
            parameters | {"seed": settings.seed + fold}, data.subset(np.flatnonzero(kept).tolist()), rounds
        )
        for fold, kept in enumerate(rows.kept)
    ]


def _weigh(
    held: Mapping[str, Array], observed: Array, least: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Non-negative weights of least squared error on left-out rows, summing to 1, and factors by kind.

    Kinds of less than ``least`` are left out (stacking with non-negative weights, Breiman 1996).
    """
    ok = np.isfinite(np.stack(list(held.values()))).all(axis=0)
    truth = observed[ok]
    factors = dict.fromkeys(held, 1.0)
    factors |= {kind: float(truth.sum() / held[kind][ok].sum()) for kind in (NETWORK, RIDGE)}
    kinds = list(held)
    for _ in held:
        matrix = np.stack([factors[kind] * held[kind][ok] for kind in kinds], axis=1)
        found = nnls(matrix.T @ matrix, matrix.T @ truth)[0]
        share = found / found.sum() if found.sum() > 0 else np.full(len(kinds), 1 / len(kinds))
        if share.min() >= least:
            break
        kinds = [kind for kind, part in zip(kinds, share, strict=True) if part >= least]
    weights = dict(zip(kinds, map(float, share), strict=True))
    return weights, {kind: factors[kind] for kind in kinds}
