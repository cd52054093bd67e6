"""Under which version of the standards days are judged: the one in force on each day, or one by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from yrd_airq.errors import InputError
from yrd_airq.standards.versions import IN_FORCE_2026, LimitStage, Standard, stage_of, standard_of

AS_OF_DATE: Final = "as_of_date"
_STAGE_WORDS: Final = {"2012": LimitStage.GB3095_2012, "2026": None, "2031": LimitStage.GB3095_2026}


@dataclass(frozen=True)
class Basis:
    """Version of the AQI rules and set of limits; None means the one in force on the day of the data.

    With a named ``standard`` and no ``stage`` the limits are those that came with it.
    """

    standard: Standard | None = None
    stage: LimitStage | None = None

    def standard_on(self, day: date) -> Standard:
        """Version of HJ 633 that judges ``day``."""
        return self.standard or standard_of(day)

    def stage_on(self, day: date) -> LimitStage:
        """Limits of GB 3095 that judge ``day``."""
        if self.stage is not None:
            return self.stage
        if self.standard is Standard.HJ633_2012:
            return LimitStage.GB3095_2012
        return stage_of(max(day, IN_FORCE_2026)) if self.standard is Standard.HJ633_2026 else stage_of(day)

    def fixed_on(self, day: date) -> Basis:
        """The basis of ``day`` for every day, so that two periods are judged alike."""
        return Basis(self.standard_on(day), self.stage_on(day))

    @property
    def name(self) -> str:
        """What is printed above figures."""
        limits = f", limits of {self.stage}" if self.stage else ""
        return f"{self.standard or 'the standard in force on each day'}{limits}"

    @classmethod
    def named(cls, standard: str, stage: str | None = None) -> Basis:
        """From words of a command line: ``as_of_date``, ``HJ 633-2012`` (or 2012), ``HJ 633-2026`` (or 2026).

        ``stage`` names limits other than those that go with the version: a ``LimitStage``, or 2012, 2026
        (to 2030), 2031. Raises ``InputError`` for any other word.
        """
        if standard == AS_OF_DATE:
            chosen = None
        else:
            found = [s for s in Standard if standard in (s.value, s.value[-4:])]
            if not found:
                known = ", ".join((AS_OF_DATE, *Standard))
                raise InputError(f"unknown standard {standard!r}; give one of {known}")
            chosen = found[0]
        return cls(chosen, None if stage is None else _stage(stage))


def _stage(word: str) -> LimitStage:
    if word in _STAGE_WORDS:
        return _STAGE_WORDS[word] or LimitStage.GB3095_2026_TRANSITION
    try:
        return LimitStage(word)
    except ValueError as exc:
        known = ", ".join((*_STAGE_WORDS, *LimitStage))
        raise InputError(f"unknown limits {word!r}; give one of {known}") from exc
