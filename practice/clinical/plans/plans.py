"""Treatment plans and their reviews: begin, review, change, void and read.

`review_status.py` computes when reviews are due.
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
from practice.errors import FieldProblem, Invalid, NotFound, Refusal, Stale
from practice.people.access import can_see_client, client_visible, find_shown_client, visible_clients
from practice.people.clients import lock_client, reason_detail
from practice.people.models.clients import Client
from practice.people.practice_time import local_today
from practice.people.rules.consents import find_treatment_change
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import update_versioned


class FirstReview(Refusal):
    """The review belongs to the first day of its plan.

    Fix: change or void the plan instead.
    """

    code = "FIRST_REVIEW"


@dataclass(frozen=True)
class BegunPlan:
    """A new plan. If it changes the treatment, the next booking requires an informed consent from its start date on."""

    plan: TreatmentPlan
    changes_treatment: bool


@dataclass(frozen=True)
class ReviewView:
    """A review with its decrypted summary."""

    review: TreatmentPlanReview
    summary: str | None


@dataclass(frozen=True)
class PlanFilters:
    """Filters of lists of plans and reviews."""

    client_id: UUID | None = None
    clinician_id: UUID | None = None
    voided: bool = False


def list_plans(
    work: Work, scope: Scope, page_request: PageRequest, filters: PlanFilters, reason: str | None = None
) -> Page:
    """Return a page of treatment plans."""
    sortable = {"starts_on": TreatmentPlan.starts_on, "created_at": TreatmentPlan.created_at, "id": TreatmentPlan.id}
    query = select_records(work, scope, TreatmentPlan, filters)
    page = fetch_page(work.db, query, page_request, sortable, TreatmentPlan.id, "-starts_on")
    audit_list(work, scope, page, filters.client_id, "treatment plans", reason)
    return page


def list_reviews(
    work: Work, scope: Scope, page_request: PageRequest, filters: PlanFilters, reason: str | None = None
) -> Page:
    """Return a page of plan reviews without their summaries."""
    sortable = {
        "reviewed_on": TreatmentPlanReview.reviewed_on,
        "created_at": TreatmentPlanReview.created_at,
        "id": TreatmentPlanReview.id,
    }
    query = select_records(work, scope, TreatmentPlanReview, filters)
    page = fetch_page(work.db, query, page_request, sortable, TreatmentPlanReview.id, "-reviewed_on")
    audit_list(work, scope, page, filters.client_id, "treatment plan reviews", reason)
    return page


def select_records(work: Work, scope: Scope, model: Any, filters: PlanFilters) -> Select[Any]:
    """Return the query for visible plans or reviews that match the filters."""
    query = select(model).where(model.tenant_id == work.tenant_id, visible_clients(work, scope, model.client_id))
    if filters.client_id is not None:
        query = query.where(model.client_id == filters.client_id)
    if filters.clinician_id is not None:
        query = query.where(model.clinician_id == filters.clinician_id)
    return query if filters.voided else query.where(model.voided_at.is_(None))


def audit_list(work: Work, scope: Scope, page: Page, client_id: UUID | None, part: str, reason: str | None) -> None:
    """Record access to one chart, or to a list across charts."""
    shown_id = find_shown_client(work, scope, client_id, page.items)
    if shown_id is not None:
        work.record("client.read", "client", shown_id, part=part, **reason_detail(reason))
    else:
        work.record_list("plans.listed", (item.client_id for item in page.items), part=part, **reason_detail(reason))


def get_plan(work: Work, scope: Scope, plan_id: UUID, reason: str | None = None) -> TreatmentPlan:
    """Return a plan and record the access in the audit log."""
    plan = find_record(work, scope, TreatmentPlan, plan_id)
    work.record("treatment_plan.read", "client", plan.client_id, plan_id=str(plan_id), **reason_detail(reason))
    return plan


def get_review(work: Work, scope: Scope, review_id: UUID, reason: str | None = None) -> ReviewView:
    """Return a review with its summary and record the access in the audit log."""
    review = find_record(work, scope, TreatmentPlanReview, review_id)
    work.record(
        "treatment_plan.review_read", "client", review.client_id, review_id=str(review_id), **reason_detail(reason)
    )
    return ReviewView(review, unseal_summary(work, review))


def begin_plan(
    work: Work,
    scope: Scope,
    *,
    client_id: UUID,
    kind: str,
    starts_on: date | None = None,
    note_id: UUID | None = None,
) -> BegunPlan:
    """Create a plan. Its start date counts as its first review."""
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
    changes_treatment = (
        find_treatment_change((other.starts_on, other.kind) for other in load_plans(work, client_id)) == starts_on
    )
    work.record("treatment_plan.begun", "client", client_id, plan_id=str(plan.id), changes_treatment=changes_treatment)
    return BegunPlan(plan, changes_treatment)


def change_plan(work: Work, scope: Scope, plan_id: UUID, version: int, changes: dict[str, Any]) -> TreatmentPlan:
    """Change a plan's kind, note or start date. Its first review moves with the start date."""
    plan, client = lock_record(work, scope, TreatmentPlan, plan_id)
    if plan.version != version:
        raise Stale
    first, later = split_first_review(work, plan)
    problems = note_problems(work, plan.client_id, changes.get("note_id"))
    if starts_on := changes.get("starts_on"):
        problems += begin_problems(starts_on, client.admitted_on, local_today(work))
        if earlier := [review.reviewed_on for review in later if review.reviewed_on <= starts_on]:
            message = f"The plan was already reviewed on {min(earlier)}. Choose an earlier date."
            problems.append(FieldProblem("starts_on", message))
    if problems:
        raise Invalid(problems)
    if starts_on and first is not None:
        update_versioned(first, {"reviewed_on": starts_on})
    update_versioned(plan, changes)
    work.record("treatment_plan.changed", "client", plan.client_id, plan_id=str(plan_id), fields=sorted(changes))
    return plan


