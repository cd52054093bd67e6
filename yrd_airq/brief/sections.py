"""The body of the brief, section by section: parts of the content model as blocks."""

from __future__ import annotations

from collections.abc import Iterator

from yrd_airq.brief.blocks import Block, Box, Bullets, Cell, Figure, Paragraph, Table, make_columns, row_spans
from yrd_airq.brief.content import Brief
from yrd_airq.brief.content_air import Observed, Outcome, Score, Yesterday
from yrd_airq.brief.content_sources import Attribution, Hotspot
from yrd_airq.brief.figures import figure_keys
from yrd_airq.brief.forecast_section import map_note
from yrd_airq.brief.typography import MISSING, grouped, interval, number, percent
from yrd_airq.brief.wording import date_zh
from yrd_airq.standards.levels import LEVELS


def conclusion(brief: Brief) -> Iterator[Block]:
    """The conclusion box."""
    yield Box(brief.conclusion.text_zh, brief.conclusion.figures)


def observed(brief: Brief) -> Iterator[Block]:
    """Yesterday: text, and the focus cities (event) or all cities (daily)."""
    part = brief.observed
    if part is None:
        yield Paragraph("本期无可用实况数据，未作实况回顾。")
        return
    yield Paragraph(part.text_zh)
    yield observed_table(part, brief.forecast.focus if brief.occasion is not None else ())


def observed_table(part: Observed, only: tuple[str, ...] = ()) -> Table:
    """Observed values by city; all cities stand two abreast, cleanest first."""
    heading = make_columns(
        ("名次", 0.7),
        ("城市", 1.1),
        ("AQI", 0.8),
        ("级别", 1.2),
        ("首要污染物", 1.3),
        *((target.info.name_zh, 0.9) for target in part.targets),
    )
    chosen = [index for index, row in enumerate(part.cities) if not only or row.adcode in only]
    cells = [_observed_cells(part, index) for index in chosen]
    if not only:
        half = (len(cells) + 1) // 2
        blank = tuple(Cell("") for _ in heading)
        right = [*cells[half:], *([blank] * (2 * half - len(cells)))]
        cells = [left + other for left, other in zip(cells[:half], right, strict=True)]
        heading = heading + heading
    which = "重点城市" if only else "各市"
    note = f"单位：μg/m³。资料来源：{part.source_zh}；名次为区域内按AQI由低到高。{part.note_zh}"
    return Table(f"{date_zh(part.date)}{which}空气质量实况", heading, tuple(cells), note, dense=not only)


def _observed_cells(part: Observed, index: int) -> tuple[Cell, ...]:
    row = part.cities[index]
    level = LEVELS[row.level - 1].name_zh if row.level else MISSING
    return (
        Cell(MISSING if row.rank is None else str(row.rank)),
        Cell(row.city_zh),
        Cell(number(row.aqi), row.level),
        Cell(level, row.level),
        Cell("、".join(row.primary_zh) or MISSING),
        *(Cell(number(row.values.get(target))) for target in part.targets),
    )


def weather(brief: Brief) -> Iterator[Block]:
    """Weather text and table; one sentence where no weather was used."""
    part = brief.weather
    if part is None:
        yield Paragraph("本期未使用气象资料，预报仅依据前期实况与季节规律，气象条件变化时应以人工订正为准。")
        return
    yield Paragraph(part.text_zh)
    columns = make_columns(
        ("城市", 1.0),
        ("日期", 1.0),
        ("风向", 1.0),
        ("风速(m/s)", 1.0),
        ("气温(℃)", 1.0),
        ("相对湿度(%)", 1.1),
        ("扩散条件", 1.0),
        ("资料", 1.0),
    )
    rows = tuple(
        (
            Cell(day.city_zh, rows=span),
            Cell(date_zh(day.date)),
            Cell(day.wind_zh),
            Cell(number(day.wind_ms, 1)),
            Cell(number(day.temperature_c, 1)),
            Cell(number(day.humidity_pct)),
            Cell(day.dispersion_zh),
            Cell(day.kind.name_zh),
        )
        for day, span in zip(part.days, row_spans([day.city_zh for day in part.days]), strict=True)
    )
    yield Table("代表城市日均气象条件", columns, rows, "风向为日平均矢量风的来向。")


def origins(brief: Brief) -> Iterator[Block]:
    """Transport, source contributions and what the mobile survey found."""
    if brief.transport is not None:
        yield Paragraph(brief.transport.text_zh)
        yield Figure("trajectory_map", f"后向轨迹与管控企业（{map_note(brief)}）", 0.62)
        if brief.transport.clusters:
            yield Figure("clusters", f"后向轨迹聚类（平均路径与占比，{map_note(brief)}）", 0.5)
    if brief.attribution is not None:
        yield Paragraph(brief.attribution.text_zh)
        if "attribution_bar" in figure_keys(brief):
            yield Figure("attribution_bar", "受体城市浓度来源构成（横线为集合成员的范围）", 0.92)
        yield from _source_diagrams(brief.attribution)
    if brief.survey is not None:
        yield Paragraph(brief.survey.text_zh)
        if brief.survey.hotspots:
            yield _hotspot_table(brief.survey.hotspots)
    parts = (("后向轨迹", brief.transport), ("来源解析", brief.attribution))
    missing = [name for name, part in parts if part is None]
    if missing and brief.occasion is not None:
        yield Paragraph(f"本期未作{'与'.join(missing)}分析。")


