"""The scoreboard: every table of scores of one verification, from forecasts with observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from yrd_airq.errors import InputError
from yrd_airq.forecast.baselines import PERSISTENCE, SIMPLE
from yrd_airq.forecast.exceedance import DEFAULT_THRESHOLD
from yrd_airq.verify.benchmarks import grade, quality_indicator
from yrd_airq.verify.cases import Cases, days_of, lay_out_cases, parts
from yrd_airq.verify.distributions import pit_histogram, reliability, score_probability, score_quantiles
from yrd_airq.verify.episodes import score_episodes
from yrd_airq.verify.events import count_events, exceeds, score_events
from yrd_airq.verify.official import judge_official
from yrd_airq.verify.points import score_points
from yrd_airq.verify.settings import VerifySettings
from yrd_airq.verify.significance import compare, intervals
from yrd_airq.vocab import Target, WeatherKind

ISSUED, UNCORRECTED = "issued", "uncorrected"
"""Method names of forecasts as issued, and of the same without the forecasters' corrections."""
LINE = ["target", "model", "lead_day"]
_FLAT = ["case"]


@dataclass(frozen=True)
class Sample:
    """What was verified for one target: ``n`` city-days at the first lead, and the span of the days."""

    target: Target
    models: tuple[str, ...]
    leads: tuple[int, ...]
    first: str
    last: str
    cities: int
    n: int
    left_out: tuple[str, ...]
    weather: tuple[str, ...]

    @property
    def perfect_prognosis(self) -> bool:
        """Whether analysed or observed weather of the target days was used."""
        return bool({WeatherKind.ANALYSIS.value, WeatherKind.OBSERVED.value} & set(self.weather))


