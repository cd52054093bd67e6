"""The file in which a forecaster writes edits of a list: YAML, CSV or XLSX, read and checked as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import yaml

from yrd_airq.control.edits import EDIT_COLUMNS, Action
from yrd_airq.control.settings import ControlSettings
from yrd_airq.errors import Faults, InputError
from yrd_airq.sources.enterprise_identity import mask_phones
from yrd_airq.sources.files import read_content
from yrd_airq.sources.sheet import read_table
from yrd_airq.sources.text import Form

_COLUMNS = {
    "enterprise": ("enterprise", "enterprise_id", "企业", "企业名称", "企业编号", "统一社会信用代码"),
    "action": ("action", "动作", "操作", "修订"),
    "measure": ("measure", "measure_code", "措施", "管控措施"),
    "reason": ("reason", "理由", "原因", "修订理由"),
    "author": ("author", "填报人", "预报员", "修订人"),
}
_ACTIONS = {word: action for action in Action for word in (action.value, action.name_zh)}


@dataclass(frozen=True)
class _Line:
    """One edit as written; ``place`` names it for people."""

    place: str
    enterprise: str
    action: str
    measure: str
    reason: str
    author: str


def read_edits(
    path: Path,
    enterprises: pd.DataFrame,
    settings: ControlSettings,
    day: date,
    standing: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The edits of a file as rows in ``EDIT_COLUMNS``, for a list that rules from ``day``.

    YAML: ``author`` and a list ``edits`` of enterprise, action (保留, 改措施, 剔除, 撤销), measure and
    reason; a table has one edit a line under these headings. An enterprise is named by id, credit code or
    exact name, a
    measure by code or name. ``standing``: edits in force, which alone can be withdrawn. Raises ``InputError``
    that lists every fault: unreadable file, unknown or ambiguous enterprise, exempt or voluntary one forced
    in, measure that its sector or grade does not permit, two edits of one enterprise, no reason, no author.
    """
    lines = _read_yaml(path) if path.suffix.lower() in (".yaml", ".yml") else _read_table(path)
    faults = Faults(f"{path}")
    if not lines:
        faults.add("no edit in it; write at least one")
    rows = [_judge(line, enterprises, settings, day, faults) for line in lines]
    made = pd.DataFrame([row for row in rows if row is not None], columns=list(EDIT_COLUMNS))
    _check_together(made, lines, rows, standing, faults)
    faults.raise_if_any()
    return made.sort_values("enterprise_id", kind="stable").reset_index(drop=True)


def _read_yaml(path: Path) -> list[_Line]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise InputError(f"{path}: no such file; --edits names the file of edits") from exc
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise InputError(f"{path}: cannot be read as YAML: {exc}") from exc
    edits = data.get("edits") if isinstance(data, dict) else None
    if not isinstance(edits, list) or not all(isinstance(edit, dict) for edit in edits):
        raise InputError(f"{path}: write 'author: …' and 'edits:' with one '- enterprise: …' an edit")
    return [
        _line(f"edit {number}", {str(key): value for key, value in edit.items()}, data.get("author"))
        for number, edit in enumerate(edits, start=1)
    ]


def _read_table(path: Path) -> list[_Line]:
    called = {word: name for name, words in _COLUMNS.items() for word in words}
    form = Form(rename=lambda names: tuple(called.get(name.strip(), name) for name in names))
    table = read_table(path, read_content(path), form)
    missing = [_COLUMNS[name][2] for name in ("enterprise", "action", "reason") if name not in table.names]
    if missing:
        raise InputError(f"{path}: lacks the column(s) {', '.join(missing)}; add them")
    if table.refused.num_rows:
        told = [f"line {row['row'] + 1}: {row['reason']}" for row in table.refused.to_pylist()]
        raise InputError("\n".join([f"{path}: {len(told)} fault(s)", *(f"  - {fault}" for fault in told)]))
    cells = {name: table.optional(name).to_pylist() for name in _COLUMNS}
    records = [dict(zip(cells, values, strict=True)) for values in zip(*cells.values(), strict=True)]
    return [_line(f"line {row + 1}", record, None) for row, record in zip(table.row, records, strict=True)]


def _line(place: str, record: Mapping[str, object], author: object) -> _Line:
    words = {name: str(record.get(name) or "").strip() for name in _COLUMNS}
    words["author"] = words["author"] or str(author or "").strip()
    return _Line(place, **words | {"reason": mask_phones(words["reason"])})


