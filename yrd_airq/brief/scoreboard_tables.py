"""Tables of the scoreboard page: each column says which figure of the score tables it prints, and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from yrd_airq.brief import scoreboard_words as words
from yrd_airq.brief.blocks import Cell, Column, Table
from yrd_airq.brief.typography import number, percent
from yrd_airq.vocab import Target

_NAN = float("nan")


@dataclass(frozen=True)
class Field:
    """A column: heading, relative width, and the cell of a line of scores."""

    heading: str
    width: float
    cell: Callable[[pd.Series], Cell]


def make_table(caption: str, rows: pd.DataFrame, fields: Sequence[Field], note: str = "") -> Table:
    """``rows`` under the headings of ``fields``."""
    columns = tuple(Column(field.heading, field.width) for field in fields)
    lines = tuple(tuple(field.cell(row) for field in fields) for _, row in rows.iterrows())
    return Table(caption, columns, lines, note, dense=True)


def count(heading: str, name: str, width: float = 0.7) -> Field:
    """A whole number."""
    return Field(heading, width, lambda row: Cell(str(int(row[name]))))


def figure(heading: str, name: str, digits: int, width: float = 0.7) -> Field:
    """A number with ``digits`` decimals."""
    return Field(heading, width, lambda row: Cell(number(row.get(name, _NAN), digits)))


def concentration(heading: str, name: str, more: int = 0, width: float = 0.7) -> Field:
    """A concentration of the line's target, with ``more`` decimals than usual."""
    return Field(heading, width, lambda row: Cell(number(row.get(name, _NAN), _digits(row) + more)))


def share(heading: str, name: str, width: float = 0.7) -> Field:
    """A share as percent."""
    return Field(heading, width, lambda row: Cell(percent(row.get(name, _NAN))))


def change(heading: str, name: str, width: float = 0.7) -> Field:
    """A share with its sign."""
    return Field(heading, width, lambda row: Cell(words.signed_percent(row.get(name, _NAN))))


def resampled(heading: str, name: str) -> Field:
    """A concentration with its resampled interval ``<name>_low`` … ``<name>_high``."""
    return Field(
        heading,
        1.9,
        lambda row: Cell(
            words.with_interval(row[name], row[f"{name}_low"], row[f"{name}_high"], _digits(row))
        ),
    )


def text(heading: str, width: float, write: Callable[[pd.Series], str]) -> Field:
    """Words."""
    return Field(heading, width, lambda row: Cell(write(row)))


TARGET = text("指标", 0.8, lambda row: Target(row["target"]).info.name_zh)
LEAD = text("预见期", 0.7, lambda row: words.lead_zh(int(row["lead_day"])))
METHOD = text("方法", 1.5, lambda row: words.method_zh(str(row["model"])))
LINE = (TARGET, LEAD, METHOD)
SAMPLE = count("样本", "n")
ERRORS = (
    change("技巧", "skill"),
    concentration("MB", "mb"),
    concentration("MAE", "mae"),
    change("NMB", "nmb"),
    share("NME", "nme"),
    figure("r", "r", 2, 0.6),
)
MORE_ERRORS = (
    figure("R²", "r2_det", 2),
    figure("IOA", "ioa", 2, 0.6),
    share("FAC2", "fac2"),
    concentration("RMSEu", "rmse_u"),
    text("基准", 0.9, lambda row: words.GRADES_ZH.get(str(row.get("emery")), "—")),
    share("MQI≤1", "mqi_share", 0.8),
)
COMPARISON = (
    *LINE,
    text("对比方法", 1.5, lambda row: words.method_zh(str(row["against"]))),
    count("天数", "days", 0.6),
    resampled("误差减小（95%区间）", "rmse_gain"),
    change("技巧", "skill"),
    figure("DM", "dm", 2, 0.6),
    text("p", 0.7, lambda row: words.p_zh(row["p_value"])),
    text("结论", 1.2, lambda row: words.verdict_zh(row["rmse_gain"], row["p_value"])),
)
EVENTS = (
    *LINE,
    text("阈值", 0.8, lambda row: "二级限值" if row["threshold"] == "limit" else str(row["threshold"])),
    text("判据", 0.8, lambda row: "概率" if row["call"] == "probability" else "预报值"),
    count("命中", "hits", 0.6),
    count("空报", "false_alarms", 0.6),
    count("漏报", "misses", 0.6),
    figure("POD", "pod", 2, 0.6),
    figure("FAR", "far", 2, 0.6),
    figure("CSI", "csi", 2, 0.6),
    figure("频率偏差", "frequency_bias", 2, 0.8),
    figure("ETS", "ets", 2, 0.6),
    figure("HSS", "hss", 2, 0.6),
    figure("Brier", "brier", 3),
)
INTERVALS = (
    *LINE,
    SAMPLE,
    share("80%区间覆盖率", "coverage80", 1.1),
    concentration("平均宽度", "width80", width=0.9),
    concentration("CRPS", "crps", more=1),
    concentration("P10", "pinball10", more=1),
    concentration("P50", "pinball50", more=1),
    concentration("P90", "pinball90", more=1),
)
EPISODES = (
    *LINE,
    count("过程数", "episodes"),
    share("报出", "found"),
    figure("起始偏差（天）", "start_offset", 1, 1.0),
    share("时长比", "length_ratio"),
    concentration("峰值偏差", "peak_error", width=0.8),
    count("预报过程数", "forecast_episodes", 0.9),
    share("空报", "false"),
)
PART = (
    *LINE,
    text("分类", 0.9, lambda row: words.PARTS_ZH[str(row["part"])]),
    SAMPLE,
    concentration("RMSE", "rmse", width=0.8),
    change("技巧", "skill"),
    concentration("MB", "mb"),
    concentration("MAE", "mae"),
    figure("r", "r", 2),
    share("80%区间覆盖率", "coverage80", 1.1),
)
CITY = (
    text("城市", 1.0, lambda row: str(row["city_zh"])),
    SAMPLE,
    concentration("RMSE", "rmse", width=0.8),
    change("技巧", "skill"),
    concentration("MB", "mb"),
    share("NME", "nme"),
    figure("r", "r", 2),
    figure("MQI", "mqi", 2),
    share("80%区间覆盖率", "coverage80", 1.1),
)
OFFICIAL = (
    LEAD,
    METHOD,
    Field("实况级别", 1.0, lambda row: Cell(words.PARTS_ZH[row["level_observed"]], words.level_of(row))),
    SAMPLE,
    share("AQI范围", "range", 0.8),
    share("级别", "level"),
    share("偏高", "high"),
    share("偏低", "low"),
    share("半级别", "half_level", 0.8),
    share("首要污染物", "primary", 1.0),
)


def _digits(row: pd.Series) -> int:
    return words.digits_of(Target(row["target"]))
