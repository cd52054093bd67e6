"""What a control list does in the true world: measures as hourly cuts of what enterprises really emit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.drill.chance import uniform
from yrd_airq.drill.emission import COURSES, CUTS
from yrd_airq.errors import InputError
from yrd_airq.settings import Marked, Settings, load
from yrd_airq.vocab import Precursor

# Work that is moved away from the hours in which ozone forms (错时生产) rests from 08:00 to 18:00.
_REST = np.arange(8, 18)


class Measure(Settings, extra="ignore"):
    """The effect of a measure, as ``configs/control.yaml`` states it: see the control settings there."""

    code: str
    cut: dict[Precursor, Marked]
    ozone_cut: dict[Precursor, Marked] | None = None


class MeasureBook(Settings, extra="ignore"):
    """The measures of ``configs/control.yaml``; what else that file holds is not read here."""

    measures: tuple[Measure, ...]


def load_measures() -> MeasureBook:
    """The measures that the product knows, with their effects."""
    return load(MeasureBook, "control")


def carry_out(
    control_list: pd.DataFrame, enterprises: pd.DataFrame, book: MeasureBook, execution: float, seed: int
) -> pd.DataFrame:
    """Hourly reductions (enterprise_id, time, and ``CUTS``) that a control list brings about.

    ``control_list`` has the columns of ``control_list.csv``; rows without a measure are passed over, and
    so are enterprises that no longer exist. A measure's cut holds in all hours from its ``start`` to its
    ``end`` (dates, both included). Where a measure moves work out of the day, what rests from 08:00 to
    18:00 is made up for in the other hours, so that the day's emission falls by ``cut`` alone.

    ``execution`` (0–1) of the enterprises do what they are told, the same ones at every call: which, is
    drawn from ``seed``; those that do at 0.5 also do at 0.7. Raises ``InputError`` for an unknown measure
    or a date that cannot be read.
    """
    ordered = control_list[control_list["measure_code"].fillna("").astype(str) != ""]
    ordered = ordered[ordered["enterprise_id"].isin(enterprises["enterprise_id"])]
    willing = uniform(seed, [int("".join(filter(str.isdigit, i)) or 0) for i in ordered["enterprise_id"]])
    ordered = ordered[willing < execution]
    known = {measure.code: measure for measure in book.measures}
    unknown = sorted(set(ordered["measure_code"]) - set(known))
    if unknown:
        raise InputError(f"control list: unknown measures {', '.join(unknown)}; see configs/control.yaml")
    course_of = enterprises.set_index("enterprise_id")["course"]
    parts = [
        _expand(ordered[mine], hourly_cuts(known[code], course))
        for code in sorted(set(ordered["measure_code"]))
        for kind, course in COURSES.items()
        for mine in [(ordered["measure_code"] == code) & (ordered["enterprise_id"].map(course_of) == kind)]
        if mine.any()
    ]
    if not parts:
        return pd.DataFrame(columns=["enterprise_id", "time", *CUTS])
    return pd.concat(parts, ignore_index=True)


def hourly_cuts(measure: Measure, course: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut part of each hour of a day (24, CUTS) for an enterprise that works along ``course``."""
    cuts = np.zeros((24, len(CUTS)))
    for column, precursor in enumerate(Precursor):
        daily = float(measure.cut.get(precursor, 0.0))
        resting = float((measure.ozone_cut or {}).get(precursor, daily))
        rest = course[_REST].sum()
        cuts[:, column] = (daily * course.sum() - resting * rest) / (course.sum() - rest)
        cuts[_REST, column] = resting
    return cuts


def _expand(group: pd.DataFrame, by_hour: NDArray[np.float64]) -> pd.DataFrame:
    """Rows for every hour from each row's start to its end."""
    try:
        first = pd.to_datetime(group["start"].astype(str), format="ISO8601").dt.normalize()
        last = pd.to_datetime(group["end"].astype(str), format="ISO8601").dt.normalize()
    except (ValueError, TypeError) as exc:
        raise InputError(f"control list: a start or end is not a date such as 2026-08-20: {exc}") from exc
    days = ((last - first) / pd.Timedelta(days=1)).astype(int).to_numpy() + 1
    if (days < 1).any():
        worst = group["enterprise_id"].to_numpy()[days < 1][0]
        raise InputError(f"control list: the measure of {worst} ends before it starts")
    hours = np.concatenate([np.arange(count * 24) for count in days])
    row = np.repeat(np.arange(len(group)), days * 24)
    start = first.to_numpy()[row]
    return pd.DataFrame(
        {
            "enterprise_id": group["enterprise_id"].to_numpy()[row],
            "time": start + pd.to_timedelta(hours + 1, unit="h").to_numpy(),
        }
    ).assign(**{name: by_hour[hours % 24, k] for k, name in enumerate(CUTS)})
