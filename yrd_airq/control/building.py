"""How the selection problem is put together from list, attribution, forecasts, event and rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.attribution.matrix import Attribution
from yrd_airq.control.chance import Spread
from yrd_airq.control.edits import Edits
from yrd_airq.control.eligibility import Eligibility, Status, judge_eligibility
from yrd_airq.control.orders import Orders, list_orders
from yrd_airq.control.ozone import cut_surfaces
from yrd_airq.control.problem import Problem
from yrd_airq.control.relief import Air, relief
from yrd_airq.control.requirements import days_between, require_reductions
from yrd_airq.control.rules import Ground, make_rules
from yrd_airq.control.settings import ControlSettings
from yrd_airq.errors import Faults, InputError
from yrd_airq.region import Region
from yrd_airq.settings import Event

CNY_PER_INDEX = 10_000
_TOO_LITTLE = "各项适用措施的预计效益均低于门槛"
_DROPPED = "预报员指定不列入"
Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


def build_problem(
    event: Event,
    enterprises: pd.DataFrame,
    attribution: Attribution,
    forecasts: pd.DataFrame,
    issue_time: datetime,
    settings: ControlSettings,
    region: Region,
    *,
    edits: Edits | None = None,
    previous: pd.DataFrame | None = None,
    tiers: Mapping[str, str] | None = None,
) -> Problem:
    """All orders that may be given for ``event``, with benefit and burden.

    An order begins at least ``notice_h`` after ``issue_time``; the days before get no benefit from it.
    ``edits``: what a forecaster keeps or drops; ``previous``: the orders in force; ``tiers``: adcode →
    warning tier. Raises ``InputError`` where attribution, list, event and forecasts do not fit together,
    and where an edit asks for what the rules forbid.
    """
    tiers = {code: str(tier) for code, tier in (tiers or {}).items()}
    rows = require_reductions(event, forecasts, issue_time, settings, tuple(attribution.sensitivity))
    unforecast = rows[rows["goal"].notna() & rows["need"].isna()]
    rows = _drop_unattributed(event, rows, attribution)
    fit = judge_eligibility(event, enterprises, issue_time, settings, tiers)
    position = _match_enterprises(fit, attribution)
    days = days_between(event.control_start, event.end)
    air = Air.of(rows, attribution, position, days, settings.measures)
    orders = _permitted(fit, air, len(days), settings, tiers, region, edits)
    benefit = np.stack([relief(air, row, orders, air.sensitivity[row]) for row in range(len(rows))])
    keep = _matters(rows, benefit, settings) | _needed(fit, orders, tiers, region, edits)
    _say_why_not(fit.enterprises, orders.enterprise[keep], edits)
    orders, benefit = orders.take(keep), benefit[:, keep]
    burden, cost = _burden(fit, orders, settings)
    potential = air.sensitivity.sum(axis=2)
    ground = Ground(
        fit=fit,
        orders=orders,
        burden=burden,
        potential=potential[(rows["need"] > 0).to_numpy()].sum(axis=0),
        settings=settings,
        region=region,
        days=len(days),
        host=event.venue.adcode[:2],
        tiers=tiers,
    )
    return Problem(
        event=event,
        settings=settings,
        days=days,
        rows=rows,
        unforecast=unforecast,
        enterprises=fit.enterprises,
        emission_kgd=fit.emission_kgd,
        orders=orders,
        benefit=benefit,
        burden=burden,
        cost_cny=cost,
        province=ground.province[orders.enterprise],
        potential=potential,
        share=_mean_share(rows, attribution, position),
        stability=np.append(attribution.stability, np.nan)[position],
        air=air,
        spread=Spread.of(rows["q10"], rows["q50"], rows["q90"], event.goal_quantile),
        surfaces=cut_surfaces(air, orders),
        discount=_discount(fit.enterprises, orders, previous, event, settings),
        families=make_rules(ground),
        keep=_kept(fit.enterprises, orders, edits, settings),
    )


def at_quantile(problem: Problem, level: float) -> Problem:
    """The same problem with another goal quantile; goals without quantiles keep their need."""
    spread = dataclasses.replace(problem.spread, level=level)
    rows = problem.rows.copy()
    known = np.isfinite(spread.quantile)
    rows["forecast_q"] = np.where(known, spread.quantile, rows["forecast_q"])
    rows["need"] = rows["forecast_q"] - rows["goal"]
    event = problem.event.model_copy(update={"goal_quantile": level})
    return dataclasses.replace(problem, event=event, rows=rows, spread=spread)


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


def _match_enterprises(fit: Eligibility, attribution: Attribution) -> Ints:
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


def _permitted(
    fit: Eligibility,
    air: Air,
    days: int,
    settings: ControlSettings,
    tiers: Mapping[str, str],
    region: Region,
    edits: Edits | None,
) -> Orders:
    """The runs that may be ordered; under a tier's floor, and for those to keep, every day counts."""
    useful = air.useful(days) | _in_any_case(fit.enterprises, tiers, region, edits)[:, None]
    allowed = fit.allowed
    if edits is not None and edits.drop:
        allowed = allowed & ~fit.enterprises["enterprise_id"].isin(edits.drop).to_numpy()[:, None]
    return list_orders(
        allowed, fit.first_day, fit.min_days, useful, days, settings.measures, settings.until_end
    )


