"""Uses of the services of treatment plans, supervision and incidents."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from practice.clinical.plans import plans
from practice.clinical.supervision import sessions as supervision
from practice.people import incidents
from practice.security.permissions import Scope
from tests.support.simulation.practice import AT_WORK, DAY, HOUR, MINUTE, NothingToDo, SimulatedPractice, service

REVIEWS = f"""
    select r.* from treatment_plan_reviews as r
    join staff as s on s.tenant_id = r.tenant_id and s.id = r.clinician_id and {AT_WORK} and 'clinician' = any(s.roles)
    join clients as c on c.tenant_id = r.tenant_id and c.id = r.client_id and c.first_name <> 'Redacted'
    where r.voided_at is null order by r.id
"""
SUPERVISIONS = f"""
    select r.* from supervision_sessions as r
    join staff as s on s.tenant_id = r.tenant_id and s.id = r.supervisor_id and {AT_WORK}
        and 'supervisor' = any(s.roles)
    where r.voided_at is null order by r.id
"""
INCIDENTS = "select * from incidents where voided_at is null order by id"
WITH_CLINICIAN = f"primary_clinician_id in (select id from staff as s where 'clinician' = any(roles) and {AT_WORK})"


@service("begin a plan", 0.15)
def begin(sim: SimulatedPractice, client_id: UUID | None = None) -> None:
    client = (
        sim.pick_client(f"{WITH_CLINICIAN} and id = :id", id=client_id)
        if client_id
        else sim.pick_client(WITH_CLINICIAN)
    )
    kind = sim.choose("Cognitive therapy", "Cognitive therapy", "Family therapy")
    with sim.work(sim.staff_actor(client.primary_clinician_id)) as work:
        plans.begin_plan(
            work, Scope.OWN, client_id=client.id, kind=kind, starts_on=sim.choose(None, None, sim.choose_day(-9, 0))
        )


@service("change a plan", 0.1)
def change(sim: SimulatedPractice) -> None:
    plan = sim.pick(REVIEWS.replace("treatment_plan_reviews", "treatment_plans"))
    with sim.work(sim.staff_actor(plan.clinician_id)) as work:
        changes = {"starts_on": plan.starts_on + DAY * sim.random.randint(-12, 6)}
        plans.change_plan(work, Scope.OWN, plan.id, plan.version, changes)


@service("void a plan", 0.06)
def void_any_plan(sim: SimulatedPractice) -> None:
    plan = sim.pick(REVIEWS.replace("treatment_plan_reviews", "treatment_plans"))
    with sim.work(sim.staff_actor(plan.clinician_id)) as work:
        plans.void_plan(work, Scope.OWN, plan.id, "Entered by mistake.")


@service("record a review", 0.5)
def record_any_review(sim: SimulatedPractice) -> None:
    client = sim.pick_client(
        f"{WITH_CLINICIAN} and id in (select client_id from treatment_plans where voided_at is null)"
    )
    with sim.work(sim.staff_actor(client.primary_clinician_id)) as work:
        reviewed_on = sim.choose(None, sim.choose_day(-12, 0))
        plans.record_review(work, Scope.OWN, client_id=client.id, reviewed_on=reviewed_on, summary="On the way.")


@service("change a review", 0.12)
def change_any_review(sim: SimulatedPractice) -> None:
    review = sim.pick(REVIEWS)
    with sim.work(sim.staff_actor(review.clinician_id)) as work:
        changes = {"reviewed_on": review.reviewed_on + DAY * sim.random.randint(-12, 12)}
        plans.change_review(work, Scope.OWN, review.id, review.version, changes)


@service("void a review", 0.2)
def void_any_review(sim: SimulatedPractice) -> None:
    review = sim.pick(REVIEWS)
    with sim.work(sim.staff_actor(review.clinician_id)) as work:
        plans.void_review(work, Scope.OWN, review.id, "Entered by mistake.")


# Supervision


@service("record supervision", 0.5)
def record_supervision(sim: SimulatedPractice) -> None:
    supervisor = sim.pick(f"select * from staff as s where 'supervisor' = any(roles) and {AT_WORK} order by id")
    team = sim.rows(
        f"select id from staff as s where supervisor_id = :id and 'clinician' = any(roles) and {AT_WORK} order by id",
        id=supervisor.id,
    )
    if not team:
        raise NothingToDo
    group = len(team) > 1 and sim.happens(0.3)
    with sim.work(sim.staff_actor(supervisor.id)) as work:
        sessions = supervision.record_sessions(
            work,
            Scope.TEAM,
            supervisee_ids=[row.id for row in team] if group else [sim.random.choice(team).id],
            kind="GROUP" if group else "INDIVIDUAL",
            held_at=sim.now - sim.choose_span(2 * HOUR, sim.choose(5 * HOUR, 20 * DAY)),
            hours=sim.choose(Decimal("0.5"), Decimal(1), Decimal("1.5")),
            note="Talked about cases.",
        )
        ids = [session.id for session in sessions]
    for session_id in ids:
        if sim.happens(0.8):
            sim.later(sim.now + sim.choose_span(MINUTE, 10 * DAY), "sign supervision", session_id)


@service("sign supervision")
def sign_supervision(sim: SimulatedPractice, session_id: UUID) -> None:
    session = sim.pick("select * from supervision_sessions where id = :id", id=session_id)
    with sim.work(sim.staff_actor(session.supervisor_id)) as work:
        supervision.sign_session(work, Scope.TEAM, session_id)


@service("change supervision", 0.1)
def change_supervision(sim: SimulatedPractice) -> None:
    session = sim.pick(SUPERVISIONS.replace("order by", "and note_signed_at is null order by"))
    changes = sim.choose(
        {"hours": Decimal("2")}, {"held_at": session.held_at + timedelta(hours=sim.random.randint(-300, 100))}
    )
    with sim.work(sim.staff_actor(session.supervisor_id)) as work:
        supervision.change_session(work, Scope.TEAM, session.id, session.version, changes)


@service("void supervision", 0.1)
def void_supervision(sim: SimulatedPractice) -> None:
    session = sim.pick(SUPERVISIONS)
    with sim.work(sim.staff_actor(session.supervisor_id)) as work:
        supervision.void_session(work, Scope.TEAM, session.id, "Entered by mistake.")


# Incidents


@service("report an incident", 0.08)
def report(sim: SimulatedPractice) -> None:
    detected_at = sim.now - sim.choose_span(MINUTE, sim.choose(HOUR, 12 * DAY))
    with sim.work() as work:
        incident = incidents.report_incident(
            work, kind="LOST_DEVICE", detected_at=detected_at, summary="Lost."
        ).incident
        incident_id = incident.id
    if sim.happens(0.8):
        sim.later(sim.now + sim.choose_span(MINUTE, 3 * DAY), "respond to an incident", incident_id)


@service("respond to an incident")
def respond(sim: SimulatedPractice, incident_id: UUID) -> None:
    with sim.work() as work:
        responded_at = sim.choose(None, sim.now - sim.choose_span(MINUTE, DAY))
        incidents.respond_to_incident(work, incident_id, responded_at)


@service("change an incident", 0.08)
def change_any_incident(sim: SimulatedPractice) -> None:
    incident = sim.pick(INCIDENTS)
    with sim.work() as work:
        changes = {"detected_at": incident.detected_at - timedelta(hours=sim.random.randint(-40, 200))}
        incidents.change_incident(work, incident.id, incident.version, changes)


@service("void an incident", 0.04)
def void_any_incident(sim: SimulatedPractice) -> None:
    incident = sim.pick(INCIDENTS)
    with sim.work() as work:
        incidents.void_incident(work, incident.id, "Not one.")
