"""The assessment after an event as documents: a page with charts, Markdown, and all numbers as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from yrd_airq.brief.assessment import Assessment, period_zh, signed, span
from yrd_airq.brief.assessment_figures import draw_assessment
from yrd_airq.brief.blocks import (
    Block,
    Bullets,
    Cell,
    Figure,
    Outline,
    Paragraph,
    Section,
    Table,
    make_columns,
)
from yrd_airq.brief.outline import Numbering, number_blocks
from yrd_airq.brief.plain import write_plain
from yrd_airq.brief.settings import load_brief_settings
from yrd_airq.brief.typography import MISSING, number, percent
from yrd_airq.brief.web import write_page
from yrd_airq.brief.wording import list_zh
from yrd_airq.region import Region
from yrd_airq.verify.effect import Effect

_VERDICTS = {"lower": "确认下降", "higher": "偏高", "unclear": "不能确认", "no_claim": "不作结论"}


def write_assessment(assessment: Assessment, region: Region, out: Path) -> tuple[Path, ...]:
    """Write ``assessment.html``, ``.md``, ``.json`` and ``figures/`` to ``out``; returns the documents."""
    figures = out / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    draw_assessment(assessment, region, figures)
    outline = lay_out(assessment, region)
    page, plain, data = (out / f"assessment.{end}" for end in ("html", "md", "json"))
    write_page(outline, figures, page)
    write_plain(outline, plain)
    text = json.dumps(_numbers(assessment), ensure_ascii=False, indent=1, default=str)
    data.write_text(text + "\n", encoding="utf-8")
    return (page, plain, data)


def lay_out(of: Assessment, region: Region) -> Outline:
    """The report as blocks."""
    numbering = Numbering()
    parts = (
        ("评估结论", _conclusions(of)),
        ("受体城市效果", _receptors(of, region)),
        ("名单预计与执行", _promise(of)),
        ("方法与局限", _methods(of)),
    )
    sections = tuple(
        Section(f"{'一二三四'[k]}、{heading}", tuple(number_blocks(blocks, numbering.table, numbering)))
        for k, (heading, blocks) in enumerate(parts)
    )
    annexes: tuple[Section, ...] = ()
    if of.elsewhere:
        table = _effect_table(of.elsewhere, of, region, "管控圈内其余城市")
        blocks = number_blocks(iter((table,)), numbering.annex_table, numbering)
        annexes = (Section("附件1　管控圈内其余城市", tuple(blocks), landscape=True),)
    return Outline(
        title=f"{of.event.name_zh}空气质量保障效果评估",
        subtitle=f"管控期：{period_zh(of)}",
        label="演练" if of.drill else "",
        masthead=(
            ("制作单位", load_brief_settings().maker_zh),
            ("活动时段", f"{of.event.start} 至 {of.event.end}"),
            ("资料来源", of.source.name_zh),
        ),
        sections=sections,
        annexes=annexes,
    )


def _conclusions(of: Assessment) -> Iterator[Block]:
    yield Bullets(of.lessons_zh)


def _receptors(of: Assessment, region: Region) -> Iterator[Block]:
    yield Figure("assessment_course", "观测与气象条件推算值（阴影为管控期，色带为逐日误差的10%—90%范围）")
    if any(effect.verdict != "no_claim" for effect in of.at_receptors):
        yield Figure("assessment_effect", f"管控效果及其{percent(of.coverage)}区间", 0.8)
    yield _effect_table(of.at_receptors, of, region, "受体城市管控效果")
    yield Paragraph("与上年同期的变化同时含有气象与其他减排的影响，不代表管控效果，仅供对照。", "note")


def _effect_table(effects: tuple[Effect, ...], of: Assessment, region: Region, caption: str) -> Table:
    columns = make_columns(
        *(("城市", 0.8), ("项目", 0.8), ("天数", 0.6), ("观测", 0.7), ("推算", 0.7), ("变化", 0.8)),
        *((f"{percent(of.coverage)}区间", 1.4), ("仅逐日抽样", 1.4), ("圈外对照后", 1.4), ("上年同期", 0.9)),
        ("结论", 1.0),
    )
    return Table(
        caption,
        columns,
        tuple(_effect_cells(effect, region) for effect in effects),
        "浓度单位：μg/m³。区间由同季、同样长短的安慰剂时段得到，含模型误差；“仅逐日抽样”不含模型误差，偏窄。",
        dense=True,
    )


def _effect_cells(effect: Effect, region: Region) -> tuple[Cell, ...]:
    stated = effect.verdict != "no_claim"
    texts = (
        region.city(effect.adcode).short_zh,
        effect.target.info.name_zh,
        str(effect.days),
        number(effect.observed, 1),
        number(effect.expected, 1),
        signed(effect.effect) if stated else MISSING,
        span(effect.low, effect.high) if stated else MISSING,
        span(effect.sampling_low, effect.sampling_high) if stated else MISSING,
        _compared(effect),
        signed(effect.last_year) if math.isfinite(effect.last_year) else MISSING,
        _VERDICTS[effect.verdict],
    )
    return tuple(Cell(text) for text in texts)


def _compared(effect: Effect) -> str:
    if not math.isfinite(effect.did):
        return MISSING
    if not math.isfinite(effect.did_low):
        return signed(effect.did)
    return f"{signed(effect.did)}（{span(effect.did_low, effect.did_high)}）"


def _promise(of: Assessment) -> Iterator[Block]:
    if of.promise is None:
        yield Paragraph("库中没有该活动的管控名单。")
    else:
        stamp = of.promise.issue_time
        made = f"名单起报时间{stamp:%Y-%m-%d %H:%M}（运行编号{of.promise.run_id}）"
        yield Paragraph(f"{made}，管控{of.promise.enterprises}家企业。")
    if of.execution is None or of.execution.by_enterprise.empty:
        yield Paragraph("未提供执行记录。")
        return
    basis = {"inspection": "现场核查", "electricity": "用电"}
    lowest = of.execution.by_enterprise.sort_values(["share", "enterprise_id"], kind="stable").head(15)
    columns = make_columns(("企业编号", 2.0), ("执行率", 1.0), ("天数", 0.8), ("依据", 1.0))
    rows = tuple(
        (
            Cell(row["enterprise_id"]),
            Cell(percent(row["share"])),
            Cell(str(row["days"])),
            Cell(basis[row["basis"]]),
        )
        for row in lowest.to_dict("records")
    )
    yield Table("执行率最低的企业", columns, rows)
    if of.execution.unknown:
        yield Paragraph(
            f"无执行记录：{list_zh(list(of.execution.unknown), 10)}。".replace("个城市", "家"), "note"
        )


_WEATHER_ZH = {"ssrd_wm2": "日照辐射", "precip_mm": "降水", "blh_m": "边界层高度", "rh_pct": "湿度"}


def _methods(of: Assessment) -> Iterator[Block]:
    absent = [name for key, name in _WEATHER_ZH.items() if key not in of.weather]
    lack = f"；气象资料不含{'、'.join(absent)}，其异常会被误作管控效果（臭氧尤甚）" if absent else ""
    fits = "；".join(
        f"{e.target.info.name_zh} r={number(e.r, 2)}（{int(e.trained.sum())}天）" for e in of.expectations
    )
    counts = sorted({effect.placebos for effect in of.at_receptors})
    windows = f"{counts[0]}—{counts[-1]}" if len(counts) > 1 else str(counts[0] if counts else 0)
    yield Bullets(
        (
            "气象标准化：以非管控日训练LightGBM，输入仅为当日及前两日气象、季节、趋势与日历，不含任何污染物浓度；"
            "每一日均由未见过其所在时段的模型推算。",
            f"各项目样本外相关系数：{fits}。",
            f"区间：以{windows}个同季、同样长短的非管控时段作安慰剂检验，其偏差的分布即为本法的误差。",
            "局限：推算假定管控期以外的排放与常年同期相同；区域输送只通过气象间接体现；"
            f"圈外对照城市若同样减排，扣除后的效果偏小{lack}。",
        )
    )


def _numbers(of: Assessment) -> dict[str, Any]:
    """All numbers; what is not known is null."""
    effects = [
        {
            name: None if isinstance(v, float) and not math.isfinite(v) else v
            for name, v in asdict(effect).items()
        }
        for effect in of.effects
    ]
    promise = None
    if of.promise is not None:
        promise = {
            "run_id": of.promise.run_id,
            "enterprises": of.promise.enterprises,
            "benefit_ugm3": {target.value: value for target, value in of.promise.benefit.items()},
        }
    execution = None
    if of.execution is not None:
        weighted = of.execution.weighted
        execution = {
            "weighted_share": weighted if math.isfinite(weighted) else None,
            "enterprises": of.execution.by_enterprise.to_dict("records"),
            "unknown": list(of.execution.unknown),
        }
    return {
        "event": of.event.code,
        "first": of.first,
        "last": of.last,
        "source": of.source.value,
        "coverage": of.coverage,
        "effects": effects,
        "promise": promise,
        "execution": execution,
        "lessons_zh": list(of.lessons_zh),
    }
