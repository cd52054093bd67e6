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

    Trees give the difference to the anchor, dense members too, or if ``relative`` the logarithm of the ratio
    to it. ``weights`` of the kinds sum to 1; a kind that does not help on left-out days has none and is not
    kept. ``factors`` make up for the mean of a ratio being more than the exponential of its mean logarithm.
    """

    scaling: Scaling
    trees: tuple[lgb.Booster, ...]
    dense: Mapping[str, tuple[Dense, ...]]
    weights: Mapping[str, float]
    factors: Mapping[str, float]
    relative: bool

    def mean(self, x: NDArray[np.float32], anchor: Array, normal: Array) -> Array:
        """Forecast of each row of ``x`` (row, feature) with its ``anchor`` and ``normal``; at least 0."""
        parts = {NORMAL: normal} if NORMAL in self.weights else {}
        if self.trees:
            corrections = [np.asarray(m.predict(x, num_threads=1)) for m in self.trees]
            parts[TREES] = anchor + np.mean(corrections, axis=0)
        if self.dense:
            scaled = self.scaling.apply(x)
            for kind, members in self.dense.items():
                found = [member.predict(scaled) for member in members]
                parts[kind] = _forecast(found, anchor, self.relative)
        total = sum(self.weights[kind] * self.factors[kind] * part for kind, part in parts.items())
        return np.maximum(np.asarray(total), 0.0)


@dataclass(frozen=True)
class TrainingRows:
    """Rows with an observation: features ``x`` (row, feature), anchor, normal, observation.

    ``kept`` (fold, row) are the rows a fold's models learn from, ``left`` (fold, row) those they are held
    against. ``seasonal``: whether the normal is a curve fitted to these rows. ``relative``: whether the
    target departs from its anchor by ratios, rather than by differences as ozone does with the weather known.
    ``trust``: share of the blend in a forecast without a seasonal normal, the rest is the normal's.
    """

    names: tuple[str, ...]
    x: NDArray[np.float32]
    anchor: Array
    normal: Array
    observed: Array
    kept: NDArray[np.bool_]
    left: NDArray[np.bool_]
    seasonal: bool
    relative: bool
    trust: float = 1.0


def fit_blend(
    rows: TrainingRows, ahead: bool, settings: ForecastSettings, beside: Sequence[TrainingRows] = ()
) -> tuple[Blend, Array]:
    """The blend, and for every row its forecast by the models that have not seen its block.

    ``beside``: rows of the neighbouring leads, with the same features and folds. The networks learn from them
    too: how weather acts on the air differs little from one lead to the next, and networks gain from every
    row more. Trees would gain as well, but take three times as long.
    """
    columns = np.flatnonzero(np.array(rows.names) != CATEGORICAL)
    scaling = fit_scaling(rows.x, columns)
    scaled = scaling.apply(rows.x)
    departure = _departures(rows)
    more = [(scaling.apply(other.x), _departures(other), other.kept) for other in beside]
    epochs = settings.network.epochs_beside if beside else settings.network.epochs
    network = settings.network.model_copy(update={"epochs": epochs})
    held = {kind: np.full(len(rows.anchor), np.nan) for kind in (TREES, NETWORK, RIDGE)}
    if not rows.seasonal:
        # A seasonal curve was fitted to the left-out days too, so they cannot judge it; a running mean can.
        held[NORMAL] = rows.normal
    trees = _fit_trees(rows, ahead, settings)
    dense: dict[str, list[Dense]] = {NETWORK: [], RIDGE: []}
    for fold, (kept, left) in enumerate(zip(rows.kept, rows.left, strict=True)):
        ridge = fit_ridge(scaled[kept], departure[kept], settings.ridge_penalty)
        x = np.concatenate([scaled[kept], *(features[near[fold]] for features, _, near in more)])
        y = np.concatenate([departure[kept], *(values[near[fold]] for _, values, near in more)])
        networks = [
            fit_network(x, y, network, settings.seed + 100 * fold + k) for k in range(network.members)
        ]
        dense[NETWORK] += networks
        dense[RIDGE].append(ridge)
        at = np.flatnonzero(left)
        correction = np.asarray(trees[fold].predict(rows.x[at], num_threads=1), dtype=float)
        held[TREES][at] = rows.anchor[at] + correction
        for kind, members in ((NETWORK, networks), (RIDGE, [ridge])):
            found = [member.predict(scaled[at]) for member in members]
            held[kind][at] = _forecast(found, rows.anchor[at], rows.relative)
    weights, factors = _weigh(held, rows.observed, settings.least_weight)
    if not rows.seasonal:
        weights, factors = _lean(weights, factors, rows.trust)
    out = sum(weight * factors[kind] * held[kind] for kind, weight in weights.items())
    blend = Blend(
        scaling,
        tuple(trees) if TREES in weights else (),
        {kind: tuple(members) for kind, members in dense.items() if kind in weights},
        weights,
        factors,
        rows.relative,
    )
    return blend, np.maximum(np.asarray(out), 0.0)


def _departures(rows: TrainingRows) -> NDArray[np.float32]:
    """What the dense members learn: how the observation departs from the anchor."""
    if not rows.relative:
        return (rows.observed - rows.anchor).astype(np.float32)
    base = np.maximum(rows.anchor, LEAST_UGM3)
    return np.log(np.maximum(rows.observed, LEAST_UGM3) / base).astype(np.float32)


def _forecast(departures: Sequence[NDArray[np.float32]], anchor: Array, relative: bool) -> Array:
    """The forecast from the departures that the members of a kind expect."""
    mean = np.mean(departures, axis=0, dtype=np.float64)
    if not relative:
        return np.asarray(anchor + mean)
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


def _lean(
    weights: Mapping[str, float], factors: Mapping[str, float], trust: float
) -> tuple[dict[str, float], dict[str, float]]:
    """The weights drawn to the normal: a blend that has not seen a whole year has ``trust`` of them.

    Left-out blocks among the training days flatter it, since the days to come are in another season.
    """
    leaning = {kind: trust * weight for kind, weight in weights.items()}
    leaning[NORMAL] = leaning.get(NORMAL, 0.0) + 1 - trust
    return leaning, {NORMAL: 1.0, **factors}


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