def _source_diagrams(part: Attribution) -> Iterator[Block]:
    """Rose of the listed enterprises, what a cut does to ozone, and the isopleth behind it."""
    if part.rose is not None:
        what = f"{part.rose.city_zh}{part.rose.target.info.name_zh}"
        title = f"清单企业对{what}的贡献（方位与行业，占背景以上浓度）"
        yield Figure("source_rose", title, 0.62)
    if part.response_zh:
        yield Paragraph("".join(part.response_zh))
    if part.isopleth is not None:
        yield Figure("ozone_isopleth", "臭氧等值线（箱模式，O₃-8h，μg/m³）与城市所处位置", 0.6)


def _hotspot_table(hotspots: tuple[Hotspot, ...]) -> Table:
    columns = make_columns(
        ("热点", 0.7), ("位置", 1.8), ("峰值", 1.3), ("可靠程度", 0.9), ("疑似来源", 3.2, "left")
    )
    rows = tuple(
        (
            Cell(spot.name_zh),
            Cell(f"{spot.lon:.3f}°E，{spot.lat:.3f}°N"),
            Cell(spot.peak_zh),
            Cell(spot.status_zh),
            Cell(spot.suspect_zh),
        )
        for spot in hotspots
    )
    return Table("走航热点", columns, rows, "走航为筛查手段，不单独作为执法依据。")


def uncertainty(brief: Brief) -> Iterator[Block]:
    """What may turn out differently."""
    if brief.uncertainty_zh:
        yield Bullets(brief.uncertainty_zh)


def check(brief: Brief) -> Iterator[Block]:
    """Scores of earlier issues beside persistence, and the outcome of a hindcast."""
    part = brief.check
    if part is None:
        yield Paragraph("尚无可供检验的前期预报。")
        return
    yield Paragraph(part.text_zh)
    if part.yesterday is not None and part.yesterday.focus:
        yield _yesterday_table(part.yesterday)
    if part.scores:
        yield _score_table(part.scores, part.period_zh)
    if part.outcome_scores:
        yield _score_table(part.outcome_scores, "本期后报与事后实况，全部城市")
    if part.outcomes:
        yield _outcome_table(part.outcomes)


def _score_table(scores: tuple[Score, ...], period_zh: str) -> Table:
    columns = make_columns(
        ("项目", 1.0),
        ("预见期", 0.9),
        ("样本数", 0.9),
        ("均方根误差", 1.1),
        ("持续性预报", 1.1),
        ("技巧评分", 1.0),
        ("平均偏差", 1.0),
        ("区间覆盖率", 1.1),
    )
    rows = tuple(
        (
            Cell(score.target.info.name_zh),
            Cell(f"{score.lead_day}天"),
            Cell(grouped(score.n)),
            Cell(number(score.rmse, 1)),
            Cell(number(score.rmse_persistence, 1)),
            Cell(number(score.skill, 2)),
            Cell(number(score.bias, 1)),
            Cell(percent(score.coverage80)),
        )
        for score in scores
    )
    note = "误差单位：μg/m³；技巧评分=1−均方根误差/持续性预报均方根误差；区间覆盖率为80%区间内的实况比例。"
    return Table(f"预报检验（{period_zh}）", columns, rows, note)


def _yesterday_table(part: Yesterday) -> Table:
    columns = make_columns(
        ("城市", 1.0),
        ("预报AQI", 1.0),
        ("预报级别", 1.3),
        ("预报首要污染物", 1.3),
        ("实况AQI", 1.0),
        ("实况级别", 1.0),
        ("实况首要污染物", 1.3),
        ("级别命中", 0.9),
    )
    rows = tuple(
        (
            Cell(hit.city_zh),
            Cell(interval(hit.aqi_lo, hit.aqi_hi)),
            Cell(hit.level_zh),
            Cell("、".join(hit.primary_zh) or MISSING),
            Cell(str(hit.observed_aqi)),
            Cell(LEVELS[hit.observed_level - 1].name_zh, level=hit.observed_level),
            Cell("、".join(hit.observed_primary_zh) or MISSING),
            Cell("是" if hit.level_hit else "否"),
        )
        for hit in part.cities
        if hit.adcode in part.focus
    )
    return Table(f"{date_zh(part.date)}预报与实况（提前1天）", columns, rows)


def _outcome_table(outcomes: tuple[Outcome, ...]) -> Table:
    columns = make_columns(
        ("城市", 1.0),
        ("日期", 1.0),
        ("项目", 1.0),
        ("预报", 1.6),
        ("持续性预报", 1.0),
        ("实况", 1.0),
        ("落入80%区间", 1.0),
    )
    rows = tuple(
        (
            Cell(row.city_zh),
            Cell(date_zh(row.date)),
            Cell(row.target.info.name_zh),
            Cell(f"{number(row.q50)} [{interval(row.q10, row.q90)}]"),
            Cell(number(row.persistence)),
            Cell(number(row.observed)),
            Cell("是" if row.inside else "否"),
        )
        for row in outcomes
    )
    note = "单位：μg/m³。历史个例后报：结论形成时未使用起报时间之后的实况。"
    return Table("本期后报与实况对照", columns, rows, note)
