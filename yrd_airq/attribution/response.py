"""From shares to µg/m³: how far a concentration falls, or ozone rises, when an enterprise stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.attribution.settings import AttributionSettings, MassSettings, OzoneSettings
from yrd_airq.attribution.shares import Shares
from yrd_airq.errors import InputError
from yrd_airq.region import Region
from yrd_airq.vocab import Precursor, Target

_VOC, _NOX = (tuple(Precursor).index(p) for p in (Precursor.VOC, Precursor.NOX))


@dataclass(frozen=True)
class Concentrations:
    """Concentrations of some targets, µg/m³, each an array (receptor, day) without blanks."""

    values: Mapping[Target, NDArray[np.float64]]

    @classmethod
    def of(cls, frame: pd.DataFrame, receptors: Sequence[str], days: Sequence[date]) -> Concentrations:
        """From rows adcode, date, target, value; ``InputError`` where a target lacks a receptor-day."""
        index: pd.MultiIndex = pd.MultiIndex.from_product([list(receptors), list(pd.to_datetime(list(days)))])
        values: dict[Target, NDArray[np.float64]] = {}
        for target, rows in frame.groupby(frame["target"].astype(str), sort=True):
            key = pd.MultiIndex.from_arrays([rows["adcode"], pd.to_datetime(rows["date"])])
            if key.has_duplicates:
                raise InputError(f"{target}: more than one concentration for {key[key.duplicated()][0][0]}")
            found = pd.Series(rows["value"].to_numpy(dtype=float), index=key).reindex(index)
            if found.notna().any():
                if found.isna().any():
                    code, day = found.index[found.isna()][0]
                    raise InputError(
                        f"{target}: no concentration for {code} on {day:%Y-%m-%d}; give all or none"
                    )
                values[Target(str(target))] = found.to_numpy().reshape(len(receptors), len(days))
        if not values:
            raise InputError("no concentration given for any receptor-day of the footprint")
        return cls(values)


def ozone_regime(
    receptors: Sequence[str], days: Sequence[date], region: Region, settings: OzoneSettings
) -> pd.DataFrame:
    """Regime of each receptor-day with its evidence: receptor, date, regime, regime_zh, evidence."""
    by_city = {code: entry for entry in settings.cities for code in entry.adcodes}
    rows = []
    for code in receptors:
        entry = by_city.get(region.city(code).adcode, settings.other_cities)
        for day in days:
            cold = day.month in settings.cold_months
            regime = "voc_limited" if cold else entry.regime
            evidence = settings.cold_evidence_zh if cold else entry.evidence_zh
            rows.append((code, pd.Timestamp(day), regime, settings.regimes[regime].name_zh, evidence))
    return pd.DataFrame(rows, columns=["receptor", "date", "regime", "regime_zh", "evidence"])


def respond(
    shares: Mapping[Target, Shares],
    observed: Concentrations,
    days: Sequence[date],
    ozone_slope: Mapping[Target, NDArray[np.float64]],
    settings: AttributionSettings,
) -> tuple[dict[Target, NDArray[np.float64]], NDArray[np.float64]]:
    """Fall of each target if a precursor vanished, µg/m³ (receptor, day, precursor), and ozone's cap factor.

    ``shares``: those that each target goes by; all listed enterprises together may claim no more than the
    cap (factor ≤ 1, (receptor, day), already in the response). ``ozone_slope``: see ``table_slope``. Targets
    without a rule are left out.
    """
    out: dict[Target, NDArray[np.float64]] = {}
    cold = np.array([day.month in settings.ozone.cold_months for day in days])
    cap = np.ones(next(iter(observed.values.values())).shape)
    for target, value in observed.values.items():
        if target in settings.mass:
            out[target] = _mass_response(value, cold, settings.mass[target])
        elif target in ozone_slope:
            raw = shares[target].listed * ozone_slope[target][:, :, None, :]
            factor = _cap(raw, value, settings.ozone.cap.value)
            cap = np.minimum(cap, factor)
            out[target] = ozone_slope[target] * factor[:, :, None]
    return out, cap


def table_slope(
    observed: Concentrations, regime: Sequence[str], settings: OzoneSettings
) -> dict[Target, NDArray[np.float64]]:
    """Fall of the ozone targets if a precursor vanished, by the table of regimes: (receptor, day, precursor).

    Linear and signed; ``regime`` runs over receptor-days.
    """
    return {
        target: _ozone_response(target, value, regime, settings)
        for target, value in observed.values.items()
        if target in settings.background_ugm3
    }


def above_background(value: NDArray[np.float64], background: float) -> NDArray[np.float64]:
    """Concentration above background, never below nought."""
    return np.asarray(np.maximum(value - background, 0.0))


def titrated(target: Target, value: NDArray[np.float64], settings: OzoneSettings) -> NDArray[np.float64]:
    """Ozone that NO has taken from air below the background, µg/m³: it comes back as NOx goes.

    By the conservation of odd oxygen (O3 + NO2): what NO turns into NO2 is not lost for good.
    """
    missing = np.maximum(settings.background_ugm3[target].value - value, 0.0)
    return np.asarray(settings.titration.value * missing)


def _mass_response(
    value: NDArray[np.float64], cold: NDArray[np.bool_], rule: MassSettings
) -> NDArray[np.float64]:
    """Concentration that goes with each precursor: (receptor, day, precursor); ``cold`` by day."""
    answer = np.array(
        [[rule.answer(precursor, season) for precursor in Precursor] for season in (False, True)]
    )
    return np.asarray(
        above_background(value, rule.background_ugm3.value)[..., None] * answer[cold.astype(int)]
    )


def _ozone_response(
    target: Target, value: NDArray[np.float64], regime: Sequence[str], settings: OzoneSettings
) -> NDArray[np.float64]:
    """Fall of ozone if a precursor vanished, linear and signed: (receptor, day, precursor)."""
    response = np.zeros((*value.shape, len(Precursor)))
    for name, rule in settings.regimes.items():
        here = (np.asarray(regime, dtype=object) == name).reshape(value.shape)
        response[here, _VOC] = rule.voc.value
        response[here, _NOX] = rule.nox.value
    response *= above_background(value, settings.background_ugm3[target].value)[..., None]
    response[..., _NOX] -= titrated(target, value, settings)
    return response


def _cap(sensitivity: NDArray[np.float64], value: NDArray[np.float64], cap: float) -> NDArray[np.float64]:
    """Factor ≤ 1 that keeps the sum of all gains within ``cap`` · concentration: (receptor, day)."""
    gain = np.maximum(sensitivity, 0).sum(axis=(2, 3))
    return np.asarray(np.where(gain > cap * value, cap * value / np.where(gain > 0, gain, 1), 1.0))