def _judge(
    line: _Line, enterprises: pd.DataFrame, settings: ControlSettings, day: date, faults: Faults
) -> tuple[str, str, str | None, str, str] | None:
    """The edit as a row, None where it is faulty; every fault is noted."""
    before = len(faults.found)
    action = _ACTIONS.get(line.action)
    if action is None:
        faults.add(f"{line.place}: action {line.action!r} is none of {', '.join(a.name_zh for a in Action)}")
    if not line.reason:
        faults.add(f"{line.place}: no reason; say why")
    if not line.author:
        faults.add(f"{line.place}: nobody named as author; add who says so")
    found = _find(line, enterprises, faults)
    code = _measure(line, action, settings, faults)
    if found is not None and action in (Action.KEEP, Action.CHANGE):
        _check_permitted(line, found, code, settings, day, faults)
    if len(faults.found) > before or action is None or found is None:
        return None
    return str(found["enterprise_id"]), action.value, code, line.reason, line.author


def _find(line: _Line, enterprises: pd.DataFrame, faults: Faults) -> pd.Series | None:
    """The enterprise that a line names, by id, credit code or exact name."""
    for column in ("enterprise_id", "uscc", "name_zh"):
        if column not in enterprises or not line.enterprise:
            continue
        same = enterprises[enterprises[column] == line.enterprise]
        if len(same) == 1:
            return same.iloc[0]
        if len(same) > 1:
            ids = ", ".join(same["enterprise_id"])
            faults.add(f"{line.place}: {line.enterprise!r} names {len(same)} entries of the list: {ids}")
            return None
    faults.add(f"{line.place}: enterprise {line.enterprise!r} is not in the list; name it by id or full name")
    return None


def _measure(line: _Line, action: Action | None, settings: ControlSettings, faults: Faults) -> str | None:
    """Code of the measure that a line names, None without one."""
    if not line.measure:
        if action is Action.CHANGE:
            faults.add(f"{line.place}: 改措施 without a measure; name it")
        return None
    if action in (Action.DROP, Action.WITHDRAW):
        faults.add(f"{line.place}: {action.name_zh} takes no measure; leave {line.measure!r} out")
        return None
    for measure in settings.measures:
        if line.measure in (measure.code, measure.name_zh):
            return measure.code
    known = "、".join(f"{measure.code} {measure.name_zh}" for measure in settings.measures)
    faults.add(f"{line.place}: measure {line.measure!r} is unknown; known are {known}")
    return None


def _check_permitted(
    line: _Line, found: pd.Series, code: str | None, settings: ControlSettings, day: date, faults: Faults
) -> None:
    """Nobody exempt or voluntary is forced in, and no measure that sector and grade do not permit."""
    grade = found["grade"] if isinstance(found["grade"], str) else ""
    until = found.get("exempt_until", pd.NaT)
    if bool(found["exempt"]) and not until < pd.Timestamp(day):
        faults.add(f"{line.place}: {line.enterprise} is exempt ({found['exempt_reason']}) and stays so")
        return
    if grade in settings.grades.voluntary:
        faults.add(f"{line.place}: {line.enterprise} has grade {grade} and reduces on its own")
        return
    grade = grade if grade in settings.grades.graded else settings.grades.unknown_as
    sector = next((sector for sector in settings.sectors if sector.code == found["sector"]), None)
    permitted = [
        measure.code
        for measure in settings.measures
        if sector is not None and measure.code in sector.measures and grade in measure.grades
    ]
    if not permitted:
        faults.add(
            f"{line.place}: no measure is permitted for {line.enterprise} ({found['sector']}, {grade})"
        )
    elif code is not None and code not in permitted:
        faults.add(
            f"{line.place}: {code} is not permitted for {line.enterprise} ({found['sector']}, {grade}); "
            f"permitted are {', '.join(permitted)}"
        )


def _check_together(
    made: pd.DataFrame,
    lines: Sequence[_Line],
    rows: Sequence[tuple[str, str, str | None, str, str] | None],
    standing: pd.DataFrame | None,
    faults: Faults,
) -> None:
    """Contradictions between lines, and withdrawals of what nobody said."""
    places: dict[str, list[str]] = {}
    for line, row in zip(lines, rows, strict=True):
        if row is not None:
            places.setdefault(row[0], []).append(line.place)
    for enterprise, told in places.items():
        if len(told) > 1:
            faults.add(f"{' and '.join(told)} are about one enterprise ({enterprise}); keep one of them")
    held = set(standing["enterprise_id"]) if standing is not None else set()
    withdrawn = made.loc[made["action"] == Action.WITHDRAW, "enterprise_id"]
    for enterprise in withdrawn[~withdrawn.isin(held)]:
        faults.add(f"{places[enterprise][0]}: no edit of {enterprise} is in force, so none can be withdrawn")
