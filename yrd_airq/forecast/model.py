"""A trained forecast model and its card: what it was made from, how good it is, where its limits are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from numpy.typing import NDArray

from yrd_airq.forecast.blend import Blend
from yrd_airq.forecast.climatology import Climatology
from yrd_airq.forecast.components import Sky
from yrd_airq.forecast.exceedance import ExceedanceCall
from yrd_airq.forecast.intervals import Spread
from yrd_airq.settings import Settings
from yrd_airq.vocab import CityDaySource, Target

MODEL_NAME = "lightgbm"


class PointScores(Settings):
    """Scores of one model on the left-out blocks; µg/m³ except ``r``."""

    rmse: float | None
    mae: float | None
    bias: float | None
    r: float | None


class LeadCard(Settings):
    """How one lead did on the left-out blocks, with the simple forecasts on the same rows beside it.

    ``lightgbm`` is the blend that is built around it, ``members`` the weights of its kinds. ``coverage80``:
    share of observations within q10 … q90, with quantiles from the other blocks. ``calls``: from which
    probability on an exceedance is called, for each limit that the target has or had.
    """

    lead_day: int
    n: int
    lightgbm: PointScores
    persistence: PointScores
    climatology: PointScores
    skill_vs_persistence: float | None
    skill_vs_climatology: float | None
    coverage80: float | None
    members: dict[str, float] = {}
    calls: tuple[ExceedanceCall, ...] = ()


class Card(Settings):
    """The model card, kept beside the model files. It holds no clock time: same training, same bytes."""

    version: str
    target: Target
    source: CityDaySource
    train_first: date
    train_last: date
    issue_hour: int
    leads: tuple[int, ...]
    weather_ahead: bool
    weather_kinds: tuple[str, ...]
    weather_variables: tuple[str, ...]
    places_around: int
    features: tuple[str, ...]
    feature_version: int
    library: str
    climatology: str
    split: str
    scores: tuple[LeadCard, ...]
    settings: dict[str, Any]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class LeadModel:
    """The parts of one lead: weights of the anchor, the blend that corrects it, the spread around it.

    ``recent`` (city, day): left-out means of the last training days, up to its end; NaN is missing.
    """

    damping: NDArray[Any]
    blend: Blend
    spread: Spread
    recent: NDArray[Any]


@dataclass(frozen=True)
class Model:
    """Everything needed to forecast one target; ``parts`` by lead day."""

    card: Card
    climatology: Climatology
    sky: Sky
    parts: Mapping[int, LeadModel]
