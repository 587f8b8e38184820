"""Routes of the staff: directory, roles, invitations, trainings."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.affected import AffectedOut, AffectedVisitOut, describe_affected
from api.context import Reason, RequestContext, Version
from api.fields import CreatedAt, Day, Email, Name, NoteId, Npi, RecordId, RecordVersion, Text40, describe, example
from api.names import StaffName, from_record
from api.responses import Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from api.waitlist import WaitlistEntryOut, list_entries_out
from practice.clinical.supervision import handover
from practice.clinical.supervision.handover import Handover, WaitingNote
from practice.people import staff, trainings
from practice.people.models.practices import Staff, Training
from practice.people.practice_time import local_today
from practice.people.staff import (
    AlreadyOnStaff,
    IsAClient,
    LastAdmin,
    SelfGrant,
    StaffLeft,
    StaffNotLeft,
    has_left,
    list_unsupervised,
    reinvite_staff,
)
from practice.scheduling.appointments.affected import MAX_LISTED, NONE, AffectedVisits, load_affected_by_clinician
from practice.scheduling.waitlist.entries import list_entries_without_clinician
from practice.security.accounts import INVITATION_LIFETIME
from practice.sessions.queries import list_unsigned_of_leaver

router = PermissionRouter(prefix="/staff", tags=["staff"])

Role = Literal["admin", "supervisor", "clinician", "scheduler", "biller", "analyst"]
Discipline = Literal["PSYCHOLOGY", "COUNSELING", "SOCIAL_WORK", "PSYCHIATRY", "NURSING", "OTHER"]
License = Literal["LPC", "APC", "LCSW", "LMSW", "LMFT", "PSYCHOLOGIST", "MD", "APRN", "OTHER"]
Roles = Annotated[list[Role], Field(min_length=1, max_length=6)]
Supervisor = Annotated[UUID | None, Field(description="An active staff member with the role supervisor.")]


class StaffIn(Input):
    model_config = example(
        email="ben@oak.example",
        first_name="Ben",
        last_name="Birch",
        roles=["clinician"],
        hired_on="2026-03-02",
        discipline="COUNSELING",
        license_type="LPC",
    )

    email: Annotated[Email, describe("The address to sign in with, and where the invitation belongs.")]
    first_name: Annotated[Name, describe("Given name, as the person writes it.")]
    last_name: Annotated[Name, describe("Family name, as the person writes it.")]
    roles: Annotated[
        Roles, describe("What the person may do: `admin`, `supervisor`, `clinician`, `scheduler`, `biller`, `analyst`.")
    ]
    hired_on: Annotated[Day, describe("The first day of employment.")]
    discipline: Annotated[Discipline | None, describe("Professional discipline.")] = None
    license_type: Annotated[
        License | None, describe("Type of license, which decides the supervision that it requires.")
    ] = None
    license_number: Annotated[Text40 | None, describe("Number of the license.")] = None
    npi: Annotated[Npi | None, describe("National Provider Identifier of ten digits.")] = None
    supervisor_id: Supervisor = None


class StaffChange(Input):
    """Only the fields sent are changed. Names, roles and `hired_on` cannot be null."""

    model_config = example(roles=["clinician", "supervisor"], license_number="LPC001234")

    first_name: Annotated[Name, describe("Given name, as the person writes it.")] = ""
    last_name: Annotated[Name, describe("Family name, as the person writes it.")] = ""
    roles: Annotated[
        Roles, describe("What the person may do: `admin`, `supervisor`, `clinician`, `scheduler`, `biller`, `analyst`.")
    ] = Field(default_factory=list)
    hired_on: Annotated[Day, describe("The first day of employment.")] = date.min
    left_on: Annotated[Day | None, describe("The last day of employment.")] = None
    discipline: Annotated[Discipline | None, describe("Professional discipline.")] = None
    license_type: Annotated[
        License | None, describe("Type of license, which decides the supervision that it requires.")
    ] = None
    license_number: Annotated[Text40 | None, describe("Number of the license.")] = None
    npi: Annotated[Npi | None, describe("National Provider Identifier of ten digits.")] = None
    supervisor_id: Supervisor = None


class StaffQuery(ListQuery):
    role: Annotated[Role | None, describe("Only with this role.")] = None
    active: Annotated[bool | None, describe("Only current staff, or only those who have left.")] = None


class Deactivation(Input):
    model_config = example(left_on="2026-06-30")

    left_on: Annotated[Day, describe("The last day of employment.")]


class Rehiring(Input):
    model_config = example(returned_on="2026-03-16")

    returned_on: Annotated[Day, describe("The first day of the new employment: today or an earlier day.")]


class TrainingIn(Input):
    model_config = example(kind="HIPAA", completed_on="2026-03-02")

    kind: Annotated[Literal["HIPAA", "OTHER"], describe("A yearly `HIPAA` training, or another.")]
    completed_on: Annotated[Day, describe("The day on which the training was completed.")]


class StaffOut(BaseModel):
    id: RecordId
    email: Annotated[str, describe("Email address, for messages.")]
    first_name: Annotated[str, describe("Given name, as the person writes it.")]
    last_name: Annotated[str, describe("Family name, as the person writes it.")]
    roles: Annotated[
        list[str],
        describe("What the person may do: `admin`, `supervisor`, `clinician`, `scheduler`, `biller`, `analyst`."),
    ]
    discipline: Annotated[str | None, describe("Professional discipline.")]
    license_type: Annotated[str | None, describe("Type of license, which decides the supervision that it requires.")]
    license_number: Annotated[str | None, describe("Number of the license.")]
    npi: Annotated[str | None, describe("National Provider Identifier of ten digits.")]
    supervisor_id: Annotated[UUID | None, describe("The supervisor; null without one.")]
    supervisor_name: StaffName = None
    hired_on: Annotated[date, describe("The first day of employment.")]
    left_on: Annotated[date | None, describe("The last day of employment.")]
    active: Annotated[bool, describe("Whether the person has access: not deactivated, and today not after `left_on`.")]
    created_at: CreatedAt
    version: RecordVersion

    @classmethod
    def of(cls, staff: Staff, today: date) -> "StaffOut":
        return from_record(cls, staff, active=not has_left(staff, today))


class SuperviseeOut(BaseModel):
    id: RecordId
    name: Annotated[str, describe("The name that people read.")]

    @classmethod
    def of(cls, staff: Staff) -> "SuperviseeOut":
        return cls(id=staff.id, name=f"{staff.first_name} {staff.last_name}")


class WaitingNoteOut(BaseModel):
    """A note, or a change of it, that waits for a supervisor's co-signature."""

    id: NoteId
    clinician_id: Annotated[UUID, describe("The author, a staff member.")]
    clinician_name: StaffName = None
    type: Annotated[str, describe("The type of note.")]
    is_amendment: Annotated[bool, describe("Whether an amendment or addendum of a signed note waits.")]


