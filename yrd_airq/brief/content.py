"""The content of a brief as one typed model: what every rendering prints, and what ``pack.json`` holds.

Only facts and finished Chinese sentences belong here; no layout, no computing. Concentrations are
µg/m³ (CO mg/m³); an absent number is ``None``; a section that a run did not make is ``None``.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Literal

from yrd_airq.brief.content_air import Check, Forecast, Observed, Weather
from yrd_airq.brief.content_emergency import Emergency
from yrd_airq.brief.content_sources import Attribution, Control, Survey, Transport
from yrd_airq.brief.content_versions import ListVersion
from yrd_airq.brief.part import Part
from yrd_airq.errors import InputError
from yrd_airq.vocab import Target


class Header(Part):
    """What stands at the top: which brief, by whom, with what knowledge.

    ``drill`` puts 演练 on every page; ``hindcast`` says that the issue time lies in the past and the
    outcome was already known when the brief was made. ``signer_zh`` is left blank for a person.
    """

    kind: Literal["daily", "event"]
    title_zh: str
    number_zh: str
    maker_zh: str
    issue_time: datetime
    data_cutoff: datetime
    run_id: str
    drill: bool = False
    hindcast: bool = False
    signer_zh: str = ""


class Zone(Part):
    """A ring around the venue."""

    code: str
    name_zh: str
    radius_km: float


class Occasion(Part):
    """The guaranteed event: where, when, for which cities, and its goals in µg/m³."""

    name_zh: str
    venue_zh: str
    adcode: str
    lon: float
    lat: float
    start: date
    end: date
    control_start: date
    receptors: tuple[str, ...]
    goals: dict[Target, float]
    zones: tuple[Zone, ...]


class KeyFigure(Part):
    """One figure of the conclusion box; ``level`` (1–6) colours it."""

    label_zh: str
    value_zh: str
    note_zh: str = ""
    level: int | None = None


class Conclusion(Part):
    """The conclusion in at most 150 characters, and the figures it rests on."""

    text_zh: str
    figures: tuple[KeyFigure, ...]


class InputUsed(Part):
    """One input of the run by the SHA-256 of its bytes."""

    kind_zh: str
    name: str
    content_hash: str
    rows: int


class ModelUsed(Part):
    """One model of the run."""

    target: Target
    version: str
    trained_until: date | None = None
    note_zh: str = ""


class Lineage(Part):
    """From which inputs, models, settings and code the numbers come."""

    inputs: tuple[InputUsed, ...]
    models: tuple[ModelUsed, ...]
    settings_hash: str
    code_version: str
    methods_zh: tuple[str, ...] = ()


class MapNote(Part):
    """What has to stand under every map."""

    attribution_zh: str
    approval_no: str | None


class Brief(Part):
    """The whole brief."""

    header: Header
    occasion: Occasion | None
    conclusion: Conclusion
    observed: Observed | None
    weather: Weather | None
    forecast: Forecast
    transport: Transport | None
    attribution: Attribution | None
    survey: Survey | None
    control: Control | None
    uncertainty_zh: tuple[str, ...]
    check: Check | None
    lineage: Lineage
    map_note: MapNote
    notes_zh: tuple[str, ...] = ()
    emergency: Emergency | None = None
    list_version: ListVersion | None = None


def write_pack(brief: Brief, path: Path) -> None:
    """The brief as ``pack.json``: UTF-8, the same bytes for the same brief."""
    path.write_text(brief.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_pack(path: Path) -> Brief:
    """A brief from ``pack.json`` (or from the pack folder that holds it); ``InputError`` if it is none."""
    file = path / "pack.json" if path.is_dir() else path
    try:
        return Brief.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise InputError(f"{file}: not a brief pack: {exc}") from exc
