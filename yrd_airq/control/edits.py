"""A forecaster's edits of a control list: who stays with which measure, who goes, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

EDIT_COLUMNS = ("enterprise_id", "action", "measure_code", "reason", "made_by")
"""An edit as a row; ``measure_code`` is missing where any measure will do."""


class Action(StrEnum):
    """What is done to an enterprise of a list; ``WITHDRAW`` takes an earlier edit back."""

    KEEP = "keep"
    CHANGE = "change"
    DROP = "drop"
    WITHDRAW = "withdraw"

    @property
    def name_zh(self) -> str:
        """Name in files and briefs."""
        return _NAMES_ZH[self]


_NAMES_ZH = {Action.KEEP: "保留", Action.CHANGE: "改措施", Action.DROP: "剔除", Action.WITHDRAW: "撤销"}


@dataclass(frozen=True)
class Edits:
    """Edits in force for one plan.

    ``keep``: enterprise_id → measure_code that it must carry, None for any. ``drop``: enterprises that must
    carry none. ``reasons``: why, by enterprise_id. ``author``: who made them.
    """

    keep: Mapping[str, str | None]
    drop: frozenset[str]
    reasons: Mapping[str, str]
    author: str

    @classmethod
    def none(cls) -> Edits:
        """No edits."""
        return cls({}, frozenset(), {}, "")


def join_edits(standing: pd.DataFrame, now: pd.DataFrame, list_version: int) -> pd.DataFrame:
    """The edits in force from ``list_version`` on: the newest of each enterprise, without withdrawn ones.

    ``standing``: those of the version before, ``now``: those newly made; both in ``EDIT_COLUMNS``. An edit
    that says again what stands already is not new. Columns: ``EDIT_COLUMNS`` and ``since_version``, sorted by
    enterprise.
    """
    columns = [*EDIT_COLUMNS, "since_version"]
    newly = now[list(EDIT_COLUMNS)].assign(since_version=list_version)
    rows = [frame[columns] for frame in (standing, newly) if len(frame)]
    if not rows:
        return newly[columns]
    joined = pd.concat(rows, ignore_index=True)
    said = joined[["enterprise_id", "action", "measure_code", "reason"]]
    joined = joined[~said.duplicated(keep="first")].drop_duplicates("enterprise_id", keep="last")
    joined = joined[joined["action"] != Action.WITHDRAW]
    return joined.sort_values("enterprise_id", kind="stable").reset_index(drop=True)


def as_edits(rows: pd.DataFrame) -> Edits:
    """Rows in ``EDIT_COLUMNS`` as the plan takes them."""
    measure = rows["measure_code"].astype(object).where(rows["measure_code"].notna(), None)
    dropped = rows["action"] == Action.DROP
    kept = dict(zip(rows.loc[~dropped, "enterprise_id"], measure[~dropped], strict=True))
    return Edits(
        keep=kept,
        drop=frozenset(rows.loc[dropped, "enterprise_id"]),
        reasons=dict(zip(rows["enterprise_id"], rows["reason"], strict=True)),
        author="、".join(dict.fromkeys(rows["made_by"])),
    )