class ChangedStaffOut(AffectedOut, StaffOut):
    """A changed staff member, and what is left to do because of the change."""

    supervisees: Annotated[
        list[SuperviseeOut],
        Field(description="Those who need another supervisor, because this one leaves or has lost the role."),
    ]
    warnings: Annotated[
        list[str], describe("What the change leaves open, such as a license that requires a supervisor.")
    ]
    notes_in_review_count: Annotated[
        int, describe("Notes of this person that wait for a supervisor. A new supervisor gets a message about each.")
    ]
    notes_in_review: Annotated[
        list[WaitingNoteOut], describe(f"The first {MAX_LISTED} of them, longest waiting first.")
    ]
    supervisees_notes_in_review_count: Annotated[
        int,
        describe(
            "Notes of supervisees that wait for this person, who leaves or is no supervisor. Their authors get a "
            "message about each. Set another supervisor."
        ),
    ]
    supervisees_notes_in_review: Annotated[
        list[WaitingNoteOut], describe(f"The first {MAX_LISTED} of them, longest waiting first.")
    ]
    waitlist_entries: Annotated[
        list[WaitlistEntryOut],
        describe("Open waitlist entries that name nobody who stays, of somebody who leaves: change or withdraw them."),
    ]
    unsigned_count: Annotated[
        int, describe("Completed sessions without a signed note, of somebody who leaves or has left.")
    ]
    unsigned: Annotated[
        list[AffectedVisitOut],
        describe(
            f"The first {MAX_LISTED} of them by start. Once the clinician has left, their supervisor, or an admin, who "
            "is a clinician writes and signs the note."
        ),
    ]

    @classmethod
    def after(cls, ctx: RequestContext, handover: Handover, visits: AffectedVisits) -> "ChangedStaffOut":
        staff = handover.staff
        unsigned = list_unsigned_of_leaver(ctx.work, staff)
        supervisees = [SuperviseeOut.of(person) for person in list_unsupervised(ctx.work, staff)]
        return cls(
            **StaffOut.of(staff, local_today(ctx.work)).model_dump(),
            supervisees=supervisees,
            warnings=handover.warnings,
            notes_in_review_count=len(handover.notes_in_review),
            notes_in_review=list_waiting(handover.notes_in_review),
            supervisees_notes_in_review_count=len(handover.unsupervised_notes),
            supervisees_notes_in_review=list_waiting(handover.unsupervised_notes),
            waitlist_entries=list_entries_out(ctx, list_entries_without_clinician(ctx.work, staff)),
            unsigned_count=unsigned.count,
            unsigned=[from_record(AffectedVisitOut, session) for session in unsigned.appointments],
            **describe_affected(visits),
        )


