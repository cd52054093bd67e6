"""Content model: which version of an event's list a brief carries, what it changes, who approved it."""

from __future__ import annotations

from datetime import datetime

from yrd_airq.brief.part import Part


class ListChange(Part):
    """What a version does to one enterprise; codes for machines, ``_zh`` for people."""

    enterprise_id: str
    name_zh: str
    city_zh: str
    change: str
    change_zh: str
    measure_before: str | None
    measure_now: str | None
    measure_before_zh: str
    measure_now_zh: str
    why_zh: str


class ListEdit(Part):
    """A forecaster's edit in force; ``lapsed`` says that the present list cannot carry it."""

    enterprise_id: str
    name_zh: str
    action_zh: str
    measure_zh: str
    reason_zh: str
    made_by: str
    since_version: int
    lapsed: bool = False


class ListApproval(Part):
    """Who approved which version, and when."""

    list_version: int
    made_by: str
    made_at: datetime
    note_zh: str = ""


class ListVersion(Part):
    """The version of the list: its number for the event, its forerunner, changes, edits and approvals.

    ``approvals`` are those of this version, ``approved_before`` the last one of an earlier version.
    """

    event_code: str
    list_version: int
    previous_version: int | None
    previous_issue: datetime | None
    enterprises: int
    changes: tuple[ListChange, ...] = ()
    edits: tuple[ListEdit, ...] = ()
    approvals: tuple[ListApproval, ...] = ()
    approved_before: ListApproval | None = None

    @property
    def state_zh(self) -> str:
        """Whether this version is approved, in a few words for every page."""
        if not self.approvals:
            return "未经审批"
        last = self.approvals[-1]
        return f"已由{last.made_by}于{last.made_at:%Y-%m-%d %H:%M}审批"
