"""Effect of an event's controls: observed over expected air, against placebo windows and cities left alone.

effect = mean(observed − expected) / mean(expected) over the control days. The expectation errs even where
nobody controls anything; how much over a window of this length is seen on placebo windows, stretches of other
days of the season treated as if they were the event. With observed = (1 + effect)(1 + error) · expected the
interval of the effect follows from the quantiles of the placebo windows' errors. Beside it stands the block
bootstrap of the event's own days, which knows nothing of the error of the model and is therefore too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.forecast.normalise import Expectation, NormaliseSettings
from yrd_airq.settings import Marked, Settings
from yrd_airq.vocab import Target

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

Verdict = Literal["lower", "higher", "unclear", "no_claim"]
_YEAR = 365.2425


class BlockBootstrap(Settings):
    """Blocks of days that are drawn."""

    block_days: int
    resamples: int
    seed: int


class Comparison(Settings):
    """Which cities outside the zones are compared with."""

    least_correlation: Marked
    cities: int


class AssessSettings(NormaliseSettings):
    """Shape of ``configs/assess.yaml``."""

    least_observed_share: Marked
    least_placebos: Marked
    season_days: int
    placebo_step_days: int
    coverage: Marked
    bootstrap: BlockBootstrap
    comparison: Comparison
    targets: tuple[Target, ...]
    carried_out: Marked


@dataclass(frozen=True)
class Effect:
    """Effect on one city and target.

    ``observed``, ``expected``: means over the ``days`` control days that are observed, µg/m³. ``effect`` with
    ``low`` … ``high`` by the ``placebos`` windows, whose own mean effect is ``placebo_mean``;
    ``sampling_low`` … ``sampling_high`` by the event's days alone. ``did``: effect over that of the cities
    ``compared_with``, with ``did_low`` … ``did_high``; NaN without any. ``last_year``: change against the
    same days of the year before, which mixes weather and controls. ``verdict`` no_claim: see ``why_not``.
    """

    adcode: str
    target: Target
    days: int
    observed: float
    expected: float
    placebos: int
    last_year: float
    effect: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    sampling_low: float = float("nan")
    sampling_high: float = float("nan")
    placebo_mean: float = float("nan")
    did: float = float("nan")
    did_low: float = float("nan")
    did_high: float = float("nan")
    compared_with: tuple[str, ...] = ()
    verdict: Verdict = "no_claim"
    why_not: str = ""


def assess_city(
    expectation: Expectation, adcode: str, control_days: Bools, outside: Bools, settings: AssessSettings
) -> Effect:
    """Effect on the city ``adcode`` over the days ``control_days`` (date); ``outside`` (city): left alone."""
    city = expectation.adcodes.index(adcode)
    observed, expected = expectation.observed[city], expectation.expected[city]
    event = control_days & np.isfinite(observed) & np.isfinite(expected)
    windows = placebo_windows(expectation, control_days, settings)
    own = _window_ratios(expectation, np.array([city]), windows, settings)[0]
    errors = own[np.isfinite(own)]
    length = int(control_days.sum())
    made = Effect(
        adcode=adcode,
        target=expectation.target,
        days=int(event.sum()),
        observed=_mean(observed[event]),
        expected=_mean(expected[event]),
        placebos=len(errors),
        last_year=_against_last_year(expectation, city, control_days),
        why_not=_why_not(int(event.sum()), length, len(errors), settings),
    )
    if made.why_not:
        return made
    ratio = float(observed[event].sum() / expected[event].sum())
    low, high = _interval(ratio, errors, settings)
    drawn = _resampled(observed[event], expected[event], settings.bootstrap)
    sampling = np.quantile(drawn - 1, _tails(settings))
    verdict: Verdict = "lower" if high < 0 else "higher" if low > 0 else "unclear"
    made = replace(
        made,
        effect=ratio - 1,
        low=low,
        high=high,
        sampling_low=float(sampling[0]),
        sampling_high=float(sampling[1]),
        placebo_mean=float(errors.mean() - 1),
        verdict=verdict,
    )
    return _beside_others(made, expectation, city, control_days, outside, (ratio, own, windows), settings)


def placebo_windows(expectation: Expectation, control_days: Bools, settings: AssessSettings) -> Bools:
    """Stretches as long as the event, (window, date), of days of its season that train the model."""
    length = int(control_days.sum())
    days = expectation.dates
    starts = np.arange(0, len(days) - length + 1, settings.placebo_step_days)
    free = np.concatenate([[0], np.cumsum(expectation.trained)])
    starts = starts[free[starts + length] - free[starts] == length]
    middle = float(np.flatnonzero(control_days).mean())
    apart = np.abs(starts + (length - 1) / 2 - middle) % _YEAR
    starts = starts[np.minimum(apart, _YEAR - apart) <= settings.season_days]
    place = np.arange(len(days))
    return np.asarray((place >= starts[:, None]) & (place < starts[:, None] + length))


def _window_ratios(
    expectation: Expectation, cities: NDArray[np.int64], windows: Bools, settings: AssessSettings
) -> Array:
    """Observed over expected (city, window); NaN where too few of a window's days are known."""
    observed, expected = expectation.observed[cities], expectation.expected[cities]
    known = np.isfinite(observed) & np.isfinite(expected)
    member = windows.T.astype(float)
    sums = [np.where(known, values, 0.0) @ member for values in (observed, expected)]
    share = known.astype(float) @ member / np.maximum(member.sum(axis=0), 1)
    enough = (share >= settings.least_observed_share.value) & (sums[1] > 0)
    return np.where(enough, sums[0] / np.where(enough, sums[1], 1.0), np.nan)


