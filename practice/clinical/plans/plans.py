"""Verbs about treatment plans and their reviews: begin, review, change, void, and read.

How far the next review is away is in `plan_standing`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from practice.clinical.errors import NotYours
from practice.clinical.models.notes import Note
from practice.clinical.models.plans import TreatmentPlan, TreatmentPlanReview
from practice.clinical.plans.rules import begin_problems, review_problems
from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.people.access import clients_within, is_within, reaches
from practice.people.clients import because, lock_client
from practice.people.models.clients import Client
from practice.people.practice_time import local_today
from practice.people.rules.consents import treatment_changed_on
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply


class FirstReview(Refusal):
    code = "FIRST_REVIEW"


@dataclass(frozen=True)
class Begun:
    """Where it changes the treatment, the next booking asks for an informed consent of that day or later."""

    plan: TreatmentPlan
    changes_treatment: bool


@dataclass(frozen=True)
class Review:
    review: TreatmentPlanReview
    summary: str | None


@dataclass(frozen=True)
class Which:
    """Of a client, entered by somebody; those that were voided too, or not."""

    client_id: UUID | None = None
    clinician_id: UUID | None = None
    voided: bool = False


def list_plans(work: Work, scope: Scope, asked: PageRequest, which: Which, reason: str | None = None) -> Page:
    row = TreatmentPlan
    told(work, which.client_id, "treatment plans", reason)
    sortable = {"starts_on": row.starts_on, "created_at": row.created_at, "id": row.id}
    return page_of(work.db, chosen(work, scope, row, which), asked, sortable, row.id, "-starts_on")


def list_reviews(work: Work, scope: Scope, asked: PageRequest, which: Which, reason: str | None = None) -> Page:
    """Without what they say."""
    row = TreatmentPlanReview
    told(work, which.client_id, "treatment plan reviews", reason)
    sortable = {"reviewed_on": row.reviewed_on, "created_at": row.created_at, "id": row.id}
    return page_of(work.db, chosen(work, scope, row, which), asked, sortable, row.id, "-reviewed_on")


def chosen(work: Work, scope: Scope, row: Any, which: Which) -> Select[Any]:
    query = select(row).where(row.tenant_id == work.tenant_id, clients_within(work, scope, row.client_id))
    if which.client_id is not None:
        query = query.where(row.client_id == which.client_id)
    if which.clinician_id is not None:
        query = query.where(row.clinician_id == which.clinician_id)
    return query if which.voided else query.where(row.voided_at.is_(None))


def told(work: Work, client_id: UUID | None, part: str, reason: str | None) -> None:
    """Whoever looks at a chart is on the trail, and so is whoever looks over many."""
    if client_id is not None:
        work.record("client.read", "client", client_id, part=part, **because(reason))
    else:
        work.record("plans.listed", part=part, **because(reason))


def get_plan(work: Work, scope: Scope, plan_id: UUID, reason: str | None = None) -> TreatmentPlan:
    plan = find(work, scope, TreatmentPlan, plan_id)
    work.record("treatment_plan.read", "client", plan.client_id, plan_id=str(plan_id), **because(reason))
    return plan


def get_review(work: Work, scope: Scope, review_id: UUID, reason: str | None = None) -> Review:
    review = find(work, scope, TreatmentPlanReview, review_id)
    work.record("treatment_plan.review_read", "client", review.client_id, review_id=str(review_id), **because(reason))
    return Review(review, summary_of(work, review))


def begin_plan(
    work: Work,
    scope: Scope,
    *,
    client_id: UUID,
    kind: str,
    starts_on: date | None = None,
    note_id: UUID | None = None,
) -> Begun:
    """From a day on, which is the first on which it counts as reviewed."""
    client = lock_chart(work, scope, client_id)
    today = local_today(work)
    starts_on = starts_on or today
    problems = begin_problems(starts_on, client.admitted_on, today) + note_problems(work, client_id, note_id)
    if problems:
        raise Invalid(problems)
    plan = TreatmentPlan(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        clinician_id=work.actor.staff_id,
        kind=kind,
        starts_on=starts_on,
        note_id=note_id,
        created_at=work.now,
        version=1,
    )
    work.db.add(plan)
    work.db.flush()
    add_review(work, client_id, plan.id, starts_on, None)
    changes = treatment_changed_on((one.starts_on, one.kind) for one in plans_of(work, client_id)) == starts_on
    work.record("treatment_plan.begun", "client", client_id, plan_id=str(plan.id), changes_treatment=changes)
    return Begun(plan, changes)


def change_plan(work: Work, scope: Scope, plan_id: UUID, version: int, changes: dict[str, Any]) -> TreatmentPlan:
    """Its kind, its note, or when it began: its first review goes with that."""
    plan, client = lock(work, scope, TreatmentPlan, plan_id)
    if plan.version != version:
        raise Stale
    first, later = first_review(work, plan)
    problems = note_problems(work, plan.client_id, changes.get("note_id"))
    if starts_on := changes.get("starts_on"):
        problems += begin_problems(starts_on, client.admitted_on, local_today(work))
        if earlier := [review.reviewed_on for review in later if review.reviewed_on <= starts_on]:
            problems.append(f"starts_on: the plan was reviewed on {min(earlier)}, when it would not have begun yet.")
    if problems:
        raise Invalid(problems)
    if starts_on and first is not None:
        apply(first, {"reviewed_on": starts_on})
    apply(plan, changes)
    work.record("treatment_plan.changed", "client", plan.client_id, plan_id=str(plan_id), fields=sorted(changes))
    return plan


def void_plan(work: Work, scope: Scope, plan_id: UUID, reason: str) -> None:
    """It was entered by mistake, and with it everything that was entered as a review of it."""
    plan, _ = lock(work, scope, TreatmentPlan, plan_id)
    for record in (plan, *(review for review in reviews_of(work, plan.client_id) if review.plan_id == plan_id)):
        work.void(record, reason)
    work.record("treatment_plan.voided", "client", plan.client_id, plan_id=str(plan_id), reason=reason)


def record_review(
    work: Work, scope: Scope, *, client_id: UUID, reviewed_on: date | None = None, summary: str | None = None
) -> Review:
    """Of the plan that the client had on that day."""
    lock_chart(work, scope, client_id)
    reviewed_on = reviewed_on or local_today(work)
    plan_id = reviewed_plan(work, client_id, reviewed_on)
    review = add_review(work, client_id, plan_id, reviewed_on, summary)
    work.record("treatment_plan.reviewed", "client", client_id, review_id=str(review.id))
    return Review(review, summary)


def change_review(work: Work, scope: Scope, review_id: UUID, version: int, changes: dict[str, Any]) -> Review:
    """Its day, or what it says."""
    review, _ = lock(work, scope, TreatmentPlanReview, review_id)
    if review.version != version:
        raise Stale
    after = dict(changes)
    if "reviewed_on" in changes:
        refuse_first(work, review)
        after["plan_id"] = reviewed_plan(work, review.client_id, changes["reviewed_on"], review)
    if "summary" in changes:
        after["summary"] = work.seal("treatment_plan_reviews", "summary", review_id, changes["summary"])
    apply(review, after)
    fields = {"review_id": str(review_id), "fields": sorted(changes)}
    work.record("treatment_plan.review_changed", "client", review.client_id, **fields)
    return Review(review, summary_of(work, review))


def void_review(work: Work, scope: Scope, review_id: UUID, reason: str) -> None:
    review, _ = lock(work, scope, TreatmentPlanReview, review_id)
    refuse_first(work, review)
    work.void(review, reason)
    about = {"review_id": str(review_id), "reason": reason}
    work.record("treatment_plan.review_voided", "client", review.client_id, **about)


# What stands behind them


def find(work: Work, scope: Scope, row: Any, row_id: UUID) -> Any:
    """A plan or a review that has not been voided."""
    query = select(row).where(row.tenant_id == work.tenant_id, row.id == row_id, row.voided_at.is_(None))
    query = query.where(reaches(work, scope, row.client_id)).execution_options(populate_existing=True)
    found = work.db.scalar(query)
    if found is None:
        raise NotFound
    return found


def lock(work: Work, scope: Scope, row: Any, row_id: UUID) -> tuple[Any, Client]:
    """For a change, by whoever entered it or the client's primary clinician. The client is locked first, as where a
    plan begins: of two who change the same chart the second finds what the first left."""
    client = lock_client(work, scope, find(work, scope, row, row_id).client_id)
    found = find(work, scope, row, row_id)
    if work.actor.staff_id not in (found.clinician_id, client.primary_clinician_id):
        raise NotYours("Somebody else entered this. They can change it, or the client's primary clinician.")
    return found, client


def lock_chart(work: Work, scope: Scope, client_id: UUID) -> Client:
    """Of a client whom somebody names."""
    if not is_within(work, scope, client_id):
        raise Invalid(["client_id: there is no such client, or not one of yours."])
    return lock_client(work, scope, client_id)


def add_review(
    work: Work, client_id: UUID, plan_id: UUID | None, reviewed_on: date, summary: str | None
) -> TreatmentPlanReview:
    review = TreatmentPlanReview(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        clinician_id=work.actor.staff_id,
        plan_id=plan_id,
        reviewed_on=reviewed_on,
        created_at=work.now,
        version=1,
    )
    review.summary = work.seal("treatment_plan_reviews", "summary", review.id, summary)
    work.db.add(review)
    return review


def plans_of(work: Work, client_id: UUID) -> list[TreatmentPlan]:
    """In the order in which they follow one another."""
    plan = TreatmentPlan
    query = select(plan).where(plan.tenant_id == work.tenant_id, plan.client_id == client_id, plan.voided_at.is_(None))
    return list(work.db.scalars(query.order_by(plan.starts_on, plan.created_at, plan.id)))


def reviews_of(work: Work, client_id: UUID) -> list[TreatmentPlanReview]:
    row = TreatmentPlanReview
    query = select(row).where(row.tenant_id == work.tenant_id, row.client_id == client_id, row.voided_at.is_(None))
    return list(work.db.scalars(query.order_by(row.reviewed_on, row.created_at)))


def reviewed_plan(
    work: Work, client_id: UUID, reviewed_on: date, review: TreatmentPlanReview | None = None
) -> UUID | None:
    """Which of the client's plans is reviewed on the day; refused where none can be. `review` is one that is moved
    there: it may be of before the practice moved in, and lie before all plans."""
    plans, reviews = plans_of(work, client_id), reviews_of(work, client_id)
    plan_id = next((plan.id for plan in reversed(plans) if plan.starts_on <= reviewed_on), None)
    begun = [plan.starts_on for plan in plans] if review is None or review.plan_id is not None else []
    of_same_plan = [one.reviewed_on for one in reviews if one is not review and one.plan_id == plan_id]
    days = [one.reviewed_on for one in reviews]
    if problems := review_problems(reviewed_on, begun, days, of_same_plan, local_today(work)):
        raise Invalid(problems)
    return plan_id


def first_review(work: Work, plan: TreatmentPlan) -> tuple[TreatmentPlanReview | None, list[TreatmentPlanReview]]:
    """The one with which the plan began, and its others."""
    reviews = [review for review in reviews_of(work, plan.client_id) if review.plan_id == plan.id]
    first = next((review for review in reviews if review.reviewed_on == plan.starts_on), None)
    return first, [review for review in reviews if review is not first]


def refuse_first(work: Work, review: TreatmentPlanReview) -> None:
    if review.plan_id is None:
        return
    plan = work.db.get_one(TreatmentPlan, (work.tenant_id, review.plan_id))
    if first_review(work, plan)[0] is review:
        raise FirstReview("With this the plan began. Change the plan, or void it, and this goes with it.")


def note_problems(work: Work, client_id: UUID, note_id: UUID | None) -> list[str]:
    if note_id is None:
        return []
    note = work.db.get(Note, (work.tenant_id, note_id))
    if note is None or note.voided_at is not None or (note.client_id, note.type) != (client_id, "TREATMENT_PLAN"):
        return ["note_id: there is no note of this id that is a treatment plan of this client."]
    return []


def summary_of(work: Work, review: TreatmentPlanReview) -> str | None:
    return work.unseal("treatment_plan_reviews", "summary", review.id, review.summary)
