"""The forecast section of the brief as blocks: maps, all cities, focus cities in detail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from yrd_airq.brief.blocks import Block, Cell, Figure, Paragraph, Table, make_columns, row_spans
from yrd_airq.brief.content import Brief
from yrd_airq.brief.content_air import Forecast, ForecastDay, Quantity, detailed_targets
from yrd_airq.brief.figures import figure_keys
from yrd_airq.brief.typography import MISSING, interval, number, percent
from yrd_airq.brief.wording import date_zh
from yrd_airq.vocab import Target

FULL_DAYS = 3  # days 4–7 are a trend: level only


def forecast(brief: Brief) -> Iterator[Block]:
    """Forecast text, maps, focus cities in detail, and for a daily bulletin all cities."""
    part = brief.forecast
    for text in part.text_zh:
        yield Paragraph(text)
    keys = figure_keys(brief)
    if "forecast_map" in keys:
        yield Figure("forecast_map", f"区域AQI预报（{map_note(brief)}）")
    if part.focus:
        yield detail_table(part)
    for text in (*part.reasons_zh, part.running_zh):
        if text:
            yield Paragraph(text)
    if "forecast_chart" in keys:
        goal = "、预报与保障目标" if brief.occasion is not None else "与预报"
        yield Figure("forecast_chart", f"重点城市近期实况{goal}")
    if brief.occasion is None:
        yield forecast_matrix(part)


def forecast_matrix(part: Forecast) -> Table:
    """All cities by day: AQI range, level and primary pollutant; the level alone from the fourth day."""
    full, trend = part.dates[:FULL_DAYS], part.dates[FULL_DAYS:]
    columns = [("城市", 1.05)]
    for day in full:
        columns += [(f"{date_zh(day)} AQI", 1.15), ("级别", 1.2), ("首要污染物", 1.35)]
    columns += [(f"{date_zh(day)}趋势", 1.15) for day in trend]
    by_city: dict[str, dict[date, ForecastDay]] = {}
    for item in part.days:
        by_city.setdefault(item.adcode, {})[item.date] = item
    rows = tuple(_matrix_row(days, full, trend) for days in by_city.values())
    note = f"级别略去“污染”二字；颜色按AQI中心值。{_note(part)}"
    return Table("各市空气质量预报", make_columns(*columns), rows, note, dense=True)


def _matrix_row(
    days: dict[date, ForecastDay], full: tuple[date, ...], trend: tuple[date, ...]
) -> tuple[Cell, ...]:
    cells = [Cell(next(iter(days.values())).city_zh)]
    for date_ in full:
        day = days.get(date_)
        if day is None:
            cells += [Cell(MISSING)] * 3
            continue
        cells.append(Cell(interval(day.aqi_lo, day.aqi_hi), day.level))
        cells.append(Cell(_short(day)))
        cells.append(Cell("/".join(day.primary_zh) or MISSING))
    for date_ in trend:
        day = days.get(date_)
        cells.append(Cell(_short(day), day.level) if day is not None else Cell(MISSING))
    return tuple(cells)


def _short(day: ForecastDay) -> str:
    """Levels without the word 污染, which a narrow column has no room for."""
    return day.level_zh.replace("污染", "")


def detail_table(part: Forecast) -> Table:
    """Focus cities by day: AQI range, level, primary, and each target with interval and probability."""
    order = {adcode: k for k, adcode in enumerate(part.focus)}
    days = [day for day in part.days if day.adcode in order and day.date in part.detail_dates]
    days.sort(key=lambda day: (order[day.adcode], day.date))
    targets = detailed_targets(days)
    columns = [("城市", 0.8), ("日期", 1.0), ("AQI", 1.0), ("级别", 1.6), ("首要污染物", 1.3)]
    for target in targets:
        columns += [(target.info.name_zh, 1.7), ("超标概率", 1.1)]
    rows = tuple(
        (
            Cell(day.city_zh, rows=span),
            Cell(date_zh(day.date)),
            Cell(interval(day.aqi_lo, day.aqi_hi), day.level),
            Cell(day.level_zh, day.level),
            Cell("或".join(day.primary_zh) or MISSING),
            *(cell for target in targets for cell in _quantity_cells(day.quantity(target))),
        )
        for day, span in zip(days, row_spans([day.city_zh for day in days]), strict=True)
    )
    note = f"浓度为中位值[10%–90%分位]，μg/m³；颜色按AQI中心值。{_call_note(days)}{_note(part)}"
    return Table("重点城市逐日预报", make_columns(*columns), rows, note)


def _quantity_cells(quantity: Quantity | None) -> tuple[Cell, Cell]:
    if quantity is None:
        return Cell(MISSING), Cell(MISSING)
    mark = "*" if quantity.converted else ""
    text = f"{number(quantity.q50)}{mark} [{interval(quantity.q10, quantity.q90)}]"
    call = "，超标" if quantity.exceeds else ""
    return Cell(text), Cell(f"{percent(quantity.p_exceed)}{call}")


def _call_note(days: Sequence[ForecastDay]) -> str:
    """From which probabilities on an exceedance is called, by pollutant."""
    found: dict[Target, list[float]] = {}
    for day in days:
        for quantity in day.quantities:
            if quantity.call_from is not None:
                found.setdefault(quantity.target, []).append(quantity.call_from)
    texts = []
    for target in detailed_targets(days):
        if target in found:
            low, high = percent(min(found[target])), percent(max(found[target]))
            texts.append(f"{target.info.name_zh}{low if low == high else f'{low}至{high}'}")
    return f"概率达到判定阈值（{'、'.join(texts)}）的判为超标。" if texts else ""


def _note(part: Forecast) -> str:
    converted = any(q.converted for day in part.days for q in day.quantities)
    remark = "*O₃-8h由日均值换算。" if converted else ""
    return f"{remark}评价标准：{part.standard}；气象驱动：{part.weather_kind.name_zh}。{part.note_zh}"


def map_note(brief: Brief) -> str:
    """What has to stand under every map."""
    note = brief.map_note
    return "；".join(text for text in (note.attribution_zh, note.approval_no) if text)