@dataclass(frozen=True)
class Scoreboard:
    """Tables of one verification; all have the columns target, model and lead_day unless said otherwise.

    ``parts``: scores by ``part_kind`` (all, season, level, change, city) and ``part``, with the skill against
    persistence and, for cities, the quality indicator ``mqi``. ``intervals``: score, value, low, high.
    ``comparisons``: each model that is not a simple method against every other. ``exceedance``: by
    ``threshold`` (``limit`` or µg/m³) and ``call`` (mean, or probability). ``reliability``, ``pit``,
    ``episodes``: as their functions say. ``benchmarks``: grade of Emery et al., and the share of cities that
    fulfil the quality indicator. ``official``: without target; AQI of all targets together.
    """

    samples: tuple[Sample, ...]
    parts: pd.DataFrame
    intervals: pd.DataFrame
    comparisons: pd.DataFrame
    exceedance: pd.DataFrame
    reliability: pd.DataFrame
    pit: pd.DataFrame
    episodes: pd.DataFrame
    benchmarks: pd.DataFrame
    official: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "samples"}

    def best_simple(self, target: Target, lead: int) -> str | None:
        """The simple method with the smallest RMSE at a lead, None without any."""
        own = self.whole(target, lead)
        own = own[own["model"].isin(SIMPLE) & own["rmse"].notna()]
        return str(own.sort_values("rmse", kind="stable")["model"].iloc[0]) if len(own) else None

    def whole(self, target: Target, lead: int) -> pd.DataFrame:
        """Scores over all cases of a target and lead, one line a model."""
        table = self.parts
        chosen = (table["part_kind"] == "all") & (table["target"] == target.value)
        return table[chosen & (table["lead_day"] == lead)]

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values; what is undefined is None."""
        samples = [
            {name: value for name, value in vars(s).items()} | {"perfect_prognosis": s.perfect_prognosis}
            for s in self.samples
        ]
        return {"samples": samples} | {name: _records(table) for name, table in self.tables().items()}


def draw_up(rows: pd.DataFrame, settings: VerifySettings, models: Sequence[str] = ()) -> Scoreboard:
    """Verify forecast rows (columns of the forecast table and ``observed``) of any targets and models.

    Models of a target are scored on the city-days that all of them have; ``models`` limits them.
    ``InputError`` for unusable rows.
    """
    if rows.empty or "target" not in rows.columns:
        raise InputError("there are no forecasts to verify")
    targets = sorted({Target(name) for name in rows["target"].unique()}, key=list(Target).index)
    cases = {target: lay_out_cases(rows, target, settings, models) for target in targets}
    boards = [_one_target(own, settings) for own in cases.values()]
    names = [name for name in boards[0] if name != "official"]
    joined = {name: pd.concat([board[name] for board in boards], ignore_index=True) for name in names}
    return Scoreboard(
        samples=tuple(_describe(own, rows) for own in cases.values()),
        official=judge_official(cases),
        **joined,
    )


def _describe(cases: Cases, rows: pd.DataFrame) -> Sample:
    data = cases.data
    models = tuple(str(name) for name in data["model"].to_numpy())
    own = rows[(rows["target"].astype(str) == cases.target.value) & rows["model"].isin(models)]
    seen = data["observed"].notnull()
    days = days_of(data)[seen.any(["lead_day", "adcode"]).to_numpy()]
    kinds = set(own["weather_kind"].dropna()) if "weather_kind" in own else set()
    return Sample(
        target=cases.target,
        models=models,
        leads=tuple(int(lead) for lead in data["lead_day"].to_numpy()),
        first=f"{days[0]:%Y-%m-%d}",
        last=f"{days[-1]:%Y-%m-%d}",
        cities=int(seen.any(["lead_day", "valid_date"]).sum()),
        n=int(seen.isel(lead_day=0).sum()),
        left_out=cases.left_out,
        weather=tuple(sorted(kinds - {WeatherKind.NONE.value})),
    )


def _one_target(cases: Cases, settings: VerifySettings) -> dict[str, pd.DataFrame]:
    said, happened = _calls(cases)
    ours = [str(name) for name in cases.data["model"].to_numpy() if name not in SIMPLE]
    scored = _score_parts(cases, settings)
    tables = {
        "parts": scored,
        "intervals": intervals(cases, said, happened, settings.bootstrap),
        "comparisons": _concat([compare(cases, name, settings.bootstrap) for name in ours]),
        "exceedance": _score_exceedance(cases, settings),
        "reliability": pd.DataFrame(),
        "pit": pit_histogram(cases.data, cases.quantiles),
        "episodes": pd.DataFrame(),
        "benchmarks": _reach_benchmarks(scored, cases, settings),
    }
    if said is not None and happened is not None:
        mean, observed = cases.data["mean"], cases.data["observed"]
        tables["episodes"] = score_episodes(said, happened, mean, observed, settings.episode_days)
        if "p_exceed" in cases.data:
            tables["reliability"] = reliability(cases.data["p_exceed"], happened, settings.reliability)
    for table in tables.values():
        if "target" not in table.columns:
            table.insert(0, "target", cases.target.value)
    return tables


def _calls(cases: Cases) -> tuple[xr.DataArray | None, xr.DataArray | None]:
    """Exceedance of the limit as called by each forecast and as observed; None without a limit.

    A forecast's own call counts, else its probability from the default threshold on, else its mean.
    """
    if cases.limit is None:
        return None, None
    said = exceeds(cases.data["mean"], cases.limit)
    if "p_exceed" in cases.data:
        stated = cases.data["p_exceed"]
        said = (stated >= DEFAULT_THRESHOLD).where(stated.notnull()).fillna(said)
    if "exceed" in cases.data:
        said = cases.data["exceed"].fillna(said)
    return said, exceeds(cases.data["observed"], cases.limit)


def _score_parts(cases: Cases, settings: VerifySettings) -> pd.DataFrame:
    frames = [
        _score_part(data, cases, _FLAT).assign(part_kind=kind, part=name)
        for kind, name, data in parts(cases, settings)
    ]
    city = _score_part(cases.data, cases, ["valid_date"], quality=settings)
    frames.append(city.rename(columns={"adcode": "part"}).assign(part_kind="city"))
    table = pd.concat(frames, ignore_index=True)
    table = table[table["n"] > 0]
    key = ["part_kind", "part", "lead_day"]
    reference = table[table["model"] == PERSISTENCE].set_index(key)["rmse"]
    beside = reference.reindex(pd.MultiIndex.from_frame(table[key])).to_numpy()
    table = table.assign(
        target=cases.target.value, skill=1 - table["rmse"] / np.where(beside > 0, beside, np.nan)
    )
    head = ["target", "part_kind", "part", "model", "lead_day"]
    return table[[*head, *(name for name in table.columns if name not in head)]].reset_index(drop=True)


def _score_part(
    data: xr.Dataset, cases: Cases, over: list[str], quality: VerifySettings | None = None
) -> pd.DataFrame:
    found = score_points(data["mean"], data["observed"], over)
    found = found.merge(score_quantiles(data, cases.quantiles, over))
    if quality is not None:
        indicator = quality_indicator(data, cases.target, quality.fairmode)
        if indicator is not None:
            found["mqi"] = indicator
    return found.to_dataframe().reset_index()


def _score_exceedance(cases: Cases, settings: VerifySettings) -> pd.DataFrame:
    """Event scores of the mean at every threshold, and of the calls and probabilities at the limit."""
    mean, observed = cases.data["mean"], cases.data["observed"]
    bounds: dict[str, xr.DataArray | float] = {} if cases.limit is None else {"limit": cases.limit}
    bounds |= {f"{value:g}": value for value in settings.thresholds.get(cases.target, ())}
    dims = ["adcode", "valid_date"]
    frames = []
    for name, bound in bounds.items():
        happened = exceeds(observed, bound)
        counts = count_events(exceeds(mean, bound), happened, dims)
        frames.append(_lines(counts.merge(score_events(counts))).assign(threshold=name, call="mean"))
        if name == "limit" and "p_exceed" in cases.data:
            frames.append(_score_calls(cases, happened).assign(threshold=name, call="probability"))
    table = _concat(frames)
    return table[table["hits"] + table["misses"] > 0].reset_index(drop=True) if len(table) else table


def _score_calls(cases: Cases, happened: xr.DataArray) -> pd.DataFrame:
    said, _ = _calls(cases)
    stated = cases.data["p_exceed"]
    assert said is not None
    dims = ["adcode", "valid_date"]
    counts = count_events(said.where(stated.notnull()), happened, dims)
    found = counts.merge(score_events(counts)).merge(score_probability(stated, happened, dims))
    return _lines(found.where(stated.notnull().any(dims))).dropna(subset="hits")


def _reach_benchmarks(scored: pd.DataFrame, cases: Cases, settings: VerifySettings) -> pd.DataFrame:
    """Grade of Emery et al. over all cases, and the share of cities whose quality indicator is at most 1."""
    whole = scored.loc[scored["part_kind"] == "all", ["model", "lead_day", "nmb", "nme", "r"]]
    given = settings.emery.get(cases.target)
    table = whole.assign(emery=grade(whole, given) if given else None)
    if "mqi" in scored:
        city = scored[scored["part_kind"] == "city"].groupby(["model", "lead_day"])["mqi"]
        shares = city.agg(mqi_share=lambda mqi: (mqi <= 1).mean(), mqi_median="median").reset_index()
        table = table.merge(shares, on=["model", "lead_day"], how="left")
        table["mqo"] = table["mqi_share"] >= float(settings.fairmode.passing_share)
    return table.reset_index(drop=True)


def _lines(found: xr.Dataset) -> pd.DataFrame:
    return found.to_dataframe().reset_index()


def _concat(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): _plain(value) for name, value in line.items()} for line in table.to_dict(orient="records")
    ]


def _plain(value: Any) -> Any:
    """A number to six significant digits, None for what is undefined."""
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
