"""What quality control found, in numbers: by rule and pollutant, by station, and the longest stuck runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from yrd_airq.quality.flags import Flag, Rule
from yrd_airq.vocab import Pollutant

WORST = 10
_HOUR = pd.Timedelta(hours=1)
_VALUE = ["station_code", "time", "pollutant"]


@dataclass(frozen=True)
class QualityReport:
    """Flags of a span of hours.

    ``values``: number of values received, by pollutant. ``left_out``, ``doubtful``, ``lifted``: values (not
    flags) by their strictest flag. ``by_rule``: rule, pollutant, flag, flags. ``stations``: the worst ones:
    station_code, flagged, left_out. ``stuck``: the longest runs of equal values: station_code, pollutant,
    first_time, last_time, hours, flag.
    """

    first: datetime | None
    last: datetime | None
    values: dict[str, int]
    left_out: int
    doubtful: int
    lifted: int
    by_rule: pd.DataFrame
    stations: pd.DataFrame
    stuck: pd.DataFrame

    @property
    def total(self) -> int:
        """Values received."""
        return sum(self.values.values())

    def share(self, number: int) -> float:
        """Per cent of the values received; 0 without any."""
        return 100 * number / self.total if self.total else 0.0

    def as_dict(self) -> dict[str, object]:
        """Machine-readable form: plain numbers, texts and lists."""
        return {
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None,
            "values": dict(self.values),
            "left_out": self.left_out,
            "doubtful": self.doubtful,
            "lifted": self.lifted,
            "left_out_percent": round(self.share(self.left_out), 4),
            "doubtful_percent": round(self.share(self.doubtful), 4),
            "by_rule": self.by_rule.to_dict("records"),
            "stations": self.stations.to_dict("records"),
            "stuck": [
                {
                    **run,
                    "first_time": run["first_time"].isoformat(),
                    "last_time": run["last_time"].isoformat(),
                }
                for run in self.stuck.to_dict("records")
            ],
        }

    def lines(self) -> list[str]:
        """Readable form, short: the shares, and one line a rule and flag."""
        counts = self.by_rule.groupby(["rule", "flag"], sort=True)["flags"].sum().reset_index()
        return [self._summary(), *(f"  {n.rule} {n.flag}: {n.flags}" for n in counts.itertuples(index=False))]

    def markdown(self) -> str:
        """All of it as a Markdown page."""
        parts = ["# Quality control of hourly values", self._summary()]
        for title, table in (
            ("Flags by rule", self.by_rule),
            ("Stations with most flagged values", self.stations),
            ("Longest stuck runs", self.stuck),
        ):
            parts += [f"## {title}", _markdown_table(table) if len(table) else "None."]
        return "\n\n".join(parts) + "\n"

    def write(self, folder: Path, flags: pd.DataFrame | None = None) -> tuple[Path, ...]:
        """The page, its tables as CSV and, if given, the flags themselves into ``folder``; their paths.

        The folder is made if absent; files are UTF-8.
        """
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / "quality_report.md"
        page.write_text(self.markdown(), encoding="utf-8")
        tables = {"by_rule": self.by_rule, "stations": self.stations, "stuck": self.stuck}
        if flags is not None:
            tables["flags"] = flags
        paths = {name: folder / f"quality_{name}.csv" for name in tables}
        for name, table in tables.items():
            table.to_csv(paths[name], index=False)
        return (page, *paths.values())

    def _summary(self) -> str:
        span = "no hours"
        if self.first and self.last:
            span = f"{self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M}"
        return (
            f"quality of {span}: {self.total} values, {self.left_out} left out "
            f"({self.share(self.left_out):.3f} %), {self.doubtful} doubtful "
            f"({self.share(self.doubtful):.3f} %), {self.lifted} lifted"
        )


def quality_report(
    flags: pd.DataFrame,
    values: Mapping[Pollutant, pd.DataFrame] | Mapping[str, int],
    first: datetime | None = None,
    last: datetime | None = None,
) -> QualityReport:
    """Report on ``flags`` (columns ``FLAG_COLUMNS``) beside the values received.

    ``values``: the hourly frames, or the number of values by pollutant. ``first`` and ``last`` hour default
    to those of the frames, with numbers alone to those of the flags.
    """
    frames = [value for value in values.values() if isinstance(value, pd.DataFrame)]
    hours = pd.DatetimeIndex(frames[0].index if frames else flags["time"])
    worst = _strictest(flags)
    by_flag = worst["flag"].value_counts()
    return QualityReport(
        first=first or (hours.min().to_pydatetime() if len(hours) else None),
        last=last or (hours.max().to_pydatetime() if len(hours) else None),
        values={str(name): _number(value) for name, value in values.items()},
        left_out=int(by_flag.get(Flag.LEFT_OUT.value, 0)),
        doubtful=int(by_flag.get(Flag.DOUBTFUL.value, 0)),
        lifted=int(by_flag.get(Flag.LIFTED.value, 0)),
        by_rule=_by_rule(flags),
        stations=_worst_stations(worst),
        stuck=_stuck_runs(flags),
    )


def _number(value: pd.DataFrame | int) -> int:
    return int(value.notna().to_numpy().sum()) if isinstance(value, pd.DataFrame) else int(value)


def _strictest(flags: pd.DataFrame) -> pd.DataFrame:
    """One row a value with its strictest flag."""
    rank = flags["flag"].map({flag.value: number for number, flag in enumerate(Flag)})
    return flags.assign(rank=rank).sort_values("rank", kind="stable").drop_duplicates(_VALUE)


def _by_rule(flags: pd.DataFrame) -> pd.DataFrame:
    keys = ["rule", "pollutant", "flag"]
    return flags.groupby(keys, sort=True).size().rename("flags").reset_index()


def _worst_stations(worst: pd.DataFrame) -> pd.DataFrame:
    used = worst[worst["flag"] != Flag.LIFTED.value]
    table = pd.DataFrame(
        {
            "flagged": used.groupby("station_code").size(),
            "left_out": (used["flag"] == Flag.LEFT_OUT.value).groupby(used["station_code"]).sum(),
        }
    ).rename_axis("station_code")
    table = table.reset_index().astype({"flagged": int, "left_out": int})
    order = table.sort_values(["flagged", "station_code"], ascending=[False, True], ignore_index=True)
    return order.head(WORST)


def _stuck_runs(flags: pd.DataFrame) -> pd.DataFrame:
    """Hours of one station and pollutant that follow one another with a stuck flag, as runs."""
    stuck = flags[flags["rule"] == Rule.STUCK.value].sort_values(["station_code", "pollutant", "time"])
    same = (stuck[["station_code", "pollutant"]] == stuck[["station_code", "pollutant"]].shift()).all(axis=1)
    starts = ~(same & (stuck["time"].diff() == _HOUR))
    runs = stuck.groupby(np.cumsum(starts.to_numpy())).agg(
        station_code=("station_code", "first"),
        pollutant=("pollutant", "first"),
        first_time=("time", "first"),
        last_time=("time", "last"),
        hours=("time", "size"),
        flag=("flag", "first"),
    )
    order = ["hours", "station_code", "pollutant", "first_time"]
    return runs.sort_values(order, ascending=[False, True, True, True], ignore_index=True).head(WORST)


def _markdown_table(table: pd.DataFrame) -> str:
    rows = [list(table.columns), ["---"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
