"""Why a forecast is what it is: contributions of feature groups to each city-day, and a sentence of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import lightgbm as lgb
import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from yrd_airq.errors import InputError
from yrd_airq.settings import Settings, load

Array = NDArray[np.float64]

OTHER: Final = "other"


class GroupName(Settings):
    """Words for a group that raises (``up``) or lowers (``down``) the forecast."""

    up: str
    down: str


class ExplainSettings(Settings):
    """Shape of ``configs/explain.yaml``; ``groups`` by code, with one for what has no name (``other``)."""

    groups: dict[str, GroupName]
    smallest_ugm3: float = Field(gt=0)
    raising_or_lowering: int = Field(gt=0)
    offsetting: int = Field(ge=0)

    @model_validator(mode="after")
    def _named(self) -> ExplainSettings:
        if OTHER not in self.groups:
            raise ValueError(f"groups needs the words for {OTHER}")
        return self


def load_explain() -> ExplainSettings:
    """The settings of ``configs/explain.yaml``."""
    return load(ExplainSettings, "explain")


@dataclass(frozen=True)
class Explanation:
    """Contributions in the unit of the forecast.

    ``values`` (row, group) in the order of ``groups``; ``base`` (row,) is what the members give to a row of
    which nothing is known. Their sum is what the members add to the anchor.
    """

    groups: tuple[str, ...]
    values: Array
    base: Array


def explain(
    members: Sequence[lgb.Booster],
    x: ArrayLike,
    features: Sequence[str],
    group_of: Mapping[str, str],
    scales: Sequence[ArrayLike],
    threads: int = 1,
) -> Explanation:
    """Contributions of feature groups to Σ scale · member, by TreeSHAP (Lundberg et al. 2020).

    ``x`` (row, feature) with the columns ``features``; ``group_of`` gives each feature's group, those
    without one fall under ``other``. ``scales``: weight of each member, a number or one for each row (for
    members that forecast another quantity than the concentration, its slope there). ``InputError``
    without members or if one was trained on other features.
    """
    if not members:
        raise InputError("there are no trees to explain the forecast by")
    matrix = np.asarray(x)
    if matrix.ndim != 2 or matrix.shape[1] != len(features):
        raise InputError(f"{len(features)} features are named, the matrix has the shape {matrix.shape}")
    single = np.zeros((len(matrix), len(features) + 1))
    for member, scale in zip(members, scales, strict=True):
        if member.num_feature() != len(features):
            raise InputError(f"a member has {member.num_feature()} features, {len(features)} are named")
        own = np.asarray(member.predict(matrix, pred_contrib=True, num_threads=threads))
        single += own * np.asarray(scale, dtype=float).reshape(-1, 1)
    code = [group_of.get(name, OTHER) for name in features]
    groups = tuple(dict.fromkeys(code))
    belongs = np.array([[mine == group for group in groups] for mine in code], dtype=float)
    return Explanation(groups, single[:, :-1] @ belongs, single[:, -1])


def sentences(explanation: Explanation, settings: ExplainSettings) -> list[str]:
    """One sentence a row: what raises or lowers the forecast, and what offsets part of it."""
    names = [settings.groups.get(group, settings.groups[OTHER]) for group in explanation.groups]
    return [_sentence(row, names, settings) for row in explanation.values]


def _sentence(row: Array, names: Sequence[GroupName], settings: ExplainSettings) -> str:
    """``预计升高主要由于上风向本底偏高（+12微克/立方米）和气温条件（+8），降水条件（−5）部分抵消。``."""
    parts = _merge(row, names)
    total = sum(parts.values())
    up, down = _largest(parts, 1, settings), _largest(parts, -1, settings)
    if abs(total) < settings.smallest_ugm3:
        # Only where something of weight stands on either side is there something to tell.
        if not up or not down:
            return "预计与近期水平相当，无突出影响因素。"
        return f"预计变化不大，{_join(up[:1], unit=True)}与{_join(down[:1])}相互抵消。"
    driving, against = (up, down) if total > 0 else (down, up)
    word = "升高" if total > 0 else "降低"
    driving, against = driving[: settings.raising_or_lowering], against[: settings.offsetting]
    if not driving:
        return f"预计略有{word}，无突出影响因素。"
    tail = f"，{_join(against)}部分抵消" if against else ""
    return f"预计{word}主要由于{_join(driving, unit=True)}{tail}。"


def _merge(row: Array, names: Sequence[GroupName]) -> dict[tuple[str, str], float]:
    """Contributions by name; groups of the same name are added."""
    parts: dict[tuple[str, str], float] = {}
    for name, value in zip(names, row, strict=True):
        parts[name.up, name.down] = parts.get((name.up, name.down), 0.0) + float(value)
    return parts


def _largest(
    parts: Mapping[tuple[str, str], float], sign: int, settings: ExplainSettings
) -> list[tuple[str, float]]:
    """The parts of one sign worth naming, largest first, in words."""
    found = [
        (up if sign > 0 else down, value)
        for (up, down), value in parts.items()
        if sign * value >= settings.smallest_ugm3
    ]
    return sorted(found, key=lambda part: -abs(part[1]))


def _join(parts: Sequence[tuple[str, float]], unit: bool = False) -> str:
    """``甲（+12微克/立方米）、乙（+8）和丙（+3）``; the unit is written once, at the first."""
    texts = [
        f"{name}（{'+' if value > 0 else '−'}{abs(value):.0f}{'微克/立方米' if unit and not k else ''}）"
        for k, (name, value) in enumerate(parts)
    ]
    return texts[0] if len(texts) == 1 else f"{'、'.join(texts[:-1])}和{texts[-1]}"
