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
    forms, where that differs from ``cut`` (work moved into the night), and ``ozone_gain`` what taking it out
    of those hours alone brings, over what the same share of the whole day would: what is let off at night is
    partly still there in the morning.
    ``load_cut`` is the part of the output that is lost, ``burden_share`` the part of a full stop's
    daily cost. ``widest_ring`` is the outermost zone
    the measure may be asked for, 1 = the innermost; events with more zones count the further ones
    as ring 3. ``notice_h`` is the time from the order to its begin, ``ramp_h`` the time from there to the
    full effect (none: at once); ``min_days`` the shortest period for which the measure makes sense.
    """

    code: str
    name_zh: str
    cut: dict[Precursor, Marked]
    ozone_cut: dict[Precursor, Marked] | None = None
    ozone_gain: Marked | None = None
    load_cut: Marked
    burden_share: Marked
    grades: tuple[str, ...]
    widest_ring: Literal[1, 2, 3]
    notice_h: Marked
    ramp_h: Marked | None = None
    min_days: Marked

    def effect(self, precursor: Precursor, ozone: bool) -> float:
        """Part of a precursor's emission that counts as avoided, for ozone or for the other targets."""
        if not ozone or self.ozone_cut is None:
            return float(self.cut[precursor]) if precursor in self.cut else 0.0
        moved = float(self.ozone_cut[precursor]) if precursor in self.ozone_cut else 0.0
        return moved if self.ozone_gain is None else moved * float(self.ozone_gain)


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


class TierRule(Settings):
    """What a warning tier asks of a city.

    ``floor``: share of the city's emission of every pollutant that the list has to avoid.
    ``deepest``: largest cut that may be asked of each performance grade.
    """

    floor: Marked | None = None
    deepest: dict[str, Marked] = {}


class Rules(Settings):
    """The rules beside the goals; what is null is switched off.

    ``host_province_leads``: the host province carries at least as much burden as each neighbour.
    ``city_cap``: largest share of a city's askable burden that may be asked. ``fairness``: margin of
    each province's share of the burden around its share of the contribution. ``list_length``: most
    enterprises. ``supply_sectors`` together keep ``kept_load`` of their load in each city.
    ``ozone_rise_ugm3``: rise of ozone at a receptor that a list may cause where the rise matters, which is
    above ``ozone_clean_ugm3``: what stays below it is clean air still.
    ``hysteresis``: discount on orders that are in force already. ``tiers``: by warning tier.
    ``rise_weight``: what a rise beyond that weighs beside a missed goal.
    """

    host_province_leads: bool = False
    city_cap: Marked | None = None
    fairness: Marked | None = None
    list_length: int | None = None
    supply_sectors: tuple[str, ...] = ()
    kept_load: Marked | None = None
    ozone_rise_ugm3: Marked
    ozone_clean_ugm3: Marked
    rise_weight: Marked
    hysteresis: Marked
    tiers: dict[str, TierRule] = {}


class Scenario(Settings):
    """One depth of control: the forecast quantile that it keeps below the goals."""

    name_zh: str
    goal_quantile: float


class SolverSettings(Settings):
    """Limits of the selection model.

    The seconds are shared by its solves; each scenario beside the plan has ``scenario_seconds``.
    ``chance_tolerance``: by how much the exact chance of exceedance may miss its limit.
    """

    relative_gap: float
    seconds: float
    scenario_seconds: float
    threads: int
    seed: int
    chance_tolerance: float


class ControlSettings(Settings):
    """Shape of ``configs/control.yaml``.

    ``until_end``: orders hold until the end of the event (a later version of the list ends them sooner),
    since a forecast of some days seldom knows the very day; else they may end on any day. ``goal_days``:
    the goals hold on the event's days or on all control days. ``least_benefit_ugm3``: a measure that lowers
    no goal's concentration by at least this is not asked of anybody. ``kept_share``: where the goals cannot
    be reached, the share of the largest possible reduction that the plan keeps, so that nobody is stopped
    for the last crumbs. ``alternates``: number of next-best enterprises listed behind the selected ones.
    """

    measures: tuple[Measure, ...]
    sectors: tuple[Sector, ...]
    grades: GradeRule
    until_end: bool
    goal_days: Literal["event", "control"]
    least_benefit_ugm3: Marked
    kept_share: Marked
    least_burden_index: Marked
    stable_share: Marked
    doubtful_share: Marked
    rules: Rules
    scenarios: tuple[Scenario, ...]
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
        for tier, rule in self.rules.tiers.items():
            wrong = sorted(set(rule.deepest) - known)
            if wrong:
                raise ValueError(f"tier {tier} names grades {', '.join(wrong)}")
        for measure in self.measures:
            wrong = sorted(set(measure.grades) - known)
            if wrong:
                raise ValueError(f"measure {measure.code} is given to grades {', '.join(wrong)}")
        if self.grades.unknown_as not in known:
            raise ValueError(f"unknown grades are treated as {self.grades.unknown_as!r}, which is no grade")
        return self