def list_waiting(notes: Sequence[WaitingNote]) -> list[WaitingNoteOut]:
    """Return the first of the notes."""
    return [from_record(WaitingNoteOut, note) for note in notes[:MAX_LISTED]]


class InvitationOut(BaseModel):
    """The link was sent to the person's email address: it works once."""

    staff: Annotated[StaffOut, describe("The staff member.")]
    expires_at: Annotated[datetime, describe("When the link stops working.")]

    @classmethod
    def of(cls, ctx: RequestContext, staff: Staff) -> "InvitationOut":
        return cls(staff=StaffOut.of(staff, local_today(ctx.work)), expires_at=ctx.now + INVITATION_LIFETIME)


class TrainingOut(BaseModel):
    id: RecordId
    kind: Annotated[str, describe("`HIPAA` or `OTHER`.")]
    completed_on: Annotated[date, describe("The day on which the training was completed.")]
    recorded_at: Annotated[datetime, describe("When it was recorded.")]

    @classmethod
    def of(cls, training: Training) -> "TrainingOut":
        return from_record(cls, training)


class TrainingsOut(BaseModel):
    items: Annotated[list[TrainingOut], describe("The trainings, latest first.")]


StaffInList: Any = partial_model(StaffOut)


@router.get("", permission="staff.read")
def list_staff(ctx: RequestContext, query: Annotated[StaffQuery, Query()]) -> PageOut[StaffInList]:
    """List staff.

    Sorts by last_name, hired_on or id.
    """
    page = staff.list_staff(ctx.work, query.page_request(), role=query.role, active=query.active)
    return to_page(page, StaffOut, local_today(ctx.work))


@router.post("", permission="staff.write", status_code=201, errors=[AlreadyOnStaff, IsAClient, SelfGrant])
def add_staff(ctx: RequestContext, body: StaffIn, reason: Reason = None) -> InvitationOut:
    """Add a staff member.

    Their invitation goes to their email address.
    """
    return InvitationOut.of(ctx, staff.add_staff(ctx.work, reason=reason, **body.model_dump()).staff)


@router.get("/{staff_id}", permission="staff.read")
def get_staff(ctx: RequestContext, staff_id: UUID) -> StaffOut:
    """Get a staff member."""
    return StaffOut.of(staff.get_staff(ctx.work, staff_id), local_today(ctx.work))


