"""Verification of backtests or of the forecasts that the store keeps: scoreboard, page and score tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from yrd_airq.brief.scoreboard import write_scoreboard
from yrd_airq.errors import InputError
from yrd_airq.forecast.baselines import CLIMATOLOGY, PERSISTENCE, SIMPLE, simple_rows
from yrd_airq.forecast.correction import FORECASTER
from yrd_airq.forecast.exceedance import called
from yrd_airq.forecast.panel import Panel, build_panel
from yrd_airq.jobs.forecasting import pair_observed
from yrd_airq.jobs.issue import EARLIEST_PARTIAL_HOUR, newest_days
from yrd_airq.jobs.upkeep import require_store
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.region import load_region
from yrd_airq.store.store import Store, open_store
from yrd_airq.verify.markdown import write_markdown
from yrd_airq.verify.scoreboard import ISSUED, UNCORRECTED, Scoreboard, draw_up
from yrd_airq.verify.settings import load_verify
from yrd_airq.vocab import CityDaySource, Target


@dataclass(frozen=True)
class VerifyReport:
    """Where the results lie, and the scores."""

    folder: Path
    board: Scoreboard

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {"out": str(self.folder), **self.board.as_dict()}

    def lines(self) -> list[str]:
        """Readable form: RMSE and skill by target, lead and method."""
        found = []
        for sample in self.board.samples:
            weather = ", ".join(sample.weather) or "none"
            note = " (perfect prognosis)" if sample.perfect_prognosis else ""
            found.append(
                f"{sample.target.value} {sample.first} … {sample.last}: {sample.n} city-days at "
                f"D+{sample.leads[0]}; target-day weather: {weather}{note}"
            )
            for lead in sample.leads:
                best = self.board.best_simple(sample.target, lead)
                for line in self.board.whole(sample.target, lead).to_dict(orient="records"):
                    mark = " (best simple)" if line["model"] == best else ""
                    text = f"RMSE {line['rmse']:.2f}, skill {line['skill']:.3f}"
                    found.append(f"  D+{lead} {line['model']}: {text}{mark}")
        return [*found, f"results: {self.folder}"]


def verify(
    workspace: Workspace,
    out: Path,
    folders: Sequence[Path] = (),
    *,
    source: CityDaySource | None = None,
    targets: Sequence[Target] = (),
    first: date | None = None,
    last: date | None = None,
    models: Sequence[str] = (),
) -> VerifyReport:
    """Verify the backtests in ``folders``, or without any the forecasts that the store keeps.

    ``source``: series to compare stored forecasts with, by default the one with the newest days. ``targets``,
    ``first`` … ``last`` (valid days) and ``models`` narrow what is verified. Writes ``scoreboard.md``,
    ``scoreboard.html``, ``scores.parquet`` (scores by part) and ``scores.json`` (all tables) to ``out``.
    ``InputError`` where there is nothing to verify.
    """
    if folders:
        rows, source_zh = read_backtests(folders)
    else:
        rows, source_zh = _read_stored(workspace, source, targets, first, last)
    board = draw_up(_narrow(rows, targets, first, last), load_verify(), models)
    out.mkdir(parents=True, exist_ok=True)
    (out / "scoreboard.md").write_text(write_markdown(board), encoding="utf-8")
    write_scoreboard(board, source_zh, out / "scoreboard.html")
    board.parts.to_parquet(out / "scores.parquet", index=False)
    text = json.dumps(board.as_dict(), ensure_ascii=False, indent=1) + "\n"
    (out / "scores.json").write_text(text, encoding="utf-8")
    return VerifyReport(out, board)


def read_backtests(folders: Sequence[Path]) -> tuple[pd.DataFrame, str]:
    """Rows of ``forecasts.parquet`` of each folder, and in Chinese where they come from.

    Where several folders forecast the same target, the models bear the folder's name; the simple methods
    are the same in all and are taken once.
    """
    frames, sources = [], []
    for folder in folders:
        path = folder / "forecasts.parquet"
        if not path.is_file():
            raise InputError(f"{path}: no such file; name a folder that `yrd-airq backtest` wrote")
        frames.append(pd.read_parquet(path).assign(folder=folder.name))
        card = folder / "scores.json"
        if card.is_file():
            sources.append(CityDaySource(json.loads(card.read_text(encoding="utf-8"))["source"]).name_zh)
    rows = pd.concat(frames, ignore_index=True)
    shared = rows.groupby("target")["folder"].transform("nunique") > 1
    named = shared & ~rows["model"].isin(SIMPLE)
    rows["model"] = rows["model"].where(~named, rows["model"] + "@" + rows["folder"])
    key = ["target", "model", "lead_day", "issue_time", "adcode"]
    names = "、".join(dict.fromkeys(sources))
    return rows.drop_duplicates(key).drop(columns="folder"), f"{names}；回顾检验" if names else "回顾检验"


def _narrow(
    rows: pd.DataFrame, targets: Sequence[Target], first: date | None, last: date | None
) -> pd.DataFrame:
    day = pd.to_datetime(rows["valid_date"])
    chosen = day.between(pd.Timestamp(first or date(1900, 1, 1)), pd.Timestamp(last or date(2200, 1, 1)))
    if targets:
        chosen &= rows["target"].isin([target.value for target in targets])
    if not chosen.any():
        raise InputError("no forecast is left to verify; name other targets or days")
    return rows[chosen]


def _read_stored(
    workspace: Workspace,
    source: CityDaySource | None,
    targets: Sequence[Target],
    first: date | None,
    last: date | None,
) -> tuple[pd.DataFrame, str]:
    """Forecasts as issued, the same before correction where any was corrected, and the simple methods."""
    require_store(workspace)
    with open_store(workspace.store, read_only=True) as store:
        kept = store.forecasts(first=first, last=last)
        if kept.empty:
            raise InputError("the store keeps no forecasts of these days; run `yrd-airq forecast` first")
        made = store.runs().drop_duplicates("run_id", keep="last").set_index("run_id")["created_at"]
        source = source or _newest(store)
        panel = _read_panel(store, source, kept)
        daily = store.city_daily(source)
    rows = kept.assign(made=kept["run_id"].map(made)).sort_values(["issue_time", "made"], kind="stable")
    rows = rows[rows["target"].isin([target.value for target in panel.values])]
    if rows.empty:
        raise InputError(f"the store keeps no forecasts of what {source.value} observe")
    rows = rows.drop_duplicates(["adcode", "issue_time", "target", "lead_day", "model"], keep="last")
    rows = pd.concat([_as_issued(rows), _simple(panel, rows)], ignore_index=True)
    paired = pair_observed(rows.assign(valid_date=pd.to_datetime(rows["valid_date"])), daily)
    if paired.empty:
        raise InputError(f"none of the forecast days has been observed by {source.value} yet")
    return paired.assign(exceed=called(paired)), f"{source.name_zh}；存档预报"


def _newest(store: Store) -> CityDaySource:
    spans = newest_days(store)
    if not spans:
        raise InputError("the store holds no city-day series to compare with; ingest observations first")
    return max(spans, key=lambda name: spans[name][1])


def _read_panel(store: Store, source: CityDaySource, kept: pd.DataFrame) -> Panel:
    """The archive as it is now, with the hours up to the earliest issue hour."""
    hour = int(pd.DatetimeIndex(kept["issue_time"]).hour.min())
    daily, hourly = store.city_daily(source), None
    if source is CityDaySource.STATIONS and hour >= EARLIEST_PARTIAL_HOUR:
        start = daily["date"].min().to_pydatetime()
        end = pd.Timestamp(daily["date"].max()) + timedelta(days=1)
        hourly = store.city_hourly(start, datetime(end.year, end.month, end.day))
    return build_panel(daily, hourly, None, load_region(), max(hour, 1), source=source)


def _as_issued(rows: pd.DataFrame) -> pd.DataFrame:
    """One line a city-day as issued, the model's own beside it where any was corrected, and climatology.

    Whichever model or fallback spoke counts as ours, since what was issued is what is judged.
    """
    key = ["adcode", "issue_time", "target", "lead_day"]
    ours = rows[~rows["model"].isin(SIMPLE)]
    corrected = ours["model"] == FORECASTER
    own = ours[~corrected].drop_duplicates(key, keep="last")
    issued = pd.concat([own, ours[corrected]]).drop_duplicates(key, keep="last")
    frames = [issued.assign(model=ISSUED), rows[rows["model"] == CLIMATOLOGY]]
    if corrected.any():
        frames += [own.assign(model=UNCORRECTED), ours[corrected]]
    return pd.concat(frames, ignore_index=True)


def _simple(panel: Panel, rows: pd.DataFrame) -> pd.DataFrame:
    """Persistence and means for the issues of ``rows``, from the archive as it is now."""
    issues = rows[["target", "issue_time"]].drop_duplicates()
    leads = sorted(int(lead) for lead in rows["lead_day"].unique())
    frames = []
    for name, own in issues.groupby("target"):
        times = pd.DatetimeIndex(own["issue_time"]).sort_values()
        issue = panel.dates.get_indexer(times.normalize())
        inside = issue >= 0
        if inside.any():
            frames.append(
                simple_rows(
                    panel, Target(str(name)), issue[inside].astype(np.int64), leads, times[inside], None
                )
            )
    return pd.concat(frames, ignore_index=True) if frames else rows[rows["model"] == PERSISTENCE]
