"""What all leads of one training share: the panel cut to its end, the normal, the usable weather."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.anchor import apply_damping
from yrd_airq.forecast.climatology import Climatology, fit_climatology
from yrd_airq.forecast.components import Sky, fit_sky
from yrd_airq.forecast.features import Known, gather_known
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.settings import FeatureSettings
from yrd_airq.vocab import Target

Array = NDArray[np.float64]

MIN_WEATHER_SHARE = 0.9


@dataclass(frozen=True)
class Basis:
    """Shared by the leads of a training; ``ahead`` says whether the weather up to the target day is used."""

    panel: Panel
    target: Target
    weather: tuple[str, ...]
    ahead: bool
    climatology: Climatology
    sky: Sky
    known: Known


def prepare(panel: Panel, target: Target, ahead: bool, settings: FeatureSettings) -> Basis:
    """The basis of a training on the whole of ``panel``; ``InputError`` without the target or the weather."""
    if target not in panel.values:
        held = ", ".join(panel.values) or "nothing"
        raise InputError(f"the archive has no {target}; it holds {held}")
    names = tuple(
        name for name in sorted(panel.weather) if np.isfinite(panel.weather[name]).mean() >= MIN_WEATHER_SHARE
    )
    if ahead and not names:
        raise InputError(
            f"no weather covers {MIN_WEATHER_SHARE:.0%} of the training days {panel.first} … {panel.last}; "
            "ingest weather or forecast with weather none"
        )
    climatology = fit_climatology(panel.values[target], panel.dates)
    sky = fit_sky(panel, names, ahead, settings)
    known = gather_known(panel, target, climatology, names, sky)
    return Basis(panel, target, names, ahead, climatology, sky, known)


def anchored(basis: Basis, lead: int, damping: Array) -> tuple[Array, Array]:
    """Anchor and normal of the target day for every issue date of the panel, (city, date)."""
    normal = basis.climatology.normal(basis.panel.values[basis.target], basis.panel.dates, lead)
    known = basis.known
    return apply_damping(damping, known.anchor_terms, known.normal_last, normal), normal