def _in_any_case(
    table: pd.DataFrame, tiers: Mapping[str, str], region: Region, edits: Edits | None
) -> NDArray[np.bool_]:
    """Enterprises whose orders count whatever they bring: cities under a tier, and those to keep."""
    codes = {region.canonical_adcode(code) for code in tiers}
    wanted = table["adcode"].map(region.canonical_adcode).isin(codes - {None})
    kept = table["enterprise_id"].isin(edits.keep if edits is not None else {})
    return np.asarray((wanted | kept).to_numpy())


def _needed(
    fit: Eligibility, orders: Orders, tiers: Mapping[str, str], region: Region, edits: Edits | None
) -> NDArray[np.bool_]:
    return _in_any_case(fit.enterprises, tiers, region, edits)[orders.enterprise]


def _matters(rows: pd.DataFrame, benefit: Reals, settings: ControlSettings) -> NDArray[np.bool_]:
    """Whether a candidate lowers a goal by the least benefit: one that is exceeded, or any if none is."""
    goals = rows["need"].notna().to_numpy()
    exceeded = (rows["need"] > 0).to_numpy()
    look = exceeded if exceeded.any() else goals
    return np.asarray(benefit[look].max(axis=0, initial=-np.inf) >= float(settings.least_benefit_ugm3))


def _say_why_not(table: pd.DataFrame, left: Ints, edits: Edits | None) -> None:
    """Why those who might be asked are not among the candidates."""
    out = ~np.isin(np.arange(len(table)), left) & (table["status"] == Status.NOT_SELECTED)
    dropped = table["enterprise_id"].isin(edits.drop if edits is not None else ())
    reasons = edits.reasons if edits is not None else {}
    said = table["enterprise_id"].map(
        lambda code: f"{_DROPPED}：{reasons[code]}" if reasons.get(code) else _DROPPED
    )
    table["why_zh"] = table["why_zh"].mask(out, _TOO_LITTLE).mask(out & dropped, said)


def _burden(fit: Eligibility, orders: Orders, settings: ControlSettings) -> tuple[Reals, Reals]:
    """Burden in index points and cost in CNY over the run.

    The enterprise's own daily cost of a full stop if it is given, else emission in t/d times the
    sector's index per tonne; times the measure's share of a full stop, times days.
    """
    table = fit.enterprises
    own = table["cost_cny_per_day"].astype(float).to_numpy()
    worth = pd.Series({s.code: float(s.index_per_tonne) for s in settings.sectors})
    proxy = worth.reindex(table["sector"]).to_numpy() * np.nansum(fit.emission_kgd, axis=1) / 1000
    full_stop = np.where(np.isnan(own), proxy, own / CNY_PER_INDEX)
    part = np.array([float(m.burden_share) for m in settings.measures])[orders.measure]
    least = float(settings.least_burden_index)
    burden = np.maximum(full_stop[orders.enterprise] * part, least) * orders.length
    return burden, own[orders.enterprise] * part * orders.length


def _discount(
    table: pd.DataFrame,
    orders: Orders,
    previous: pd.DataFrame | None,
    event: Event,
    settings: ControlSettings,
) -> Reals:
    """Part of each burden that the objective overlooks: the hysteresis on the days ordered already."""
    if previous is None or previous.empty:
        return np.zeros(len(orders.enterprise))
    ordered = previous[previous["measure_code"].fillna("").astype(str) != ""].drop_duplicates("enterprise_id")
    at = pd.Index(ordered["enterprise_id"]).get_indexer(pd.Index(table["enterprise_id"]))[orders.enterprise]
    codes = np.array([measure.code for measure in settings.measures], dtype=object)[orders.measure]
    same = (at >= 0) & (np.append(ordered["measure_code"].astype(str).to_numpy(), "")[at] == codes)
    first, last = (
        np.append(
            ((pd.to_datetime(ordered[edge].astype(str)) - pd.Timestamp(event.control_start)).dt.days), 0
        )[at]
        for edge in ("start", "end")
    )
    common = np.minimum(last, orders.last_day) - np.maximum(first, orders.first_day) + 1
    part = np.clip(common, 0, None) / orders.length
    return np.where(same, part * float(settings.rules.hysteresis), 0.0)


def _kept(
    table: pd.DataFrame, orders: Orders, edits: Edits | None, settings: ControlSettings
) -> tuple[Ints, ...]:
    """Orders that satisfy each edit of the kind 'keep'; ``InputError`` where none may be given."""
    if edits is None:
        return ()
    codes = np.array([measure.code for measure in settings.measures], dtype=object)
    index = pd.Index(table["enterprise_id"])
    faults, found = Faults("edits"), []
    for enterprise, code in sorted(edits.keep.items()):
        row = int(index.get_indexer([enterprise])[0])
        of_measure = (
            np.ones(len(orders.measure), dtype=bool) if code is None else codes[orders.measure] == code
        )
        fits = np.flatnonzero((orders.enterprise == row) & of_measure)
        if row < 0:
            faults.add(f"{enterprise} is not on the enterprise list")
        elif not len(fits):
            why = f"status {table['status'].iloc[row]}: {table['why_zh'].iloc[row] or 'no such measure'}"
            faults.add(f"{enterprise} may not be ordered {code or 'any measure'} ({why})")
        else:
            found.append(fits)
    faults.raise_if_any()
    return tuple(found)


def _mean_share(rows: pd.DataFrame, attribution: Attribution, position: Ints) -> Reals:
    receptor = pd.Index(attribution.receptors).get_indexer(pd.Index(rows["adcode"].unique()))
    day = pd.Index(attribution.days).get_indexer(pd.Index(rows["date"].unique()))
    share = attribution.share[np.ix_(receptor, day)].mean(axis=(0, 1))[position]
    share[position < 0] = np.nan
    return np.asarray(share)
