"""Which version of an event's list a run makes: number, forerunner, edits in force, what it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from yrd_airq.brief.content_versions import ListVersion as VersionPart
from yrd_airq.brief.version_section import build_approvals, build_changes, build_edits
from yrd_airq.control.edits import EDIT_COLUMNS, Action, Edits, as_edits, join_edits
from yrd_airq.control.eligibility import judge_eligibility
from yrd_airq.control.plan import Plan
from yrd_airq.control.settings import ControlSettings
from yrd_airq.control.versions import Occurrence, compare_lists, explain_changes, orders_of
from yrd_airq.errors import InputError
from yrd_airq.jobs.guarantee import Guarantee
from yrd_airq.jobs.workspace import name_run
from yrd_airq.settings import Event, load
from yrd_airq.standards.tiers import Tier
from yrd_airq.store.records import ListVersion
from yrd_airq.store.store import Store


@dataclass(frozen=True)
class Draft:
    """A version before it is planned.

    ``edits``: those in force (``edits.join_edits``) and whether they have ``lapsed``: the list, the zones or
    the days left no longer admit them. ``previous``: the orders of the version before, None for a first one.
    ``revises``: the version before is of the same issue.
    """

    event: Event
    issue_time: datetime
    run_id: str
    list_version: int
    previous_version: int | None
    edits: pd.DataFrame
    previous: pd.DataFrame | None
    revises: bool

    def in_force(self) -> Edits:
        """The edits that the plan has to honour."""
        return as_edits(self.edits[~self.edits["lapsed"]])

    @property
    def pack_name(self) -> str:
        """Folder of the pack: event and issue, and the number of a version that revises that issue."""
        name = f"{self.event.code}-{self.issue_time:%Y%m%dT%H%M}"
        return f"{name}-v{self.list_version}" if self.revises else name


def draft_version(
    store: Store,
    event: Event,
    issue_time: datetime,
    facts: Sequence[str],
    revision: tuple[int, pd.DataFrame] | None = None,
    tiers: Mapping[str, Tier] | None = None,
) -> Draft:
    """The version that a run with these ``facts`` makes: the one that it made before, else the next number.

    ``revision``: the version that is revised and the new edits (``EDIT_COLUMNS``). Without one the run
    follows the newest version of no later issue, whose edits stay in force. Raises ``InputError`` for a
    revision of a version that others follow already. ``tiers``: warning tiers by adcode, under which fewer
    edits may be carried out.
    """
    held = store.list_history("version", event.code)
    same = held[held["issue_time"] == pd.Timestamp(issue_time)]
    if revision is not None:
        same = same[same["previous_version"] == revision[0]]
    for number in sorted(same["list_version"].astype(int), reverse=True):
        row = same[same["list_version"] == number].iloc[0]
        before = None if pd.isna(row["previous_version"]) else int(row["previous_version"])
        edits = (
            _recorded(store, event, number)
            if revision is None
            else join_edits(_recorded(store, event, before), revision[1], number)
        )
        if _name(facts, held, before, edits) == row["run_id"]:
            return _draft(store, event, issue_time, facts, held, number, before, edits, tiers)
    number = int(held["list_version"].max()) + 1 if len(held) else 1
    before = _forerunner(held, event, issue_time, revision)
    standing = _recorded(store, event, before)
    edits = standing if revision is None else join_edits(standing, revision[1], number)
    return _draft(store, event, issue_time, facts, held, number, before, edits, tiers)


def _forerunner(
    held: pd.DataFrame, event: Event, issue_time: datetime, revision: tuple[int, pd.DataFrame] | None
) -> int | None:
    """Number of the version that a new one follows, None for a first one."""
    if revision is None:
        earlier = held[held["issue_time"] <= pd.Timestamp(issue_time)]
        return int(earlier["list_version"].max()) if len(earlier) else None
    newest = int(held["list_version"].max())
    if revision[0] != newest:
        raise InputError(
            f"list version {revision[0]} of event {event.code} is not the newest, which is {newest}; revise "
            "the pack of that one (its edits stay in force)"
        )
    return newest


def _recorded(store: Store, event: Event, list_version: int | None) -> pd.DataFrame:
    """Edits in force in a version, none before the first."""
    columns = [*EDIT_COLUMNS, "since_version"]
    if list_version is None:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in columns})
    return store.list_history("edit", event.code, list_version)[columns]


def _name(facts: Sequence[str], held: pd.DataFrame, before: int | None, edits: pd.DataFrame) -> str:
    """Run id: of a first version without edits by the facts alone."""
    if before is None and edits.empty:
        return name_run("event", *facts)
    forerunner = "" if before is None else str(held.set_index("list_version").loc[before, "run_id"])
    said = edits.assign(measure_code=edits["measure_code"].fillna("")).astype(str)
    return name_run("event", *facts, forerunner, *(":".join(row) for row in said.to_numpy().tolist()))


def _draft(
    store: Store,
    event: Event,
    issue_time: datetime,
    facts: Sequence[str],
    held: pd.DataFrame,
    number: int,
    before: int | None,
    edits: pd.DataFrame,
    tiers: Mapping[str, Tier] | None,
) -> Draft:
    issues = held.set_index("list_version")["issue_time"]
    newly = edits["since_version"] == number
    lapsed = ~newly & ~_admitted(store.enterprises(), event, issue_time, edits, tiers)
    return Draft(
        event=event,
        issue_time=issue_time,
        run_id=_name(facts, held, before, edits),
        list_version=number,
        previous_version=before,
        edits=edits.assign(lapsed=lapsed.to_numpy(dtype=bool)),
        previous=None if before is None else orders_of(store.list_of_version(event.code, before)),
        revises=before is not None and issues[before] == pd.Timestamp(issue_time),
    )


def _admitted(
    enterprises: pd.DataFrame,
    event: Event,
    issue_time: datetime,
    edits: pd.DataFrame,
    tiers: Mapping[str, Tier] | None,
) -> pd.Series:
    """Whether an edit can be carried out: nobody has to be kept whom list, zone or days no longer admit."""
    admitted = (edits["action"] == Action.DROP).astype(bool)
    if admitted.all() or enterprises.empty:
        return admitted
    settings = load(ControlSettings, "control")
    in_force = {code: str(tier) for code, tier in (tiers or {}).items()}
    fit = judge_eligibility(event, enterprises, issue_time, settings, in_force)
    row = pd.Index(fit.enterprises["enterprise_id"]).get_indexer(pd.Index(edits["enterprise_id"]))
    code = pd.Index([m.code for m in settings.measures]).get_indexer(pd.Index(edits["measure_code"]))
    allowed = np.where(code >= 0, fit.allowed[row, code], fit.allowed[row].any(axis=1)) & (row >= 0)
    return admitted | allowed


def keep_version(store: Store, draft: Draft, guarantee: Guarantee) -> VersionPart:
    """Keep the planned version whole in the store; what the brief says of it."""
    plan = guarantee.plan
    changes = _changes(store, draft, plan)
    chosen = plan.list["measure_code"].notna() & (plan.list["measure_code"] != "")
    version = ListVersion(
        event_code=draft.event.code,
        list_version=draft.list_version,
        run_id=draft.run_id,
        issue_time=draft.issue_time,
        previous_version=draft.previous_version,
        enterprises=int(plan.list.loc[chosen, "enterprise_id"].nunique()),
        burden=float(plan.objective),
        largest_need_ugm3=_largest_need(plan),
        status=str(plan.status),
    )
    period = {name: pd.to_datetime(plan.list[name].replace("", None)) for name in ("start", "end")}
    parts = {
        "out_control_list": plan.list.assign(**period),
        "out_control_change": changes,
        "out_control_edit": draft.edits.drop(columns="lapsed"),
    }
    store.write_list_version(version, parts)
    return _describe(store, draft, version, changes, guarantee.enterprises)


def _changes(store: Store, draft: Draft, plan: Plan) -> pd.DataFrame:
    """What the version changes and why; a first one changes nothing."""
    now = orders_of(plan.list)
    rules_from = draft.issue_time.date() + timedelta(days=1)
    changes = compare_lists(draft.previous if draft.previous is not None else now, now, rules_from)
    need_before = np.nan
    if draft.previous_version is not None:
        before = store.list_history("version", draft.event.code, draft.previous_version)
        need_before = float(before["largest_need_ugm3"].iloc[0])
    between = Occurrence(
        version=draft.list_version,
        edits=draft.edits[~draft.edits["lapsed"]],
        outcomes=plan.outcomes,
        need_before=need_before,
        need_now=_largest_need(plan),
        same_issue=draft.revises,
    )
    return explain_changes(changes, between)


def _largest_need(plan: Plan) -> float:
    need = plan.receptors["required_ugm3"]
    return float(need.max()) if len(need) else 0.0


def _describe(
    store: Store, draft: Draft, version: ListVersion, changes: pd.DataFrame, enterprises: pd.DataFrame
) -> VersionPart:
    """The version as the brief prints it, with the approvals that the store holds."""
    measures = {measure.code: measure.name_zh for measure in load(ControlSettings, "control").measures}
    names = enterprises[["enterprise_id", "name_zh", "adcode"]]
    previous_issue = None
    if draft.previous_version is not None:
        before = store.list_of_version(draft.event.code, draft.previous_version)
        names = pd.concat([names, before[["enterprise_id", "name_zh", "adcode"]]], ignore_index=True)
        held = store.list_history("version", draft.event.code, draft.previous_version)
        previous_issue = held["issue_time"].iloc[0].to_pydatetime()
    approvals = build_approvals(store.list_history("approval", draft.event.code))
    earlier = [a for a in approvals if a.list_version < version.list_version]
    return VersionPart(
        event_code=draft.event.code,
        list_version=version.list_version,
        previous_version=version.previous_version,
        previous_issue=previous_issue,
        enterprises=version.enterprises,
        changes=build_changes(changes, names, measures),
        edits=build_edits(draft.edits, names, measures),
        approvals=tuple(a for a in approvals if a.list_version == version.list_version),
        approved_before=max(earlier, key=lambda a: a.list_version) if earlier else None,
    )
