"""Uses of the services of clients: admission, records, status, clinician, portal, intake, deletion."""

from datetime import date
from typing import Any
from uuid import UUID

from practice.people import deletion_requests, intake
from practice.people.client_history import change_primary_clinician
from practice.people.clients import add_client
from practice.people.portal import close_guardian_portals, close_portal, invite_client
from practice.scheduling import departures
from practice.scheduling.client_contacts import change_client, change_contact
from practice.scheduling.intake import complete_intake
from practice.security.permissions import Scope
from practice.security.sign_in import start_session
from practice.store.ids import new_id
from tests.support.builders.people import accept_membership
from tests.support.simulation.practice import DAY, HOUR, MINUTE, SimulatedPractice, service

ADDRESS = {"address": "1 Sample Way", "city": "Atlanta", "state": "GA", "zip": "30301"}
CONTACT = {"emergency_contact_name": "Kin", "emergency_contact_phone": "404-555-0101", "phone": "404-555-0100"}
IS_MINOR = "birth_date > cast(:today as date) - interval '18 years' and not emancipated"


@service("add a client", 0.6)
def add_any_client(sim: SimulatedPractice) -> None:
    is_minor = sim.happens(0.3)
    years = sim.random.randint(8, 17) if is_minor else sim.random.randint(18, 70)
    born = sim.today - DAY * (years * 365 + sim.random.randint(0, 500))
    email = f"client-{new_id()}@example.com"
    fields: dict[str, Any] = {
        "first_name": "Casey",
        "last_name": f"Simulated {sim.counter}",
        "birth_date": sim.choose(born, born, date(born.year // 4 * 4, 2, 29)),
        "email": email,
        "guardian_name": "Gale Guardian",
        "guardian_email": email,
        "self_pay": sim.happens(0.4),
        "emancipated": False,
        "admitted_on": sim.choose(None, sim.choose_day(-40, 0)),
    }
    fields |= ADDRESS if sim.happens(0.9) else {}
    fields |= CONTACT if sim.happens(0.9) else {}
    clinician_id = sim.pick_clinician().id if sim.happens(0.9) else None
    with sim.work() as work:
        client_id = add_client(work, primary_clinician_id=clinician_id, **fields)[0].client.id
    for name, chance in (
        ("add a coverage", 0.7),
        ("sign a consent", 0.9),
        ("sign a consent", 0.5),
        ("sign a guardian's consent", 0.9 if is_minor else 0),
        ("begin an intake form", 0.5),
        ("begin a plan", 0.7),
        ("open a portal", 0.6),
    ):
        if sim.happens(chance):
            sim.later(sim.now + sim.choose_span(MINUTE, 3 * DAY), name, client_id)
    for _ in range(2):
        sim.later(sim.now + sim.choose_span(HOUR, 3 * DAY), "book an appointment", client_id)


def change_any_client(sim: SimulatedPractice, client: Any, changes: dict[str, Any]) -> None:
    with sim.work() as work:
        change_client(work, Scope.ALL, client.id, client.version, changes)


@service("change self-pay", 0.15)
def change_self_pay(sim: SimulatedPractice) -> None:
    client = sim.pick_client()
    change_any_client(sim, client, {"self_pay": not client.self_pay})


@service("change emancipation", 0.1)
def change_emancipation(sim: SimulatedPractice) -> None:
    client = sim.pick_client("birth_date > cast(:today as date) - interval '18 years'")
    change_any_client(sim, client, {"emancipated": not client.emancipated})


@service("change demographics", 0.3)
def change_demographics(sim: SimulatedPractice) -> None:
    client = sim.pick_client()
    change_any_client(sim, client, sim.choose(ADDRESS | CONTACT, {"zip": None}, {"emergency_contact_name": " "}))


@service("change contact details", 0.1)
def change_own_contact(sim: SimulatedPractice) -> None:
    client = sim.pick_client()
    with sim.work() as work:
        changes = sim.choose({"phone": None}, {"phone": "404-555-0199"})
        change_contact(work, Scope.ALL, client.id, client.version, changes)


@service("correct a birth date", 0.12)
def correct_birth_date(sim: SimulatedPractice) -> None:
    client = sim.pick_client()
    change_any_client(sim, client, {"birth_date": client.birth_date + DAY * sim.random.randint(-900, 900)})


@service("correct an admission", 0.12)
def correct_admission(sim: SimulatedPractice) -> None:
    client = sim.pick_client()
    change_any_client(sim, client, {"admitted_on": client.admitted_on + DAY * sim.random.randint(-30, 15)})


@service("change high risk", 0.2)
def change_high_risk(sim: SimulatedPractice) -> None:
    client = sim.pick_client("primary_clinician_id is not null")
    if client.high_risk_since is None or client.high_risk_until is not None:
        changes = {"high_risk_since": sim.choose_day(-10, 0), "high_risk_until": None}
    else:
        changes = sim.choose({"high_risk_until": sim.choose_day(0, 10)}, {"high_risk_since": None})
    with sim.work(sim.staff_actor(client.primary_clinician_id)) as work:
        change_client(work, Scope.OWN, client.id, client.version, changes)


@service("end treatment", 0.3)
def end_treatment(sim: SimulatedPractice) -> None:
    client = sim.pick_client()
    with sim.work() as work:
        status, day = sim.choose("DISCHARGED", "INACTIVE"), sim.choose_day(-5, 10)
        departures.change_client_status(work, Scope.ALL, client.id, status, day)
    if sim.happens(0.2):
        sim.later(sim.now + sim.choose_span(HOUR, 12 * DAY), "ask for deletion", client.id)


@service("readmit a client", 0.15)
def readmit(sim: SimulatedPractice) -> None:
    client = sim.pick("select * from clients where ended_on is not null and first_name <> 'Redacted' order by id")
    with sim.work() as work:
        departures.change_client_status(work, Scope.ALL, client.id, "ACTIVE", sim.choose_day(-5, 0))


@service("change a primary clinician", 0.25)
def change_clinician(sim: SimulatedPractice) -> None:
    client = sim.pick_client()
    clinician_id = sim.pick_clinician().id if sim.happens(0.9) else None
    with sim.work() as work:
        change_primary_clinician(work, Scope.ALL, client.id, clinician_id, sim.choose_day(-15, 0))


@service("open a portal", 0.1)
def open_portal(sim: SimulatedPractice, client_id: UUID | None = None) -> None:
    client_id = client_id or sim.pick_client("account_id is null").id
    with sim.work() as work:
        client = invite_client(work, Scope.ALL, client_id, "Asked for by telephone.", by_email=False).client
        account_id = client.account_id
    assert account_id is not None
    accept_membership(sim.installation, account_id, sim.tenant_id, sim.now)
    sim.later(sim.now + sim.choose_span(MINUTE, 5 * DAY), "sign in to the portal", account_id)


@service("sign in to the portal", 0.3)
def sign_in_to_portal(sim: SimulatedPractice, account_id: UUID | None = None) -> None:
    account_id = account_id or sim.pick_client("account_id is not null").account_id
    assert account_id is not None
    start_session(sim.installation, account_id, sim.tenant_id, sim.now, None)


@service("close a portal", 0.12)
def close_any_portal(sim: SimulatedPractice) -> None:
    client = sim.pick_client("account_id is not null")
    with sim.work() as work:
        close_portal(work, Scope.ALL, client.id)


@service("close portals of guardians", 0.3)
def close_portals_of_guardians(sim: SimulatedPractice) -> None:
    with sim.work() as work:
        close_guardian_portals(work)


@service("begin an intake form", 0.1)
def begin_form(sim: SimulatedPractice, client_id: UUID | None = None) -> None:
    client_id = client_id or sim.pick_client().id
    with sim.work() as work:
        form_id = intake.start_form(work, Scope.ALL, client_id).id
    sim.later(sim.now + sim.choose_span(MINUTE, 6 * DAY), "complete an intake form", form_id)


@service("complete an intake form")
def complete_form(sim: SimulatedPractice, form_id: UUID) -> None:
    answers = {
        "personal": {
            "emergency_contact": "Kim Example, 404-555-0102",
            "medical_history": "None",
            "current_medications": "None",
            "allergies": "None",
        },
        "assessment": {"previous_therapy": False, "current_symptoms": ["sleep"], "severity_level": 4},
        "goals": {"therapy_goals": ["sleep"], "expectations": "Rest"},
        "agreements": {
            "consent_to_treatment": sim.happens(0.95),
            "confidentiality_agreement": True,
            "data_processing_consent": True,
            "terms": True,
            "guardian_name": "Gale Guardian",
            "signed_by_name": "Casey",
        },
    }
    for step, answered in answers.items():
        with sim.work() as work:
            intake.save_step(
                work, Scope.ALL, form_id, intake.find_form(work, Scope.ALL, form_id).version, step, answered
            )
    with sim.work() as work:
        complete_intake(work, Scope.ALL, form_id)


@service("ask for deletion")
def ask_for_deletion(sim: SimulatedPractice, client_id: UUID) -> None:
    with sim.work() as work:
        request_id = deletion_requests.create_request(work, Scope.ALL, client_id).id
    with sim.work() as work:
        deletion_requests.review_request(work, request_id, approved=True)
    sim.later(sim.now + sim.choose_span(HOUR, 9 * DAY), "redact a client", request_id)


@service("redact a client")
def redact(sim: SimulatedPractice, request_id: UUID) -> None:
    with sim.work() as work:
        departures.redact_client(work, request_id)
