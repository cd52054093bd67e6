"""Which trained model of a target speaks: candidates judged beside the model in use, decisions kept for good.

The decisions of a target lie in ``decisions.json`` beside its versions. A model without a promotion there
is never used for an issue; a withdrawn one is not used again (roll-back).
"""

from __future__ import annotations

import json
import math
import os
from datetime import date
from pathlib import Path

from pydantic import Field, ValidationError

from yrd_airq.errors import InputError
from yrd_airq.forecast.model import Card, Model
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.recent import compare
from yrd_airq.settings import Settings
from yrd_airq.vocab import CityDaySource, Target

_FILE = "decisions.json"
_DIGITS = 3


class GateSettings(Settings):
    """Leads that are judged, fewest days for it, and the ratio of RMSE up to which the newer is taken."""

    leads: tuple[int, ...]
    min_days: int = Field(gt=0)
    tolerance: float = Field(gt=0)


class DriftSettings(Settings):
    """Leads and newest days that are watched; ratios to the card and to persistence that call for action."""

    leads: tuple[int, ...]
    days: int = Field(gt=0)
    min_days: int = Field(gt=0)
    watch_ratio: float = Field(gt=0)
    fail_ratio: float = Field(gt=0)


class RegistrySettings(Settings):
    """Shape of ``configs/registry.yaml``."""

    gate: GateSettings
    drift: DriftSettings


class Decision(Settings):
    """The judgement of one candidate: against which model, on which days, with which RMSE, and why.

    ``against`` is a version or ``persistence``. It holds no clock time: the same history, the same decision.
    """

    version: str
    source: CityDaySource
    weather_ahead: bool
    issue_hour: int
    train_last: date
    against: str
    first: date | None
    last: date | None
    days: int
    rmse: float | None
    rmse_against: float | None
    promoted: bool
    reason: str


class Withdrawal(Settings):
    """A roll-back: a version that is not to be used again, why, and who said so."""

    version: str
    reason: str
    made_by: str


class Decisions(Settings):
    """All decisions on one target, oldest first."""

    made: tuple[Decision, ...] = ()
    withdrawn: tuple[Withdrawal, ...] = ()

    def of(self, version: str, issue_hour: int) -> Decision | None:
        """The newest decision on a version, for issues at ``issue_hour``."""
        own = [d for d in self.made if d.version == version and d.issue_hour == issue_hour]
        return own[-1] if own else None

    def is_withdrawn(self, version: str) -> bool:
        """Whether the version was rolled back."""
        return any(w.version == version for w in self.withdrawn)

    def in_use(
        self, source: CityDaySource, weather_ahead: bool, issue_hour: int, until: date
    ) -> tuple[Decision, ...]:
        """Promoted versions trained up to ``until`` at most, in the order in which they speak."""
        fit = {
            d.version: d
            for d in self.made
            if (d.source, d.weather_ahead, d.issue_hour) == (source, weather_ahead, issue_hour)
            and d.train_last <= until
        }
        found = [d for d in fit.values() if d.promoted and not self.is_withdrawn(d.version)]
        # Of two trainings up to the same day the one that was judged later saw the corrected data.
        order = {d.version: k for k, d in enumerate(self.made)}
        return tuple(sorted(found, key=lambda d: (d.train_last, order[d.version]), reverse=True))


def judge(
    panel: Panel, candidate: Model, incumbent: Model | None, issue_date: date, settings: GateSettings
) -> Decision:
    """Judge a candidate on the days since both trainings; without an incumbent it must beat persistence."""
    card = candidate.card
    found = compare(panel, candidate, incumbent, issue_date, settings.leads, None)
    limit = settings.tolerance if incumbent is not None else 1.0
    enough = found.days >= settings.min_days
    good = not enough or found.rmse <= limit * found.rmse_against
    name = incumbent.card.version if incumbent is not None else "persistence"
    if not enough:
        reason = f"{found.days} days since the training are too few to judge; the newer training is taken"
    elif good:
        reason = f"RMSE at most {limit:g} times that of {name}"
    else:
        reason = f"RMSE more than {limit:g} times that of {name}; not taken into use"
    return Decision(
        version=card.version,
        source=card.source,
        weather_ahead=card.weather_ahead,
        issue_hour=card.issue_hour,
        train_last=card.train_last,
        against=name,
        first=found.first,
        last=found.last,
        days=found.days,
        rmse=_rounded(found.rmse),
        rmse_against=_rounded(found.rmse_against),
        promoted=good,
        reason=reason,
    )


def read_decisions(root: Path, target: Target) -> Decisions:
    """The decisions on ``target`` in the registry ``root``; ``InputError`` if the file is damaged."""
    path = root / target.value / _FILE
    try:
        return Decisions.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Decisions()
    except (OSError, ValueError, ValidationError) as exc:
        raise InputError(f"{path}: the decisions on models cannot be read ({exc}); restore the file") from exc


def add_decision(root: Path, target: Target, decision: Decision) -> None:
    """Keep a decision."""
    held = read_decisions(root, target)
    _write(root, target, held.model_copy(update={"made": (*held.made, decision)}))


def withdraw(root: Path, target: Target, version: str, reason: str, made_by: str) -> Decisions:
    """Roll a version back; ``InputError`` if it was never in use or is withdrawn, or without a reason."""
    held = read_decisions(root, target)
    if not any(d.version == version and d.promoted for d in held.made):
        raise InputError(f"{target.value}: version {version!r} was never in use; see yrd-airq models list")
    if held.is_withdrawn(version):
        raise InputError(f"{target.value}: version {version} is withdrawn already")
    if not reason.strip() or not made_by.strip():
        raise InputError("a roll-back needs a reason and the name of who orders it")
    withdrawal = Withdrawal(version=version, reason=reason, made_by=made_by)
    held = held.model_copy(update={"withdrawn": (*held.withdrawn, withdrawal)})
    _write(root, target, held)
    return held


def _write(root: Path, target: Target, decisions: Decisions) -> None:
    path = root / target.value / _FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{_FILE}-{os.getpid()}")
    text = json.dumps(decisions.model_dump(mode="json"), ensure_ascii=False, indent=1, sort_keys=True)
    draft.write_text(text + "\n", encoding="utf-8")
    draft.replace(path)


def _rounded(value: float) -> float | None:
    return round(value, _DIGITS) if math.isfinite(value) else None


def expected_rmse(card: Card, leads: tuple[int, ...]) -> float:
    """RMSE that the card promises for ``leads``, pooled; NaN where it names none."""
    squares = [s.lightgbm.rmse**2 for s in card.scores if s.lead_day in leads and s.lightgbm.rmse is not None]
    return math.sqrt(sum(squares) / len(squares)) if squares else math.nan
