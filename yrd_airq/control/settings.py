"""The shape of ``configs/control.yaml``: measures, sector and grade rules, burden, solver limits."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from yrd_airq.settings import Marked, Settings
from yrd_airq.vocab import Precursor


class Measure(Settings):
    """One thing an enterprise can be asked to do.

    ``cut`` is the share of the day's emission that is avoided, by precursor; a precursor that is not
    named is not changed. ``ozone_cut`` is the share that is taken out of the hours in which ozone
    forms, where that differs from ``cut`` (work moved into the night); ozone benefits use it.
    ``burden_share`` is the part of a full stop's daily cost. ``widest_ring`` is the outermost zone
    the measure may be asked for, 1 = the innermost; events with more zones count the further ones
    as ring 3. ``notice_h`` is the time from the order to the effect; ``min_days`` the shortest
    period for which the measure makes sense.
    """

    code: str
    name_zh: str
    cut: dict[Precursor, Marked]
    ozone_cut: dict[Precursor, Marked] | None = None
    burden_share: Marked
    grades: tuple[str, ...]
    widest_ring: Literal[1, 2, 3]
    notice_h: Marked
    min_days: Marked


class MeasureOverride(Settings):
    """How a measure differs in one sector: longer notice or a longer shortest period."""

    notice_h: Marked | None = None
    min_days: Marked | None = None


class Sector(Settings):
    """A sector, the measures that it can carry out and what a full stop of it is worth.

    ``index_per_tonne`` is the burden of a full stop, in index points (10 000 CNY of lost value
    added) per tonne of emission (NOx + VOC + PM + SO2). ``rule_zh`` says why some measures are
    left out, and is printed.
    """

    code: str
    name_zh: str
    measures: tuple[str, ...]
    overrides: dict[str, MeasureOverride] = {}
    index_per_tonne: Marked
    rule_zh: str = ""


class GradeRule(Settings):
    """What performance grades mean.

    ``voluntary`` grades reduce on their own (自主减排) and are never selected. An unknown grade is
    treated as ``unknown_as``, which is said in the list.
    """

    voluntary: tuple[str, ...]
    graded: tuple[str, ...]
    unknown_as: str
    source: str


class SolverSettings(Settings):
    """Limits of the selection model; the seconds are shared by its two solves."""

    relative_gap: float
    seconds: float
    threads: int
    seed: int


class ControlSettings(Settings):
    """Shape of ``configs/control.yaml``.

    ``goal_days``: the goals hold on the event's days or on all control days. ``least_benefit_ugm3``:
    a measure that lowers no goal's concentration by at least this is not asked of anybody.
    ``kept_share``: where the goals cannot be reached, the share of the largest possible reduction
    that the plan keeps, so that nobody is stopped for the last crumbs. ``alternates``: number of
    next-best enterprises listed behind the selected ones.
    """

    measures: tuple[Measure, ...]
    sectors: tuple[Sector, ...]
    grades: GradeRule
    goal_days: Literal["event", "control"]
    least_benefit_ugm3: Marked
    kept_share: Marked
    least_burden_index: Marked
    stable_share: Marked
    doubtful_share: Marked
    host_province_leads: bool
    alternates: int
    emission_basis_zh: dict[str, str]
    solver: SolverSettings

    @model_validator(mode="after")
    def _consistent(self) -> ControlSettings:
        codes = [measure.code for measure in self.measures]
        sectors = [sector.code for sector in self.sectors]
        if len(set(codes)) < len(codes) or len(set(sectors)) < len(sectors):
            raise ValueError("a measure or sector code occurs twice")
        for sector in self.sectors:
            unknown = sorted((set(sector.measures) | set(sector.overrides)) - set(codes))
            if unknown:
                raise ValueError(f"sector {sector.code} names unknown measures: {', '.join(unknown)}")
        known = set(self.grades.graded)
        for measure in self.measures:
            wrong = sorted(set(measure.grades) - known)
            if wrong:
                raise ValueError(f"measure {measure.code} is given to grades {', '.join(wrong)}")
        if self.grades.unknown_as not in known:
            raise ValueError(f"unknown grades are treated as {self.grades.unknown_as!r}, which is no grade")
        return self
