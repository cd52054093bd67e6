"""The emergency list as a document of its own: page, Markdown, JSON, and the whole list as CSV."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

import pandas as pd

from yrd_airq.brief.blocks import Outline, Section
from yrd_airq.brief.content_emergency import Emergency
from yrd_airq.brief.emergency_section import emergency, order_table
from yrd_airq.brief.outline import Numbering, number_blocks
from yrd_airq.brief.plain import write_plain
from yrd_airq.brief.settings import load_brief_settings
from yrd_airq.brief.web import write_page


def write_emergency(
    part: Emergency, orders: pd.DataFrame | None, issue_time: datetime, drill: bool, out: Path
) -> tuple[Path, ...]:
    """Write ``emergency.html``, ``.md``, ``.json`` to ``out``, and with orders ``emergency_list.csv``."""
    out.mkdir(parents=True, exist_ok=True)
    outline = lay_out(part, issue_time, drill)
    page, plain, data = (out / f"emergency.{end}" for end in ("html", "md", "json"))
    with tempfile.TemporaryDirectory() as empty:
        write_page(outline, Path(empty), page)
    write_plain(outline, plain)
    data.write_text(part.model_dump_json(indent=1) + "\n", encoding="utf-8")
    if orders is None:
        return (page, plain, data)
    table = out / "emergency_list.csv"
    orders.to_csv(table, index=False, encoding="utf-8-sig", lineterminator="\n")
    return (page, plain, data, table)


def lay_out(part: Emergency, issue_time: datetime, drill: bool) -> Outline:
    """The document as blocks: the section of the brief, and every order in an annex."""
    numbering = Numbering()
    body = number_blocks(emergency(part), numbering.table, numbering)
    annexes: tuple[Section, ...] = ()
    if part.orders:
        listed = order_table(part.orders, "预警措施清单", searchable=True)
        blocks = number_blocks(iter((listed,)), numbering.annex_table, numbering)
        annexes = (Section("附件1　预警措施清单", tuple(blocks), landscape=True),)
    return Outline(
        title="重污染天气应急研判",
        subtitle=f"{issue_time.year}年{issue_time.month}月{issue_time.day}日{issue_time.hour}时",
        label="演练" if drill else "",
        masthead=(("制作单位", load_brief_settings().maker_zh), ("起报时间", f"{issue_time:%Y-%m-%d %H:%M}")),
        sections=(Section("一、预警研判与应对", tuple(body)),),
        annexes=annexes,
    )