def void_plan(work: Work, scope: Scope, plan_id: UUID, reason: str) -> None:
    """Void a plan that was entered by mistake, together with its reviews."""
    plan, _ = lock_record(work, scope, TreatmentPlan, plan_id)
    for record in (plan, *(review for review in load_reviews(work, plan.client_id) if review.plan_id == plan_id)):
        work.void(record, reason)
    work.record("treatment_plan.voided", "client", plan.client_id, plan_id=str(plan_id))


def record_review(
    work: Work, scope: Scope, *, client_id: UUID, reviewed_on: date | None = None, summary: str | None = None
) -> ReviewView:
    """Record a review of the plan that was in force on that day."""
    lock_chart(work, scope, client_id)
    reviewed_on = reviewed_on or local_today(work)
    plan_id = find_reviewed_plan(work, client_id, reviewed_on)
    review = add_review(work, client_id, plan_id, reviewed_on, summary)
    work.record("treatment_plan.reviewed", "client", client_id, review_id=str(review.id))
    return ReviewView(review, summary)


def change_review(work: Work, scope: Scope, review_id: UUID, version: int, changes: dict[str, Any]) -> ReviewView:
    """Change the date or summary of a review."""
    review, _ = lock_record(work, scope, TreatmentPlanReview, review_id)
    if review.version != version:
        raise Stale
    values = dict(changes)
    if "reviewed_on" in changes:
        refuse_first_review(work, review)
        values["plan_id"] = find_reviewed_plan(work, review.client_id, changes["reviewed_on"], review)
    if "summary" in changes:
        values["summary"] = work.seal("treatment_plan_reviews", "summary", review_id, changes["summary"])
    update_versioned(review, values)
    work.record(
        "treatment_plan.review_changed", "client", review.client_id, review_id=str(review_id), fields=sorted(changes)
    )
    return ReviewView(review, unseal_summary(work, review))


def void_review(work: Work, scope: Scope, review_id: UUID, reason: str) -> None:
    """Void a review. The first review of a plan is voided only with the plan."""
    review, _ = lock_record(work, scope, TreatmentPlanReview, review_id)
    refuse_first_review(work, review)
    work.void(review, reason)
    work.record("treatment_plan.review_voided", "client", review.client_id, review_id=str(review_id))


# Loading, locking and checks


def find_record(work: Work, scope: Scope, model: Any, record_id: UUID) -> Any:
    """Return a visible plan or review that is not voided, or raise NotFound."""
    query = select(model).where(model.tenant_id == work.tenant_id, model.id == record_id, model.voided_at.is_(None))
    query = query.where(client_visible(work, scope, model.client_id)).execution_options(populate_existing=True)
    record = work.db.scalar(query)
    if record is None:
        raise NotFound
    return record


