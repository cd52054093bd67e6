"""The one door to ``configs/``: YAML files read into typed, frozen settings; unknown keys are refused.

Each room declares the shape of its own file beside the code that uses it and loads it here. The
folder is ``configs`` of the working directory, or the one named by ``YRD_AIRQ_CONFIGS``.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from yrd_airq.errors import Faults, InputError
from yrd_airq.vocab import Target


class Settings(BaseModel):
    """Base of every settings model: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Marked(Settings):
    """A number with the mark of its origin, so that nobody mistakes a guess for a finding.

    ``mark`` is ``found`` (read in the named source), ``derived`` (computed from found numbers or
    data by the named way) or ``recalled`` (general knowledge; ``confidence`` says how sure).
    """

    value: float
    mark: Literal["found", "derived", "recalled"]
    source: str
    confidence: Literal["high", "medium", "low"] | None = None

    @model_validator(mode="after")
    def _recalled_has_confidence(self) -> Marked:
        if (self.mark == "recalled") != (self.confidence is not None):
            raise ValueError("'confidence' goes with mark 'recalled', and only with it")
        return self

    def __float__(self) -> float:
        return self.value


class Venue(Settings):
    """Where the event is held; WGS84 degrees."""

    name_zh: str
    adcode: str
    lon: float
    lat: float


class Zone(Settings):
    """One ring around the venue; an enterprise belongs to the first (strictest) zone that holds it.

    A zone holds what lies within ``radius_km`` of the venue and everything in the cities ``adcodes``.
    """

    code: str
    name_zh: str
    radius_km: float
    adcodes: tuple[str, ...] = ()


class Event(Settings):
    """A major-event guarantee (重大活动保障): where, when, for whom, and how clean.

    ``goals`` are upper limits per target in µg/m³; ``goal_quantile`` is the forecast quantile that
    has to keep below them. ``control_start`` defaults to the event's first day.
    """

    code: str
    name_zh: str
    venue: Venue
    start: date
    end: date
    control_start: date
    receptors: tuple[str, ...]
    goals: dict[Target, float]
    goal_quantile: float = 0.75
    zones: tuple[Zone, ...]
    source: str = ""

    @model_validator(mode="before")
    @classmethod
    def _default_control_start(cls, data: object) -> object:
        if isinstance(data, dict) and "start" in data:
            data.setdefault("control_start", data["start"])
        return data

    @model_validator(mode="after")
    def _consistent(self) -> Event:
        if self.end < self.start:
            raise ValueError(f"the event ends ({self.end}) before it starts ({self.start})")
        if self.control_start > self.start:
            raise ValueError(f"controls start ({self.control_start}) after the event ({self.start})")
        if not self.zones or not self.receptors or not self.goals:
            raise ValueError("an event needs at least one zone, one receptor city and one goal")
        if list(self.zones) != sorted(self.zones, key=lambda z: z.radius_km):
            raise ValueError("zones must be listed from the smallest radius to the largest")
        return self


Model = TypeVar("Model", bound=Settings)


def config_dir() -> Path:
    """Folder of the configuration files."""
    return Path(os.environ.get("YRD_AIRQ_CONFIGS", "configs"))


def load(model: type[Model], name: str) -> Model:
    """``configs/<name>.yaml`` as ``model``; ``InputError`` lists every fault of the file."""
    return load_file(model, config_dir() / f"{name}.yaml")


def load_file(model: type[Model], path: Path) -> Model:
    """A YAML file as ``model``; ``InputError`` lists every fault of the file."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise InputError(f"{path}: no such file") from exc
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise InputError(f"{path}: cannot be read as YAML: {exc}") from exc
    try:
        return model.model_validate(data)
    except ValidationError as exc:
        faults = Faults(str(path))
        for error in exc.errors():
            place = ".".join(str(part) for part in error["loc"]) or "file"
            faults.add(f"{place}: {error['msg']}")
        faults.raise_if_any()
        raise AssertionError("a validation error names at least one fault") from exc


def load_event(path: Path) -> Event:
    """An event file (``configs/events/<name>.yaml``)."""
    return load_file(Event, path)
