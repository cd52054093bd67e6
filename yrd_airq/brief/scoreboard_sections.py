"""The sections of the scoreboard page: which tables and figures stand where, and what is said about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from yrd_airq.brief import scoreboard_tables as tables
from yrd_airq.brief import scoreboard_words as words
from yrd_airq.brief.blocks import Block, Bullets, Figure, Paragraph, Table
from yrd_airq.brief.typography import number
from yrd_airq.forecast.baselines import PERSISTENCE, SIMPLE
from yrd_airq.region import Region
from yrd_airq.verify.scoreboard import LINE, Sample, Scoreboard

_LEAST_EVENTS = 10


def conclusions(board: Scoreboard) -> Iterator[Block]:
    """One sentence a target: error at the first lead against the simple methods."""
    yield Bullets(tuple(_sentence(board, sample) for sample in board.samples))
    left = {name for sample in board.samples for name in sample.left_out}
    if left:
        names = "、".join(words.method_zh(name) for name in sorted(left))
        yield Paragraph(f"样本过少而未参加比较的方法：{names}。", "note")


def _sentence(board: Scoreboard, sample: Sample) -> str:
    target, lead = sample.target, sample.leads[0]
    focus, best = words.focus_of(board, target), board.best_simple(target, lead)
    whole = board.whole(target, lead)
    lines = whole[whole["model"] == focus].to_dict(orient="records")
    if focus is None or not lines:
        return f"{target.info.name_zh}：没有本系统的预报。"
    text = (
        f"{target.info.name_zh}：{words.method_zh(focus)}提前{words.lead_zh(lead)}预报的均方根误差为"
        f"{number(lines[0]['rmse'], words.digits_of(target))}{words.unit_zh(target)}"
        f"（{int(lines[0]['n'])}个城市日）"
    )
    own = board.comparisons
    own = own[(own["target"] == target.value) & (own["model"] == focus) & (own["lead_day"] == lead)]
    beside = {line["against"]: line for line in own.to_dict(orient="records")}
    for name in dict.fromkeys((PERSISTENCE, best or PERSISTENCE)):
        if name in beside:
            label = "持续性预报" if name == PERSISTENCE else f"误差最小的简单方法（{words.method_zh(name)}）"
            text += f"，较{label}{words.gain_zh(beside[name]['skill'], beside[name]['p_value'])}"
    return text + "。"


def errors(board: Scoreboard) -> Iterator[Block]:
    """Error by lead, and its table for our method and the best simple one."""
    yield _figure("score_leads", "各方法均方根误差随预见期的变化（竖线为95%区间）", board.samples)
    rows = _with_bounds(board)
    kept = {
        (s.target.value, name, lead)
        for s in board.samples
        for lead in s.leads
        for name in (words.focus_of(board, s.target), board.best_simple(s.target, lead))
    }
    chosen = rows[[key in kept for key in rows[LINE].itertuples(index=False, name=None)]]
    fields = (*tables.LINE, tables.SAMPLE, tables.resampled("RMSE（95%区间）", "rmse"), *tables.ERRORS)
    note = "误差最小的简单方法按本样本选出；技巧＝1−均方根误差÷持续性预报的均方根误差。全部方法见附件。"
    yield _table(board, "本系统与误差最小的简单方法", chosen, fields, note)
    yield _figure("score_map", "各城市相对持续性预报的技巧（最短预见期）", board.samples)


def all_errors(board: Scoreboard) -> Iterator[Block]:
    """Every method."""
    rows = _with_bounds(board).merge(board.benchmarks.drop(columns=["nmb", "nme", "r"]), on=LINE, how="left")
    fields = (
        *tables.LINE,
        tables.SAMPLE,
        tables.resampled("RMSE（95%区间）", "rmse"),
        *tables.ERRORS,
        *tables.MORE_ERRORS,
    )
    note = (
        "R²为1−误差平方和÷离差平方和；IOA为一致性指数；FAC2为预报在实况0.5～2倍之间的比例；RMSEu为线性订正"
        "不能消除的误差。基准：Emery等（2017）目标值与准则值；MQI≤1：FAIRMODE质量指标达标的城市比例。"
    )
    yield _table(board, "各方法评分", rows, fields, note)


def comparisons(board: Scoreboard) -> Iterator[Block]:
    """Our method against each other one, with interval and test."""
    note = (
        "区间由按日分块的自助法得到（同一日各城市一并抽取）；DM为Diebold–Mariano检验（Hering–Genton自协方差，"
        "Harvey短序列订正，t分布），以各城市逐日平均平方误差为序列，p<0.05为显著。"
    )
    if len(board.comparisons):
        yield _table(board, "与各方法的差异及显著性", board.comparisons, tables.COMPARISON, note)
    else:
        yield Paragraph("只有一种方法或没有本系统的预报，未作比较。")


def exceedance(board: Scoreboard) -> Iterator[Block]:
    """Days above the limit and the other thresholds."""
    rows = board.exceedance
    if len(rows):
        rows = rows[rows["hits"] + rows["misses"] >= _LEAST_EVENTS]
    if rows.empty:
        yield Paragraph(f"检验时段内各指标的超标城市日均不足{_LEAST_EVENTS}个，未作评分。")
        return
    note = (
        "判据“预报值”：预报均值超过阈值；“概率”：按超标概率作出的超标预报。只列出现"
        f"{_LEAST_EVENTS}个以上城市日的阈值；分母为零者不计分（—）。"
    )
    yield _table(board, "超标日预报评分", rows, tables.EVENTS, note)


def probability(board: Scoreboard) -> Iterator[Block]:
    """Intervals, reliability and PIT of the forecasts that state them."""
    whole = board.parts[board.parts["part_kind"] == "all"]
    stated = whole[whole["coverage80"].notna()] if "coverage80" in whole else whole.head(0)
    if stated.empty:
        yield Paragraph("参加检验的预报没有给出区间或概率。")
        return
    note = "CRPS由给出的分位数近似（加权区间评分）；P10、P50、P90为相应分位数的分位数损失，越小越好。"
    yield _table(board, "区间与分位数评分", stated, tables.INTERVALS, note)
    if drawn := with_events(board):
        yield _figure("score_reliability", "超标概率可靠性图（空心为样本不足的档）", drawn)
    yield _figure("score_pit", "实况落在相邻分位数之间的比例与应有比例之比（1为理想）", board.samples)


def sudden(board: Scoreboard) -> Iterator[Block]:
    """Days of sudden change, and episodes."""
    changed = board.parts[(board.parts["part_kind"] == "change") & ~board.parts["model"].isin(SIMPLE)]
    if len(changed):
        note = "骤升、骤降日：实况较前一日升、降超过设定阈值。"
        yield _table(board, "骤变日评分", changed, tables.PART, note)
    episodes = board.episodes
    if len(episodes):
        episodes = episodes[episodes["episodes"] + episodes["forecast_episodes"] > 0]
    if episodes.empty:
        yield Paragraph("检验时段内没有连续超标的污染过程。")
        return
    note = (
        "过程：同一城市连续超标日；报出：过程中至少一日报超标；起始偏差为正表示报晚；时长比只计报出的过程。"
    )
    yield _table(board, "污染过程评分", episodes, tables.EPISODES, note)


def official(board: Scoreboard) -> Iterator[Block]:
    """AQI range, level and first pollutant."""
    rows = board.official
    if rows.empty:
        yield Paragraph("所检验指标不参与AQI计算，未作AQI评分。")
        return
    yield Figure("score_official", "AQI级别预报：按实况级别分层（最短预见期）")
    items = "、".join(s.target.info.name_zh for s in board.samples)
    note = (
        f"AQI由{items}计算（实况与预报一致）；级别准确率＋偏高率＋偏低率＝1；半级别：每级对半分，预报范围触及实况"
        "所在半级为准确；首要污染物只计AQI>50的城市日。"
    )
    shown = rows[~rows["model"].isin(SIMPLE) | (rows["level_observed"] == "all")]
    yield _table(board, "AQI范围、级别与首要污染物准确率", shown, tables.OFFICIAL, note)


def seasons(board: Scoreboard) -> Iterator[Block]:
    """Our methods by season and by observed level."""
    ours = board.parts[~board.parts["model"].isin(SIMPLE)]
    for kind, caption in (("season", "分季节评分"), ("level", "分实况级别评分（按单项指数）")):
        chosen = ours[ours["part_kind"] == kind]
        if len(chosen):
            yield _table(board, caption, chosen, tables.PART)


def cities(board: Scoreboard, region: Region) -> Iterator[Block]:
    """Our method by city at the first lead."""
    for sample in board.samples:
        chosen = city_rows(board, sample)
        if len(chosen):
            named = chosen.assign(city_zh=[region.city(str(code)).short_zh for code in chosen["part"]])
            name = f"{sample.target.info.name_zh}分城市评分（提前{words.lead_zh(sample.leads[0])}）"
            yield tables.make_table(name, named, tables.CITY)


def with_events(board: Scoreboard) -> tuple[Sample, ...]:
    """Targets whose reliability rests on enough exceedances to be drawn."""
    if board.reliability.empty:
        return ()
    events = (
        (board.reliability["n"] * board.reliability["observed"]).groupby(board.reliability["target"]).sum()
    )
    return tuple(s for s in board.samples if events.get(s.target.value, 0.0) >= _LEAST_EVENTS)


def city_rows(board: Scoreboard, sample: Sample) -> pd.DataFrame:
    """Scores of the cities of a target: the page's method at its first lead, by adcode."""
    table = board.parts
    own = (table["part_kind"] == "city") & (table["target"] == sample.target.value)
    own &= (table["model"] == words.focus_of(board, sample.target)) & (table["lead_day"] == sample.leads[0])
    return table[own].sort_values("part", kind="stable")


