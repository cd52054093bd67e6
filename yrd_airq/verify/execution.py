"""How far a control list was carried out: shares from inspections, or from electricity before and now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from yrd_airq.errors import Faults, InputError

_KEYS = ("enterprise_id", "date")
_POWER = ("kwh_before", "kwh_now")


@dataclass(frozen=True)
class Execution:
    """Share of what was asked that was done, 0 … 1.

    ``by_enterprise``: enterprise_id, share (mean over the reported days), days, basis (``inspection`` or
    ``electricity``). ``unknown``: listed enterprises without a report. ``weighted``: mean share of the
    reported ones, weighted by their expected benefit (equal weights where none is known).
    """

    by_enterprise: pd.DataFrame
    unknown: tuple[str, ...]
    weighted: float


def read_execution(path: Path) -> pd.DataFrame:
    """A CSV with enterprise_id, date and either share (0 … 1) or kwh_before and kwh_now.

    ``InputError`` lists every fault with its line.
    """
    try:
        table = pd.read_csv(path, dtype={"enterprise_id": str}, encoding="utf-8-sig")
    except (OSError, ValueError) as exc:
        raise InputError(f"{path}: the execution table cannot be read: {exc}") from exc
    faults = Faults(str(path))
    for name in [name for name in _KEYS if name not in table]:
        faults.add(f"column {name} is missing")
    if "share" not in table and not set(_POWER) <= set(table):
        faults.add("give a column share (0 … 1), or the columns kwh_before and kwh_now")
    faults.raise_if_any()
    table["date"] = pd.to_datetime(table["date"], format="%Y-%m-%d", errors="coerce")
    for name in [name for name in ("share", *_POWER) if name in table]:
        table[name] = pd.to_numeric(table[name], errors="coerce")
    for row in np.flatnonzero(table["date"].isna()):
        faults.add(f"line {row + 2}: the date cannot be read; write it like 2016-09-04")
    share = table["share"] if "share" in table else pd.Series(np.nan, index=table.index)
    power = table[list(_POWER)].notna().all(axis=1) if set(_POWER) <= set(table) else share.notna() & False
    for row in np.flatnonzero(share.isna() & ~power):
        faults.add(f"line {row + 2}: neither a share nor both readings of the meter")
    for row in np.flatnonzero((share < 0) | (share > 1)):
        faults.add(f"line {row + 2}: the share {share.iloc[row]:g} is outside 0 … 1")
    if set(_POWER) <= set(table):
        for row in np.flatnonzero(power & ((table["kwh_before"] <= 0) | (table["kwh_now"] < 0))):
            faults.add(f"line {row + 2}: kwh_before has to be above 0 and kwh_now not below 0")
    faults.raise_if_any()
    return table


def measure_execution(table: pd.DataFrame, orders: pd.DataFrame) -> Execution:
    """What was done of the orders.

    ``orders``: enterprise_id, asked_cut (share of the emission that the measure saves, NaN unknown), benefit
    (any unit). A meter shows the share saved; it counts against what was asked, up to 1, and against a full
    stop where that is unknown. Reports on days or enterprises without an order are left out.
    """
    wanted = table.merge(orders, on="enterprise_id", how="inner", validate="many_to_one")
    if {"start", "end"} <= set(wanted):
        wanted = wanted[wanted["date"].between(wanted["start"], wanted["end"])]
    share = wanted["share"] if "share" in wanted else pd.Series(np.nan, index=wanted.index)
    basis = np.where(share.notna(), "inspection", "electricity")
    if set(_POWER) <= set(wanted):
        saved = (1 - wanted["kwh_now"] / wanted["kwh_before"]).clip(lower=0)
        asked = wanted["asked_cut"].where(wanted["asked_cut"] > 0, 1.0)
        share = share.fillna((saved / asked).clip(upper=1))
    done = wanted.assign(share=share, basis=basis)
    by_enterprise = done.groupby("enterprise_id", as_index=False).agg(
        share=("share", "mean"), days=("date", "nunique"), basis=("basis", "first")
    )
    unknown = tuple(sorted(set(orders["enterprise_id"]) - set(by_enterprise["enterprise_id"])))
    weight = by_enterprise["enterprise_id"].map(orders.set_index("enterprise_id")["benefit"]).fillna(0.0)
    weights = weight.to_numpy(dtype=float) if weight.sum() > 0 else np.ones(len(by_enterprise))
    mean = float(np.average(by_enterprise["share"], weights=weights)) if len(by_enterprise) else float("nan")
    return Execution(by_enterprise, unknown, mean)
