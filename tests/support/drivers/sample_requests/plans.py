"""Sample requests of treatment plans, their reviews, and missing plans."""

from datetime import date
from typing import Any

from practice.clinical.models.plans import TreatmentPlan, TreatmentPlanReview
from practice.store.ids import new_id
from tests.support.builders.schedule import make_client, put
from tests.support.drivers.operations import SampleRequest, World, send_reason

READERS = {"admin", "supervisor", "clinician"}
WHY = {"X-Reason": "A complaint to look into"}


def pick_chart(world: World, _role: str | None) -> dict[str, Any]:
    return {"client_id": world.client_id}


def make_plan(world: World, _role: str | None) -> dict[str, Any]:
    """Make a plan with the review of its first day and a later one."""
    common = {"client_id": world.new_client(), "clinician_id": world.clinician_id, "created_at": world.practice.now}
    plan = TreatmentPlan(id=new_id(), kind="CBT", starts_on=date(2026, 1, 12), **common)
    first, second = (
        TreatmentPlanReview(id=new_id(), plan_id=plan.id, reviewed_on=day, **common)
        for day in (date(2026, 1, 12), date(2026, 3, 2))
    )
    put(world.practice, plan, first, second)
    return {"plan_id": plan.id, "review_id": second.id}


def make_id(name: str) -> Any:
    return lambda world, role: {name: make_plan(world, role)[name]}


def send_new_client(**values: Any) -> Any:
    return lambda world, _role: {"client_id": str(world.new_client())} | values


def make_planned_client(world: World, role: str | None) -> dict[str, Any]:
    client_id = make_client(world.practice, world.people["clinician"])
    common = {"client_id": client_id, "clinician_id": world.clinician_id, "created_at": world.practice.now}
    put(world.practice, TreatmentPlanReview(id=new_id(), reviewed_on=date(2026, 1, 12), **common))
    return {"client_id": str(client_id), "summary": "Goes on as planned."}


SAMPLE_REQUESTS = {
    "list_treatment_plans": SampleRequest(READERS, headers=WHY),
    "begin_treatment_plan": SampleRequest({"clinician"}, body=send_new_client(kind="CBT", starts_on="2026-03-16")),
    "list_treatment_plans_due": SampleRequest(READERS, headers=WHY),
    "get_treatment_plan": SampleRequest(READERS, make_id("plan_id"), headers=WHY),
    "change_treatment_plan": SampleRequest(
        {"clinician"}, make_id("plan_id"), lambda _world, _role: {"kind": "EMDR"}, ("treatment_plans", "plan_id")
    ),
    "void_treatment_plan": SampleRequest({"clinician"}, make_id("plan_id"), body=send_reason),
    "list_treatment_plan_reviews": SampleRequest(READERS, headers=WHY),
    "record_treatment_plan_review": SampleRequest({"clinician"}, body=make_planned_client),
    "get_treatment_plan_review": SampleRequest(READERS, make_id("review_id"), headers=WHY),
    "change_treatment_plan_review": SampleRequest(
        {"clinician"},
        make_id("review_id"),
        lambda _world, _role: {"summary": "Goes on."},
        ("treatment_plan_reviews", "review_id"),
    ),
    "void_treatment_plan_review": SampleRequest({"clinician"}, make_id("review_id"), body=send_reason),
    "get_plan_status": SampleRequest(READERS, pick_chart, headers=WHY),
    "list_safety_plans_due": SampleRequest(READERS, headers=WHY),
    "get_safety_plan_status": SampleRequest(READERS, pick_chart, headers=WHY),
}
