"""Sample requests of clients: records, status, coverages and consents."""

from datetime import date
from typing import Any
from uuid import UUID

from practice.people.models.clients import Agreement, Consent, Coverage
from practice.store.ids import new_id
from tests.support.builders.schedule import make_client, put
from tests.support.drivers.operations import SampleRequest, World, send_reason

FRONT_DESK = {"admin", "scheduler"}
READERS = {"admin", "supervisor", "clinician", "scheduler", "biller", "client"}
CLIENT = ("clients", "client_id")
COVERAGE = ("coverages", "coverage_id")
CONSENT = ("consents", "consent_id")


def pick_client(world: World, _role: str | None) -> dict[str, Any]:
    """Return the id of the client that every role sees that sees any."""
    return {"client_id": world.client_id}


def make_fresh_client(world: World, role: str | None) -> dict[str, Any]:
    """Make a client to change; a client changes their own record."""
    if role == "client":
        return {"client_id": world.client_id}
    return {"client_id": make_client(world.practice, world.people["clinician"], email=f"{new_id()}@example.com")}


def send(**body: Any):
    return lambda _world, _role: body


def make_coverage(world: World, role: str | None) -> dict[str, UUID]:
    record = Coverage(
        id=new_id(),
        client_id=make_fresh_client(world, role)["client_id"],
        rank=1,
        payer_id="P1",
        payer_name="Example Health",
        member_id="M1",
        effective_on=date(2026, 1, 1),
    )
    put(world.practice, record)
    return {"coverage_id": record.id}


def make_consent(world: World, _role: str | None) -> dict[str, UUID]:
    record = Consent(id=new_id(), client_id=world.client_id, kind="TELEHEALTH", signed_at=world.practice.now)
    put(world.practice, record)
    return {"consent_id": record.id}


def publish_agreement(world: World, _role: str | None) -> dict[str, Any]:
    number = new_id().int % 10**9
    text = Agreement(kind="CONFIDENTIALITY", number=number, title="Ours", text="...", published_at=world.practice.now)
    put(world.practice, text)
    return {"client_id": world.client_id, "kind": "CONFIDENTIALITY"}


PERSON = {"first_name": "Casey", "last_name": "Example", "birth_date": "1990-05-17"}
PAYER = {"payer_id": "P1", "payer_name": "Example Health", "member_id": "M1", "effective_on": "2026-01-01"}

SAMPLE_REQUESTS = {
    "list_clients": SampleRequest(READERS),
    "add_client": SampleRequest(FRONT_DESK, body=send(**PERSON)),
    "search_clients": SampleRequest(READERS, body=send(query="cas")),
    "get_client": SampleRequest(READERS, pick_client),
    "change_client": SampleRequest(
        {*FRONT_DESK, "supervisor", "clinician"},
        pick_client,
        lambda _world, role: {"city": "Atlanta"} if role in FRONT_DESK else {"high_risk_since": "2026-03-01"},
        CLIENT,
    ),
    "change_client_contact": SampleRequest({*FRONT_DESK, "client"}, pick_client, send(city="Atlanta"), CLIENT),
    "get_notification_preferences": SampleRequest(READERS, pick_client),
    "set_notification_preferences": SampleRequest(
        {*FRONT_DESK, "client"}, pick_client, send(reminders=["sms"]), CLIENT
    ),
    "list_client_statuses": SampleRequest(READERS, pick_client),
    "change_client_status": SampleRequest(FRONT_DESK, make_fresh_client, send(status="INACTIVE")),
    "list_primary_clinicians": SampleRequest(READERS, pick_client),
    "change_primary_clinician": SampleRequest(
        FRONT_DESK, make_fresh_client, lambda world, _: {"clinician_id": str(world.clinician_id)}
    ),
    "invite_client": SampleRequest(FRONT_DESK, make_fresh_client),
    "close_portal": SampleRequest(FRONT_DESK, make_fresh_client),
    "confirm_email": SampleRequest(
        {"client"}, pick_client, lambda world, _role: {"email": world.people["client"].email}
    ),
    "get_timeline": SampleRequest(READERS, pick_client),
    "list_coverages": SampleRequest(READERS, pick_client),
    "add_coverage": SampleRequest({*FRONT_DESK, "biller"}, make_fresh_client, send(rank=1, copay="20.00", **PAYER)),
    "change_coverage": SampleRequest({*FRONT_DESK, "biller"}, make_coverage, send(group_number="G1"), COVERAGE),
    "void_coverage": SampleRequest({*FRONT_DESK, "biller"}, make_coverage, body=send_reason),
    "verify_coverage": SampleRequest({*FRONT_DESK, "biller"}, make_coverage),
    "check_eligibility": SampleRequest({*FRONT_DESK, "biller"}, make_coverage),
    "list_eligibility_checks": SampleRequest(READERS, make_coverage),
    "list_payers": SampleRequest({*FRONT_DESK, "biller"}),
    "list_consents": SampleRequest(READERS, pick_client),
    "sign_consent": SampleRequest(FRONT_DESK, pick_client, send(kind="TELEHEALTH")),
    "change_consent": SampleRequest(FRONT_DESK, make_consent, send(expires_on="2027-01-01"), CONSENT),
    "revoke_consent": SampleRequest(FRONT_DESK, make_consent, send()),
    "void_consent": SampleRequest(FRONT_DESK, make_consent, body=send_reason),
    "list_agreements": SampleRequest(READERS),
    "publish_agreement": SampleRequest(
        {"admin"}, body=send(kind="TELEHEALTH", title="Ours", text="What you agree to.")
    ),
    "sign_agreement": SampleRequest({*FRONT_DESK, "client"}, publish_agreement, send()),
}