@router.patch("/{staff_id}", permission="staff.write", errors=[LastAdmin, SelfGrant])
def change_staff(
    ctx: RequestContext, staff_id: UUID, version: Version, body: StaffChange, reason: Reason = None
) -> ChangedStaffOut:
    """Change a staff member.

    Roles apply from their next request on. Only an active supervisor can be somebody's supervisor. A change of roles,
    `hired_on` or `left_on` lists the visits that the clinician can no longer hold. `warnings` says when nobody
    supervises somebody whose license requires it. To extend their own access, admins
    need another admin; the only admin states a reason in X-Reason.
    """
    changes = body.model_dump(exclude_unset=True)
    changed = handover.change_staff(ctx.work, staff_id, version, changes, reason)
    concerns_visits = not changes.keys().isdisjoint(("roles", "hired_on", "left_on"))
    visits = load_affected_by_clinician(ctx.work, changed.staff) if concerns_visits else NONE
    return ChangedStaffOut.after(ctx, changed, visits)


@router.post("/{staff_id}/deactivate", permission="staff.write", errors=[LastAdmin])
def deactivate_staff(ctx: RequestContext, staff_id: UUID, body: Deactivation) -> ChangedStaffOut:
    """Deactivate a staff member.

    Their access ends immediately, so the last day cannot lie ahead: to plan one, change `left_on`. The record stays.
    The response lists their visits, which stay booked, and their completed sessions without a signed note.
    Deactivating them with another `left_on` corrects their last day.
    """
    deactivated = handover.deactivate_staff(ctx.work, staff_id, body.left_on)
    visits = load_affected_by_clinician(ctx.work, deactivated.staff)
    return ChangedStaffOut.after(ctx, deactivated, visits)


@router.post("/{staff_id}/invite", permission="staff.write", errors=[IsAClient, StaffLeft])
def invite_staff(ctx: RequestContext, staff_id: UUID) -> InvitationOut:
    """Invite a staff member again.

    For a lost link. Somebody who has left is rehired instead.
    """
    return InvitationOut.of(ctx, reinvite_staff(ctx.work, staff_id).staff)


@router.post("/{staff_id}/rehire", permission="staff.write", errors=[IsAClient, StaffNotLeft])
def rehire_staff(ctx: RequestContext, staff_id: UUID, body: Rehiring) -> InvitationOut:
    """Rehire a staff member who has left.

    They are active again and get an invitation by email; their access begins when they accept it. `hired_on` stays.
    """
    return InvitationOut.of(ctx, handover.rehire_staff(ctx.work, staff_id, body.returned_on).staff)


@router.get("/{staff_id}/trainings", permission="trainings.read", allow_lapsed_training=True)
def list_trainings(ctx: RequestContext, staff_id: UUID) -> TrainingsOut:
    """List trainings of a staff member.

    Newest first.
    """
    staff_trainings = trainings.list_trainings(ctx.work, ctx.scope, staff_id)
    return TrainingsOut(items=[TrainingOut.of(training) for training in staff_trainings])


@router.post("/{staff_id}/trainings", permission="trainings.write", status_code=201, allow_lapsed_training=True)
def record_training(ctx: RequestContext, staff_id: UUID, body: TrainingIn) -> TrainingOut:
    """Record a training.

    A current HIPAA training lifts the restriction of its holder immediately.
    """
    return TrainingOut.of(trainings.record_training(ctx.work, ctx.scope, staff_id, body.kind, body.completed_on))


@router.delete(
    "/{staff_id}/trainings/{training_id}", permission="trainings.write", status_code=204, allow_lapsed_training=True
)
def void_training(ctx: RequestContext, staff_id: UUID, training_id: UUID, body: VoidIn) -> None:
    """Void a training.

    One recorded by mistake; it no longer counts and stays on record with who, when and why.
    """
    trainings.void_training(ctx.work, ctx.scope, staff_id, training_id, body.reason)