def _beside_others(
    made: Effect,
    expectation: Expectation,
    city: int,
    control_days: Bools,
    outside: Bools,
    own: tuple[float, Array, Bools],
    settings: AssessSettings,
) -> Effect:
    """The effect with the difference to similar cities outside the zones, where there are any."""
    ratio, ratios, windows = own
    others = similar_cities(expectation, city, outside, settings)
    if not others.size:
        return made
    event = _window_ratios(expectation, others, control_days[None], settings)[:, 0]
    others, event = others[np.isfinite(event)], event[np.isfinite(event)]
    if not others.size:
        return made
    with np.errstate(invalid="ignore"):
        errors = ratios / np.exp(np.log(_window_ratios(expectation, others, windows, settings)).mean(axis=0))
    errors = errors[np.isfinite(errors)]
    relative = float(ratio / np.exp(np.log(event).mean()))
    names = tuple(expectation.adcodes[k] for k in others)
    if len(errors) < settings.least_placebos.value:
        return replace(made, compared_with=names, did=relative - 1)
    low, high = _interval(relative, errors, settings)
    return replace(made, compared_with=names, did=relative - 1, did_low=low, did_high=high)


def similar_cities(
    expectation: Expectation, city: int, outside: Bools, settings: AssessSettings
) -> NDArray[np.int64]:
    """Cities outside the zones whose unexplained part goes with that of ``city``, the closest first."""
    residual = np.where(expectation.trained, expectation.log_residual, np.nan)
    found = []
    for other in np.flatnonzero(outside):
        both = np.isfinite(residual[city]) & np.isfinite(residual[other])
        if other != city and both.sum() >= settings.least_train_days.value:
            found.append((float(np.corrcoef(residual[city, both], residual[other, both])[0, 1]), int(other)))
    least = settings.comparison.least_correlation.value
    kept = sorted((pair for pair in found if pair[0] >= least), key=lambda pair: (-pair[0], pair[1]))
    return np.array([other for _, other in kept[: settings.comparison.cities]], dtype=np.int64)


def _interval(ratio: float, errors: Array, settings: AssessSettings) -> tuple[float, float]:
    """Bounds of the effect when the expectation errs as it did on the placebo windows."""
    low, high = np.quantile(ratio / errors - 1, _tails(settings))
    return float(low), float(high)


def _tails(settings: AssessSettings) -> tuple[float, float]:
    tail = (1 - settings.coverage.value) / 2
    return tail, 1 - tail


def _resampled(observed: Array, expected: Array, settings: BlockBootstrap) -> Array:
    """Observed over expected of resampled days: moving blocks on a circle (Politis and Romano 1992)."""
    days = len(observed)
    block = min(settings.block_days, days)
    rng = np.random.default_rng(settings.seed)
    start = rng.integers(0, days, size=(settings.resamples, -(-days // block)))
    drawn = ((start[:, :, None] + np.arange(block)) % days).reshape(settings.resamples, -1)[:, :days]
    return np.asarray(observed[drawn].sum(axis=1) / expected[drawn].sum(axis=1))


def _why_not(days: int, length: int, placebos: int, settings: AssessSettings) -> str:
    """Why no effect is stated, empty where one is."""
    if days < settings.least_observed_share.value * length:
        return f"管控期{length}天中仅{days}天有观测"
    if placebos < settings.least_placebos.value:
        return f"可作安慰剂检验的同季同长时段仅{placebos}个，不足{settings.least_placebos.value:.0f}个"
    return ""


def _against_last_year(expectation: Expectation, city: int, control_days: Bools) -> float:
    """Change of the mean against the same calendar days of the year before; NaN if they are not held."""
    days = expectation.dates[control_days]
    before = expectation.dates.get_indexer(pd.DatetimeIndex([day - pd.DateOffset(years=1) for day in days]))
    if (before < 0).any():
        return float("nan")
    now, then = expectation.observed[city, control_days], expectation.observed[city, before]
    return _mean(now) / _mean(then) - 1


def _mean(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
