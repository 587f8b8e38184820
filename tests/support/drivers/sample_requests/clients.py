"""Requests about clients: their records, their standing, their coverages, their consents."""

from datetime import date
from typing import Any
from uuid import UUID

from practice.people.models.clients import Agreement, Consent, Coverage
from practice.store.ids import new_id
from tests.support.builders.schedule import make_client, put
from tests.support.drivers.operations import SampleRequest, World

DESK = {"admin", "scheduler"}
READERS = {"admin", "supervisor", "clinician", "scheduler", "biller", "client"}
CLIENT = ("clients", "client_id")
COVERAGE = ("coverages", "coverage_id")
CONSENT = ("consents", "consent_id")


def theirs(world: World, _role: str | None) -> dict[str, Any]:
    """The client whom everybody reaches who reaches any."""
    return {"client_id": world.client_id}


def fresh(world: World, role: str | None) -> dict[str, Any]:
    """Somebody new, to be changed; for a client themselves."""
    if role == "client":
        return {"client_id": world.client_id}
    return {"client_id": make_client(world.practice, world.people["clinician"], email=f"{new_id()}@example.com")}


def body(**about: Any):
    return lambda _world, _role: about


def coverage(world: World, role: str | None) -> dict[str, UUID]:
    made = Coverage(
        id=new_id(),
        client_id=fresh(world, role)["client_id"],
        **{"rank": 1, "payer_id": "P1", "payer_name": "Example Health", "member_id": "M1"},
        effective_on=date(2026, 1, 1),
    )
    put(world.practice, made)
    return {"coverage_id": made.id}


def consent(world: World, _role: str | None) -> dict[str, UUID]:
    made = Consent(id=new_id(), client_id=world.client_id, kind="TELEHEALTH", signed_at=world.practice.now)
    put(world.practice, made)
    return {"consent_id": made.id}


def text_to_sign(world: World, _role: str | None) -> dict[str, Any]:
    number = new_id().int % 10**9
    text = Agreement(kind="CONFIDENTIALITY", number=number, title="Ours", text="...", published_at=world.practice.now)
    put(world.practice, text)
    return {"client_id": world.client_id, "kind": "CONFIDENTIALITY"}


PERSON = {"first_name": "Casey", "last_name": "Example", "birth_date": "1990-05-17"}
PAYER = {"payer_id": "P1", "payer_name": "Example Health", "member_id": "M1", "effective_on": "2026-01-01"}
WHY = {"reason": "Entered twice"}

SAMPLE_REQUESTS = {
    "list_clients": SampleRequest(READERS),
    "add_client": SampleRequest(DESK, body=body(**PERSON)),
    "search_clients": SampleRequest(READERS, body=body(query="cas")),
    "get_client": SampleRequest(READERS, theirs),
    "change_client": SampleRequest(DESK, theirs, body(city="Atlanta"), CLIENT),
    "change_client_contact": SampleRequest({*DESK, "client"}, theirs, body(city="Atlanta"), CLIENT),
    "get_notification_preferences": SampleRequest(READERS, theirs),
    "set_notification_preferences": SampleRequest({*DESK, "client"}, theirs, body(reminders=["sms"]), CLIENT),
    "list_client_statuses": SampleRequest(READERS, theirs),
    "change_client_status": SampleRequest(DESK, fresh, body(status="INACTIVE")),
    "list_primary_clinicians": SampleRequest(READERS, theirs),
    "change_primary_clinician": SampleRequest(DESK, fresh, lambda world, _: {"clinician_id": str(world.clinician_id)}),
    "invite_client": SampleRequest(DESK, fresh),
    "close_portal": SampleRequest(DESK, fresh),
    "get_timeline": SampleRequest(READERS, theirs),
    "list_coverages": SampleRequest(READERS, theirs),
    "add_coverage": SampleRequest({*DESK, "biller"}, fresh, body(rank=1, copay="20.00", **PAYER)),
    "change_coverage": SampleRequest({*DESK, "biller"}, coverage, body(group_number="G1"), COVERAGE),
    "void_coverage": SampleRequest({*DESK, "biller"}, coverage, query=lambda _: WHY),
    "verify_coverage": SampleRequest({*DESK, "biller"}, coverage),
    "check_eligibility": SampleRequest({*DESK, "biller"}, coverage),
    "list_eligibility_checks": SampleRequest(READERS, coverage),
    "list_consents": SampleRequest(READERS, theirs),
    "sign_consent": SampleRequest(DESK, theirs, body(kind="TELEHEALTH")),
    "change_consent": SampleRequest(DESK, consent, body(expires_on="2027-01-01"), CONSENT),
    "revoke_consent": SampleRequest(DESK, consent, body()),
    "void_consent": SampleRequest(DESK, consent, query=lambda _: WHY),
    "list_agreements": SampleRequest(READERS),
    "publish_agreement": SampleRequest(
        {"admin"}, body=body(kind="TELEHEALTH", title="Ours", text="What you agree to.")
    ),
    "sign_agreement": SampleRequest({*DESK, "client"}, text_to_sign, body()),
}
