"""The route of a supervisor's page: the team's figures, and what needs its supervisor."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.dashboards import OverviewOut, PageQuery
from api.fields import ClientId, ClinicianId, NoteId, describe
from api.names import ClientName, StaffName, from_record
from api.routing import PermissionRouter
from practice.clinical.models.notes import Note
from practice.clinical.supervision.hours import MonthlyHours
from practice.dashboards.figures import choose_period
from practice.dashboards.team import Coaching, Team, Workload, load_team_page

router = PermissionRouter(prefix="/dashboards", tags=["dashboards"])


class NoteToCoSignOut(BaseModel):
    note_id: NoteId
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    client_id: ClientId
    client_name: ClientName = None
    created_at: Annotated[datetime, describe("When the note was begun.")]
    submitted_at: Annotated[datetime | None, describe("When it was submitted; null for an imported note.")]
    is_change: Annotated[bool, describe("Whether a change of a signed note waits, not the note itself.")]

    @classmethod
    def of(cls, note: Note) -> "NoteToCoSignOut":
        return from_record(cls, note, note_id=note.id, is_change=note.version_in_review is not None)


class TeamHoursOut(BaseModel):
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    held: Annotated[Decimal, describe("Hours held this month.")]
    required: Annotated[int | None, describe("Hours that the license requires; null if none.")]
    missing: Annotated[Decimal, describe("Hours that are still to be held.")]
    unsigned: Annotated[Decimal, describe("Hours held whose note is not signed.")]

    @classmethod
    def of(cls, monthly: MonthlyHours) -> "TeamHoursOut":
        hours = monthly.hours
        return cls(
            clinician_id=monthly.staff.id,
            held=hours.held,
            required=hours.required,
            missing=hours.missing,
            unsigned=monthly.unsigned,
        )


class WorkloadOut(BaseModel):
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    sessions: Annotated[int, describe("Sessions of this week, held and booked, a group counted once.")]
    busiest_day: Annotated[int, describe("Sessions of its busiest day.")]
    reasons: Annotated[list[str], describe("Why this is too much work; empty if it is not.")]

    @classmethod
    def of(cls, workload: Workload) -> "WorkloadOut":
        return from_record(cls, workload)


class CoachingOut(BaseModel):
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    kind: Annotated[Literal["coaching", "recognition"], describe("`coaching`, or `recognition` of good work.")]
    reasons: Annotated[list[str], describe("Why.")]
    actions: Annotated[list[str], describe("What the metric dictionary advises.")]

    @classmethod
    def of(cls, coaching: Coaching) -> "CoachingOut":
        return from_record(cls, coaching)


class TeamOut(OverviewOut):
    in_review: Annotated[list[NoteToCoSignOut], describe("The first of the notes to co-sign, oldest first.")]
    supervision: Annotated[list[TeamHoursOut], describe("Supervision hours of this month, most missing first.")]
    workload: Annotated[list[WorkloadOut], describe("This week's sessions of each clinician, most first.")]
    coaching: Annotated[list[CoachingOut], describe("Talks to have, the most pressing first.")]

    @classmethod
    def of_team(cls, ctx: RequestContext, page: Team) -> "TeamOut":
        """Return the page of a team."""
        return cls(
            **cls.read_page(ctx, page.overview, "team"),
            in_review=[NoteToCoSignOut.of(note) for note in page.in_review],
            supervision=[TeamHoursOut.of(monthly) for monthly in page.hours],
            workload=[WorkloadOut.of(workload) for workload in page.workload],
            coaching=[CoachingOut.of(coaching) for coaching in page.coaching],
        )


@router.get("/team", permission="dashboards.team")
def get_team(ctx: RequestContext, query: Annotated[PageQuery, Query()]) -> TeamOut:
    """Get the page of a team.

    Your team's figures, its clinicians side by side with a status and why, notes to co-sign, locked sessions, and what
    needs you.
    """
    period = choose_period(ctx.work, query.period, query.day)
    return TeamOut.of_team(ctx, load_team_page(ctx.work, ctx.own_staff_id, period))