def _figure(key: str, caption: str, samples: Sequence[Sample]) -> Figure:
    """A figure as wide as its panels, one a target."""
    return Figure(key, caption, words.width_of(len(samples)))


def _table(
    board: Scoreboard, caption: str, rows: pd.DataFrame, fields: Sequence[tables.Field], note: str = ""
) -> Table:
    """The rows by target, lead and method, ours before the simple ones; else as they stand."""
    targets = {sample.target.value: k for k, sample in enumerate(board.samples)}
    order = pd.DataFrame(
        {
            "target": rows["target"].map(targets) if "target" in rows else 0,
            "lead_day": rows["lead_day"],
            "simple": rows["model"].isin(SIMPLE),
            "model": rows["model"],
        }
    ).sort_values(["target", "lead_day", "simple", "model"], kind="stable")
    return tables.make_table(caption, rows.loc[order.index], fields, note)


def _with_bounds(board: Scoreboard) -> pd.DataFrame:
    """Scores over all cases with the resampled interval of the RMSE."""
    bounds = board.intervals[board.intervals["score"] == "rmse"]
    bounds = bounds.rename(columns={"low": "rmse_low", "high": "rmse_high"})
    whole = board.parts[board.parts["part_kind"] == "all"]
    return whole.merge(bounds[[*LINE, "rmse_low", "rmse_high"]], on=LINE, how="left")