def lock_record(work: Work, scope: Scope, model: Any, record_id: UUID) -> tuple[Any, Client]:
    """Lock a plan or review for a change by its author or the client's primary clinician.

    The client is locked first, as in `begin_plan`, so that concurrent changes of a chart see each other.
    """
    client = lock_client(work, scope, find_record(work, scope, model, record_id).client_id)
    record = find_record(work, scope, model, record_id)
    if work.actor.staff_id not in (record.clinician_id, client.primary_clinician_id):
        raise NotYours("This was entered by somebody else. Ask them or the client's primary clinician to change it.")
    return record, client


def lock_chart(work: Work, scope: Scope, client_id: UUID) -> Client:
    """Lock the client that a request names, or raise Invalid."""
    if not can_see_client(work, scope, client_id):
        raise Invalid([FieldProblem("client_id", "There is no such client, or not one of yours.")])
    return lock_client(work, scope, client_id)


def add_review(
    work: Work, client_id: UUID, plan_id: UUID | None, reviewed_on: date, summary: str | None
) -> TreatmentPlanReview:
    """Add a review to the session and return it."""
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


def load_plans(work: Work, client_id: UUID) -> list[TreatmentPlan]:
    """Return the client's plans in order of their start dates."""
    query = select(TreatmentPlan).where(
        TreatmentPlan.tenant_id == work.tenant_id,
        TreatmentPlan.client_id == client_id,
        TreatmentPlan.voided_at.is_(None),
    )
    return list(work.db.scalars(query.order_by(TreatmentPlan.starts_on, TreatmentPlan.created_at, TreatmentPlan.id)))


def load_reviews(work: Work, client_id: UUID) -> list[TreatmentPlanReview]:
    """Return the client's reviews in order of their dates."""
    query = select(TreatmentPlanReview).where(
        TreatmentPlanReview.tenant_id == work.tenant_id,
        TreatmentPlanReview.client_id == client_id,
        TreatmentPlanReview.voided_at.is_(None),
    )
    return list(work.db.scalars(query.order_by(TreatmentPlanReview.reviewed_on, TreatmentPlanReview.created_at)))


def find_reviewed_plan(
    work: Work, client_id: UUID, reviewed_on: date, review: TreatmentPlanReview | None = None
) -> UUID | None:
    """Return the id of the plan that is reviewed on the day, or raise Invalid.

    `review` is an existing review that moves to that day. One from before the practice used Caseload may precede all
    plans.
    """
    plans, reviews = load_plans(work, client_id), load_reviews(work, client_id)
    plan_id = next((plan.id for plan in reversed(plans) if plan.starts_on <= reviewed_on), None)
    start_dates = [plan.starts_on for plan in plans] if review is None or review.plan_id is not None else []
    same_plan_dates = [other.reviewed_on for other in reviews if other is not review and other.plan_id == plan_id]
    review_dates = [other.reviewed_on for other in reviews]
    if problems := review_problems(reviewed_on, start_dates, review_dates, same_plan_dates, local_today(work)):
        raise Invalid(problems)
    return plan_id


def split_first_review(work: Work, plan: TreatmentPlan) -> tuple[TreatmentPlanReview | None, list[TreatmentPlanReview]]:
    """Return the review with which the plan began, and the plan's other reviews."""
    reviews = [review for review in load_reviews(work, plan.client_id) if review.plan_id == plan.id]
    first = next((review for review in reviews if review.reviewed_on == plan.starts_on), None)
    return first, [review for review in reviews if review is not first]


def refuse_first_review(work: Work, review: TreatmentPlanReview) -> None:
    """Raise FirstReview if the review is the one with which its plan began."""
    if review.plan_id is None:
        return
    plan = work.db.get_one(TreatmentPlan, (work.tenant_id, review.plan_id))
    if split_first_review(work, plan)[0] is review:
        raise FirstReview("This is the plan's first review. Change or void the plan instead.")


def note_problems(work: Work, client_id: UUID, note_id: UUID | None) -> list[FieldProblem]:
    if note_id is None:
        return []
    note = work.db.get(Note, (work.tenant_id, note_id))
    is_usable = note is not None and note.voided_at is None and note.entered_in_error_at is None
    if note is None or not is_usable or (note.client_id, note.type) != (client_id, "TREATMENT_PLAN"):
        return [FieldProblem("note_id", "This client has no treatment plan note with this id.")]
    return []


def unseal_summary(work: Work, review: TreatmentPlanReview) -> str | None:
    return work.unseal("treatment_plan_reviews", "summary", review.id, review.summary)
