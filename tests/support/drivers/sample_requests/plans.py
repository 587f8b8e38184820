"""Requests about treatment plans and their reviews, and about who lacks a plan."""

from datetime import date
from typing import Any

from practice.clinical.models.plans import TreatmentPlan, TreatmentPlanReview
from practice.store.ids import new_id
from tests.support.builders.schedule import make_client, put
from tests.support.drivers.operations import SampleRequest, World

READERS = {"admin", "supervisor", "clinician"}
WHY = {"X-Reason": "A complaint to look into"}
VOID = {"reason": "Entered twice"}


def chart(world: World, _role: str | None) -> dict[str, Any]:
    return {"client_id": world.client_id}


def new_plan(world: World, _role: str | None) -> dict[str, Any]:
    """With the review on the day on which it began, and a later one."""
    theirs = {"client_id": world.new_client(), "clinician_id": world.clinician_id, "created_at": world.practice.now}
    plan = TreatmentPlan(id=new_id(), kind="CBT", starts_on=date(2026, 1, 12), **theirs)
    first, second = (
        TreatmentPlanReview(id=new_id(), plan_id=plan.id, reviewed_on=day, **theirs)
        for day in (date(2026, 1, 12), date(2026, 3, 2))
    )
    put(world.practice, plan, first, second)
    return {"plan_id": plan.id, "review_id": second.id}


def only(name: str) -> Any:
    return lambda world, role: {name: new_plan(world, role)[name]}


def of_new_client(**more: Any) -> Any:
    return lambda world, _role: {"client_id": str(world.new_client())} | more


def of_planned(world: World, role: str | None) -> dict[str, Any]:
    client_id = make_client(world.practice, world.people["clinician"])
    theirs = {"client_id": client_id, "clinician_id": world.clinician_id, "created_at": world.practice.now}
    put(world.practice, TreatmentPlanReview(id=new_id(), reviewed_on=date(2026, 1, 12), **theirs))
    return {"client_id": str(client_id), "summary": "Goes on as planned."}


SAMPLE_REQUESTS = {
    "list_treatment_plans": SampleRequest(READERS, headers=WHY),
    "begin_treatment_plan": SampleRequest({"clinician"}, body=of_new_client(kind="CBT", starts_on="2026-03-16")),
    "list_treatment_plans_due": SampleRequest(READERS, headers=WHY),
    "get_treatment_plan": SampleRequest(READERS, only("plan_id"), headers=WHY),
    "change_treatment_plan": SampleRequest(
        {"clinician"}, only("plan_id"), lambda _world, _role: {"kind": "EMDR"}, ("treatment_plans", "plan_id")
    ),
    "void_treatment_plan": SampleRequest({"clinician"}, only("plan_id"), query=lambda _world: VOID),
    "list_treatment_plan_reviews": SampleRequest(READERS, headers=WHY),
    "record_treatment_plan_review": SampleRequest({"clinician"}, body=of_planned),
    "get_treatment_plan_review": SampleRequest(READERS, only("review_id"), headers=WHY),
    "change_treatment_plan_review": SampleRequest(
        {"clinician"},
        only("review_id"),
        lambda _world, _role: {"summary": "Goes on."},
        ("treatment_plan_reviews", "review_id"),
    ),
    "void_treatment_plan_review": SampleRequest({"clinician"}, only("review_id"), query=lambda _world: VOID),
    "get_plan_standing": SampleRequest(READERS, chart, headers=WHY),
    "list_safety_plans_due": SampleRequest(READERS, headers=WHY),
    "get_safety_standing": SampleRequest(READERS, chart, headers=WHY),
}
