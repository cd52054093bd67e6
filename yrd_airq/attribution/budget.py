"""The closing budget: every µg/m³ of a receptor-day goes to one part, and the parts add up to the whole.

For ozone the budget says where the precursors of the ozone above background came from. That is not what
a reduction brings: the response, which may be negative, is in the sensitivities and the surface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.attribution.grouping import Grouping
from yrd_airq.attribution.response import Concentrations, above_background
from yrd_airq.attribution.settings import AttributionSettings
from yrd_airq.transport.footprint import Footprint
from yrd_airq.vocab import Precursor, Target

COLUMNS = ("receptor", "date", "target", "part_zh", "kind", "contribution_ugm3", "share")
RANGE_COLUMNS = ("low_ugm3", "high_ugm3", "low_share", "high_share")
BACKGROUND_ZH = "背景"
REST_ZH = "不随所列前体物变化的其他组分"


@dataclass(frozen=True)
class GroupShares:
    """Shares of the groups of a ``Grouping``, (…, group, precursor).

    ``mean`` of the members with the leading axes receptor and day; ``members`` with member behind them.
    """

    mean: NDArray[np.float64]
    members: NDArray[np.float64]


def stack_groups(parts: Sequence[GroupShares]) -> GroupShares:
    """Groups of several receptors under a new first axis."""
    return GroupShares(np.stack([part.mean for part in parts]), np.stack([part.members for part in parts]))


def close_budget(
    shares: Mapping[Target, GroupShares],
    grouping: Grouping,
    observed: Concentrations,
    footprint: Footprint,
    settings: AttributionSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Budget of every receptor-day and target, see ``COLUMNS``; parts that give nothing are left out.

    ``shares``: those of the groups that each target goes by.

    The second table repeats the keys, row by row, with the lowest and highest contribution among the
    members of the ensemble, see ``RANGE_COLUMNS``; every member's own budget closes too. Kinds:
    ``enterprise_sector`` (listed enterprises by sector), ``city`` (unlisted emission: own city, rest of
    its province, other provinces), ``outside``, ``background``.
    """
    frames = [pd.DataFrame(columns=[*COLUMNS, *RANGE_COLUMNS])]
    for target, value in observed.values.items():
        rule = _rule(target, settings)
        if rule is None:
            continue
        mean = _share_out(value, shares[target].mean, *rule)
        members = _share_out(value[:, :, None], shares[target].members, *rule)
        frames.append(_tabulate(target, mean, members, value, grouping, footprint))
    table = pd.concat(frames[1:] or frames, ignore_index=True)
    keys = list(COLUMNS[:5])
    return table[list(COLUMNS)], table[[*keys, *RANGE_COLUMNS]]


def _rule(target: Target, settings: AttributionSettings) -> tuple[float, NDArray[np.float64]] | None:
    """Background and the part of the rest that goes by each precursor's shares."""
    if target in settings.mass:
        mass = settings.mass[target]
        return mass.background_ugm3.value, np.array([mass.fraction(precursor) for precursor in Precursor])
    if target in settings.ozone.background_ugm3:
        voc = settings.ozone.budget_voc_weight.value
        weight = {Precursor.VOC: voc, Precursor.NOX: 1 - voc}
        fraction = np.array([weight.get(precursor, 0.0) for precursor in Precursor])
        return settings.ozone.background_ugm3[target].value, fraction
    return None


def _share_out(
    value: NDArray[np.float64],
    share: NDArray[np.float64],
    background: float,
    fraction: NDArray[np.float64],
) -> NDArray[np.float64]:
    """µg/m³ of every group, then of what follows no precursor and of the background: (…, part)."""
    excess = np.broadcast_to(above_background(value, background), share.shape[:-2])[..., None]
    rest = ((1 - fraction.sum()) * excess).clip(min=0)
    below = np.broadcast_to(value[..., None], excess.shape) - excess
    return np.concatenate([excess * (share @ fraction), rest, below], axis=-1)


def _tabulate(
    target: Target,
    mean: NDArray[np.float64],
    members: NDArray[np.float64],
    value: NDArray[np.float64],
    grouping: Grouping,
    footprint: Footprint,
) -> pd.DataFrame:
    receptors, days, count = mean.shape
    names = [(*own, REST_ZH, BACKGROUND_ZH) for own in grouping.names]
    kinds = (*grouping.kinds, "background", "background")
    # Rounding may put the mean a trace outside the members it is the mean of.
    low, high = np.minimum(members.min(axis=2), mean), np.maximum(members.max(axis=2), mean)
    whole = np.where(value > 0, value, 1)[..., None]
    frame = pd.DataFrame(
        {
            "receptor": np.repeat(np.array(footprint.receptors, dtype=object), days * count),
            "date": np.tile(np.repeat(pd.DatetimeIndex(footprint.days), count), receptors),
            "target": target.value,
            "part_zh": np.concatenate([np.tile(np.array(own, dtype=object), days) for own in names]),
            "kind": np.tile(np.array(kinds, dtype=object), receptors * days),
            "contribution_ugm3": mean.ravel(),
            "share": (mean / whole).ravel(),
            "low_ugm3": low.ravel(),
            "high_ugm3": high.ravel(),
            "low_share": (low / whole).ravel(),
            "high_share": (high / whole).ravel(),
        }
    )
    return frame[frame["contribution_ugm3"] > 0].reset_index(drop=True)
