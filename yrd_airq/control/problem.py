"""The selection problem as arrays: what every possible order would bring, what it burdens, what is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.attribution.matrix import Attribution
from yrd_airq.control.eligibility import Eligibility, Status, judge_eligibility
from yrd_airq.control.requirements import days_between, require_reductions
from yrd_airq.control.settings import ControlSettings, Measure
from yrd_airq.errors import InputError
from yrd_airq.region import Region
from yrd_airq.settings import Event
from yrd_airq.vocab import Precursor, Target

CNY_PER_INDEX = 10_000
OZONE = (Target.O3_MDA8, Target.O3_MEAN)
_TOO_LITTLE = "各项适用措施的预计效益均低于门槛"


@dataclass(frozen=True)
class Problem:
    """A selection problem; a candidate is one measure at one enterprise for the whole control period.

    ``rows``: attributed receptor-day-targets (see ``require_reductions``), ``unforecast``: those with a
    goal and no forecast, which take no part. ``enterprises``: the list with
    status, sorted by id. Per candidate: ``enterprise`` and ``measure`` (indices), ``first_day``
    (index into ``days``), ``burden`` (index points for the period), ``cost_cny`` (NaN unknown),
    ``province`` (code). ``benefit`` (row, candidate): µg/m³ by which the target falls, negative
    where it rises. ``potential`` (row, enterprise): the same for a full stop that is in force,
    whether or not it may be asked. ``share`` (enterprise, precursor): mean share of the
    concentration at the event's receptors and days.
    """

    event: Event
    settings: ControlSettings
    days: tuple[date, ...]
    rows: pd.DataFrame
    unforecast: pd.DataFrame
    enterprises: pd.DataFrame
    emission_kgd: NDArray[np.float64]
    enterprise: NDArray[np.int64]
    measure: NDArray[np.int64]
    first_day: NDArray[np.int64]
    benefit: NDArray[np.float64]
    burden: NDArray[np.float64]
    cost_cny: NDArray[np.float64]
    province: NDArray[np.object_]
    potential: NDArray[np.float64]
    share: NDArray[np.float64]
    stability: NDArray[np.float64]

    @cached_property
    def goal_rows(self) -> NDArray[np.int64]:
        """Rows with a goal and a forecast."""
        return np.flatnonzero(self.rows["need"].notna().to_numpy())

    @cached_property
    def need(self) -> NDArray[np.float64]:
        """Signed need of the goal rows as a share of the goal; negative = room left."""
        rows = self.rows.iloc[self.goal_rows]
        return (rows["need"] / rows["goal"]).to_numpy(dtype=float)

    @cached_property
    def relief(self) -> NDArray[np.float64]:
        """Benefit in the goal rows as a share of the goal, shape (goal row, candidate)."""
        goal = self.rows["goal"].to_numpy(dtype=float)[self.goal_rows]
        return np.asarray(self.benefit[self.goal_rows] / goal[:, None])

    @cached_property
    def worth(self) -> NDArray[np.float64]:
        """Relief of each candidate, summed over the goals that are exceeded, over all if none is."""
        look = self.need > 0 if (self.need > 0).any() else self.need < np.inf
        return np.asarray(self.relief[look].sum(axis=0))

    @cached_property
    def merit(self) -> NDArray[np.float64]:
        """Relief per burden of each candidate, what a greedy ranking goes by."""
        return self.worth / self.burden

    def mean_benefit(self, targets: Sequence[Target]) -> NDArray[np.float64]:
        """Mean fall over receptors and days per candidate, µg/m³, of the first target that is modelled."""
        for target in targets:
            rows = (self.rows["target"] == str(target)).to_numpy()
            if rows.any():
                return np.asarray(self.benefit[rows].mean(axis=0))
        return np.full(len(self.burden), np.nan)

    def shortfall(self, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        """What stays above the goal in each goal row under the candidates ``chosen``, share of the goal."""
        return np.maximum(self.need - self.relief[:, chosen].sum(axis=1), 0.0)


def build_problem(
    event: Event,
    enterprises: pd.DataFrame,
    attribution: Attribution,
    forecasts: pd.DataFrame,
    issue_time: datetime,
    settings: ControlSettings,
    region: Region,
) -> Problem:
    """All orders that may be given for ``event``, with benefit and burden.

    An order counts from the first day that begins at least ``notice_h`` after ``issue_time``; the
    days before get no benefit. Raises ``InputError`` where attribution, list, event and forecasts do
    not fit together.
    """
    rows = require_reductions(event, forecasts, issue_time, settings, tuple(attribution.sensitivity))
    unforecast = rows[rows["goal"].notna() & rows["need"].isna()]
    rows = _drop_unattributed(event, rows, attribution)
    fit = judge_eligibility(event, enterprises, issue_time, settings)
    position = _match_enterprises(fit, attribution)
    response = _response(rows, attribution, position)
    days = days_between(event.control_start, event.end)
    enterprise, measure = np.nonzero(fit.allowed)
    first_day = fit.first_day[enterprise, measure]
    benefit = _benefit(rows, response, enterprise, measure, settings.measures)
    day_index = np.array([(day - event.control_start).days for day in rows["date"]], dtype=np.int64)
    benefit = np.where(day_index[:, None] >= first_day[None, :], benefit, 0.0)
    keep = _matters(rows, benefit, settings)
    table = fit.enterprises
    left_out = ~np.isin(np.arange(len(table)), enterprise[keep]) & (table["status"] == Status.NOT_SELECTED)
    table["why_zh"] = table["why_zh"].where(~left_out, _TOO_LITTLE)
    enterprise, measure, first_day = enterprise[keep], measure[keep], first_day[keep]
    burden, cost = _burden(fit, enterprise, measure, len(days) - first_day, settings)
    province = np.array([region.canonical_adcode(code) or "" for code in table["adcode"]], dtype=object)
    return Problem(
        event=event,
        settings=settings,
        days=days,
        rows=rows,
        unforecast=unforecast,
        enterprises=table,
        emission_kgd=fit.emission_kgd,
        enterprise=enterprise,
        measure=measure,
        first_day=first_day,
        benefit=benefit[:, keep],
        burden=burden,
        cost_cny=cost,
        province=np.array([str(code)[:2] for code in province], dtype=object)[enterprise],
        potential=response.sum(axis=2),
        share=_mean_share(rows, attribution, position),
        stability=np.append(attribution.stability, np.nan)[position],
    )


def effect_matrix(measures: Sequence[Measure], ozone: bool) -> NDArray[np.float64]:
    """Share of emission that counts as avoided, (measure, precursor), for ozone or for the other targets."""
    cuts = [m.ozone_cut if ozone and m.ozone_cut is not None else m.cut for m in measures]
    return np.array([[float(cut[p]) if p in cut else 0.0 for p in Precursor] for cut in cuts])


def _drop_unattributed(event: Event, rows: pd.DataFrame, attribution: Attribution) -> pd.DataFrame:
    there = rows["adcode"].isin(attribution.receptors) & rows["date"].isin(attribution.days)
    lacking = rows[~there & rows["need"].notna()]
    if len(lacking):
        row = lacking.iloc[0]
        raise InputError(
            f"event {event.code}: {len(lacking)} forecast(s) have no attribution, the first is receptor "
            f"{row['adcode']} on {row['date']}; attribute all receptors and days of the event"
        )
    return rows[there].reset_index(drop=True)


def _match_enterprises(fit: Eligibility, attribution: Attribution) -> NDArray[np.int64]:
    """Position of each enterprise in the attribution, −1 for those whose emissions are unknown."""
    ids = fit.enterprises["enterprise_id"]
    position = pd.Index(attribution.enterprise_id).get_indexer(pd.Index(ids)).astype(np.int64)
    askable = fit.allowed.any(axis=1) & (position < 0)
    if askable.any():
        raise InputError(
            f"attribution: {askable.sum()} enterprise(s) of the list are not attributed, the first is "
            f"{ids[askable].iloc[0]}; attribute the same version of the list"
        )
    return position


def _response(
    rows: pd.DataFrame, attribution: Attribution, position: NDArray[np.int64]
) -> NDArray[np.float64]:
    """µg/m³ by which each row falls when an enterprise stops, (row, enterprise, precursor); unknown = 0."""
    receptor = pd.Index(attribution.receptors).get_indexer(pd.Index(rows["adcode"]))
    day = pd.Index(attribution.days).get_indexer(pd.Index(rows["date"]))
    response = np.zeros((len(rows), len(position), len(Precursor)))
    for target, values in attribution.sensitivity.items():
        at = np.flatnonzero((rows["target"] == str(target)).to_numpy())
        response[at] = values[receptor[at], day[at]][:, position]
    response[:, position < 0] = 0.0
    return np.nan_to_num(response)


def _benefit(
    rows: pd.DataFrame,
    response: NDArray[np.float64],
    enterprise: NDArray[np.int64],
    measure: NDArray[np.int64],
    measures: Sequence[Measure],
) -> NDArray[np.float64]:
    ozone = rows["target"].isin([str(t) for t in OZONE]).to_numpy()
    benefit = np.zeros((len(rows), len(enterprise)))
    for at, effect in ((ozone, effect_matrix(measures, True)), (~ozone, effect_matrix(measures, False))):
        for p in range(len(Precursor)):
            benefit[at] += response[at][:, enterprise, p] * effect[measure, p]
    return benefit


def _matters(
    rows: pd.DataFrame, benefit: NDArray[np.float64], settings: ControlSettings
) -> NDArray[np.bool_]:
    """Whether a candidate lowers a goal by the least benefit: one that is exceeded, or any if none is."""
    goals = rows["need"].notna().to_numpy()
    exceeded = (rows["need"] > 0).to_numpy()
    look = exceeded if exceeded.any() else goals
    return np.asarray(benefit[look].max(axis=0, initial=-np.inf) >= float(settings.least_benefit_ugm3))


def _burden(
    fit: Eligibility,
    enterprise: NDArray[np.int64],
    measure: NDArray[np.int64],
    days: NDArray[np.int64],
    settings: ControlSettings,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Burden in index points and cost in CNY over the period.

    The enterprise's own daily cost of a full stop if it is given, else emission in t/d times the
    sector's index per tonne; times the measure's share of a full stop, times days.
    """
    table = fit.enterprises
    own = table["cost_cny_per_day"].astype(float).to_numpy()
    worth = pd.Series({s.code: float(s.index_per_tonne) for s in settings.sectors})
    proxy = worth.reindex(table["sector"]).to_numpy() * np.nansum(fit.emission_kgd, axis=1) / 1000
    full_stop = np.where(np.isnan(own), proxy, own / CNY_PER_INDEX)
    part = np.array([float(m.burden_share) for m in settings.measures])[measure]
    burden = np.maximum(full_stop[enterprise] * part, float(settings.least_burden_index)) * days
    return burden, own[enterprise] * part * days


def _mean_share(
    rows: pd.DataFrame, attribution: Attribution, position: NDArray[np.int64]
) -> NDArray[np.float64]:
    receptor = pd.Index(attribution.receptors).get_indexer(pd.Index(rows["adcode"].unique()))
    day = pd.Index(attribution.days).get_indexer(pd.Index(rows["date"].unique()))
    share = attribution.share[np.ix_(receptor, day)].mean(axis=(0, 1))[position]
    share[position < 0] = np.nan
    return np.asarray(share)
