"""Another guardian in a minor's record ends the portal access of the former one."""

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_portal_client
from tests.support.drivers.clients import load_audit_entries, send_request, update_record
from tests.support.drivers.http import V1, assert_invalid, assert_ok, auth_headers, error_code, token_headers
from tests.support.drivers.sign_in_flow import list_emails, post, read_secret, set_clock

NEW_GUARDIAN = {"guardian_name": "Ruth Lane", "guardian_email": "ruth@lane.example"}


@pytest.fixture
def scheduler(practice: PracticeFixture) -> Person:
    return practice.add("scheduler")


@pytest.fixture
def guardian(practice: PracticeFixture) -> Person:
    """Return the portal sign-in of a child's guardian, Gale Lane."""
    return make_portal_client(practice, birth_date=date(2014, 9, 1), guardian_name="Gale Lane")


def invite(client: TestClient, practice: PracticeFixture, child: Person, by: Person, **headers: str) -> Any:
    return send_request(client, practice, "POST", f"/clients/{child.staff_id}/portal/invite", by, **headers)


@pytest.mark.parametrize("new_email", [True, False])
def test_a_new_guardian_ends_the_access_of_the_former(
    client: TestClient, practice: PracticeFixture, scheduler: Person, guardian: Person, new_email: bool
) -> None:
    path, session = f"/clients/{guardian.staff_id}", auth_headers(practice, guardian)
    assert client.get(V1 + path, headers=session).status_code == 200
    changes = NEW_GUARDIAN if new_email else {"guardian_name": "Ruth Lane"}
    answer = assert_ok(update_record(client, practice, path, scheduler, **changes))
    assert answer["portal_activated_at"] is None
    assert client.get(V1 + path, headers=session).status_code == 401
    assert client.post(f"{V1}{path}/agreements/GUARDIAN/sign", json={}, headers=session).status_code == 401
    [entry] = load_audit_entries(client, practice, "client.portal_closed", guardian.staff_id)
    assert entry["details"]["cause"] == "GUARDIAN_CHANGED"
    assert all("#" not in email["text"] for email in list_emails(practice.installation, guardian.email))

    refused = invite(client, practice, guardian, scheduler)
    if not new_email:
        assert (refused.status_code, error_code(refused)) == (409, "EMAIL_MISSING")
        assert_ok(update_record(client, practice, path, scheduler, guardian_email="ruth@lane.example"))
        refused = invite(client, practice, guardian, scheduler)
    assert (refused.status_code, error_code(refused)) == (409, "INVITATION_HELD")
    assert_ok(invite(client, practice, guardian, practice.admin, X_Reason="Showed the court's order"))
    assert read_secret(practice.installation, "ruth@lane.example")


def test_the_front_desk_invites_the_new_guardian_after_the_hold(
    client: TestClient, practice: PracticeFixture, scheduler: Person, guardian: Person
) -> None:
    path = f"/clients/{guardian.staff_id}"
    assert_ok(update_record(client, practice, path, scheduler, **NEW_GUARDIAN))
    later = set_clock(client, timedelta(hours=24))
    headers = token_headers(practice.token(scheduler, later))
    assert_ok(client.post(f"{V1}{path}/portal/invite", headers=headers))
    assert read_secret(practice.installation, "ruth@lane.example")


def test_the_former_guardian_confirms_no_address(
    client: TestClient, practice: PracticeFixture, scheduler: Person, guardian: Person
) -> None:
    path = f"/clients/{guardian.staff_id}"
    assert_ok(update_record(client, practice, path, scheduler, guardian_email="ruth@lane.example"))
    link = read_secret(practice.installation, guardian.email, "email-change")
    assert_ok(
        update_record(client, practice, path, scheduler, guardian_name="Ruth Lane", guardian_email="ruth@ruth.example")
    )
    assert error_code(post(client, "/email-changes/confirm", token=link)) == "LINK_NOT_VALID"
    assert error_code(invite(client, practice, guardian, scheduler)) == "INVITATION_HELD"


def test_a_portal_closed_before_leaves_the_former_guardian_no_say(
    client: TestClient, practice: PracticeFixture, scheduler: Person, guardian: Person
) -> None:
    path = f"/clients/{guardian.staff_id}"
    assert_ok(send_request(client, practice, "POST", f"{path}/portal/close", scheduler))
    assert_ok(update_record(client, practice, path, scheduler, **NEW_GUARDIAN))
    assert error_code(invite(client, practice, guardian, scheduler)) == "INVITATION_HELD"


@pytest.mark.parametrize("name", ["gale  LANE", "Gale Lane"])
def test_another_spelling_of_the_guardian_ends_nothing(
    client: TestClient, practice: PracticeFixture, scheduler: Person, guardian: Person, name: str
) -> None:
    path = f"/clients/{guardian.staff_id}"
    answer = assert_ok(update_record(client, practice, path, scheduler, guardian_name=name))
    assert answer["portal_activated_at"] is not None
    assert client.get(V1 + path, headers=auth_headers(practice, guardian)).status_code == 200


def test_an_adults_portal_is_their_own(client: TestClient, practice: PracticeFixture, scheduler: Person) -> None:
    adult = make_portal_client(practice, guardian_name="Gale Lane")
    assert_ok(update_record(client, practice, f"/clients/{adult.staff_id}", scheduler, guardian_name="Ruth Lane"))
    assert client.get(f"{V1}/clients/{adult.staff_id}", headers=auth_headers(practice, adult)).status_code == 200


def test_another_guardian_does_not_inherit_contact_details(
    client: TestClient, practice: PracticeFixture, scheduler: Person
) -> None:
    contact = {"guardian_email": "gale@lane.example", "guardian_phone": "404-555-0103"}
    child = make_portal_client(practice, birth_date=date(2014, 9, 1), guardian_name="Gale Lane", **contact)
    path = f"/clients/{child.staff_id}"
    answer = assert_ok(update_record(client, practice, path, scheduler, guardian_name="Ruth Lane"))
    assert (answer["guardian_email"], answer["guardian_phone"]) == (None, None)


@pytest.mark.parametrize("change", [{"emancipated": True}, {"birth_date": "1999-09-01"}])
def test_nobody_keeps_a_portal_when_somebody_else_comes_in_charge(
    client: TestClient, practice: PracticeFixture, scheduler: Person, guardian: Person, change: dict[str, Any]
) -> None:
    """Neither the guardian of somebody who is of age now, nor a child who turns out to need a guardian."""
    grown_up = make_portal_client(practice, guardian_name="Tara Teen")
    for person, by, changes in (
        (guardian, scheduler, change),
        (grown_up, practice.admin, {"birth_date": "2010-03-03"}),
    ):
        path, session = f"/clients/{person.staff_id}", auth_headers(practice, person)
        assert client.get(V1 + path, headers=session).status_code == 200
        assert_ok(update_record(client, practice, path, by, **changes))
        assert client.get(V1 + path, headers=session).status_code == 401
        signed = client.post(f"{V1}{path}/agreements/GUARDIAN/sign", json={}, headers=session)
        assert signed.status_code == 401


def test_a_guardian_does_not_choose_the_childs_own_address(
    client: TestClient, practice: PracticeFixture, guardian: Person
) -> None:
    path = f"/clients/{guardian.staff_id}/contact"
    assert_invalid(update_record(client, practice, path, guardian, email="gale.second@lane.example"))
    assert_ok(update_record(client, practice, path, guardian, city="Macon"))


def test_a_former_guardians_deletion_request_is_named_so_and_only_withdrawn(
    client: TestClient, practice: PracticeFixture, scheduler: Person, guardian: Person
) -> None:
    path = f"/clients/{guardian.staff_id}"
    agreement = {"kind": "GUARDIAN", "title": "Ours", "text": "I agree"}
    assert_ok(send_request(client, practice, "POST", "/agreements", practice.admin, agreement), 201)
    signed = {"signed_by_name": "Gale Lane"}
    assert_ok(send_request(client, practice, "POST", f"{path}/agreements/GUARDIAN/sign", guardian, signed), 201)
    body = {"client_id": str(guardian.staff_id)}
    asked = assert_ok(send_request(client, practice, "POST", "/deletion-requests", guardian, body), 201)
    assert asked["asker"] == {"kind": "guardian", "name": None, "email": None}
    request = f"/deletion-requests/{asked['id']}"
    seen = assert_ok(send_request(client, practice, "GET", request, scheduler))["asker"]
    assert seen == {"kind": "guardian", "name": "Gale Lane", "email": guardian.email}

    assert_ok(update_record(client, practice, path, scheduler, **NEW_GUARDIAN))
    former = {"kind": "former_guardian", "name": "Gale Lane", "email": guardian.email}
    [listed] = assert_ok(send_request(client, practice, "GET", "/deletion-requests", scheduler))["items"]
    assert listed["asker"] == former
    reason = {"reason": "The guardian has changed"}
    refused = send_request(client, practice, "POST", f"{request}/withdraw", scheduler, reason)
    assert "former guardian made this request. Ask an admin" in refused.json()["error"]["message"]
    approved = send_request(client, practice, "POST", f"{request}/review", practice.admin, {"approved": True})
    assert (approved.status_code, error_code(approved)) == (409, "ASKED_BY_FORMER_GUARDIAN")
    withdrawn = assert_ok(send_request(client, practice, "POST", f"{request}/withdraw", practice.admin, reason))
    assert (withdrawn["status"], withdrawn["asker"]) == ("WITHDRAWN", former)


def test_an_approved_request_of_a_former_guardian_is_not_carried_out(
    client: TestClient, practice: PracticeFixture, scheduler: Person, guardian: Person
) -> None:
    path, body = f"/clients/{guardian.staff_id}", {"client_id": str(guardian.staff_id)}
    asked = assert_ok(send_request(client, practice, "POST", "/deletion-requests", guardian, body), 201)
    request = f"/deletion-requests/{asked['id']}"
    assert_ok(send_request(client, practice, "POST", f"{request}/review", practice.admin, {"approved": True}))
    assert_ok(update_record(client, practice, path, scheduler, guardian_name="Ruth Lane"))
    assert_ok(send_request(client, practice, "POST", f"{path}/status", practice.admin, {"status": "DISCHARGED"}))
    refused = send_request(client, practice, "POST", f"{request}/redact", practice.admin)
    assert (refused.status_code, error_code(refused)) == (409, "ASKED_BY_FORMER_GUARDIAN")


def test_a_former_guardian_who_becomes_staff_gets_no_request_approved(
    client: TestClient, practice: PracticeFixture, scheduler: Person, guardian: Person
) -> None:
    """Staff make requests for clients; one that was made in the portal stays a guardian's."""
    body = {"client_id": str(guardian.staff_id)}
    asked = assert_ok(send_request(client, practice, "POST", "/deletion-requests", guardian, body), 201)
    assert_ok(update_record(client, practice, f"/clients/{guardian.staff_id}", scheduler, **NEW_GUARDIAN))
    hired = {"email": guardian.email, "first_name": "Gale", "last_name": "Lane", "hired_on": "2026-03-16"}
    assert_ok(send_request(client, practice, "POST", "/staff", practice.admin, {**hired, "roles": ["scheduler"]}), 201)
    request = f"/deletion-requests/{asked['id']}"
    seen = assert_ok(send_request(client, practice, "GET", request, practice.admin))["asker"]
    assert seen == {"kind": "former_guardian", "name": None, "email": guardian.email}
    approved = send_request(client, practice, "POST", f"{request}/review", practice.admin, {"approved": True})
    assert (approved.status_code, error_code(approved)) == (409, "ASKED_BY_FORMER_GUARDIAN")


def test_consents_of_the_former_guardian_are_listed_when_the_guardian_changes(
    client: TestClient, practice: PracticeFixture, scheduler: Person, guardian: Person
) -> None:
    path = f"/clients/{guardian.staff_id}"
    by_former = {"kind": "GUARDIAN", "signed_at": "2026-03-01T10:00:00Z"}
    signed = assert_ok(send_request(client, practice, "POST", f"{path}/consents", scheduler, by_former), 201)
    revoked = assert_ok(send_request(client, practice, "POST", f"{path}/consents", scheduler, by_former), 201)
    assert_ok(send_request(client, practice, "POST", f"/consents/{revoked['id']}/revoke", scheduler, {}))
    respelled = assert_ok(update_record(client, practice, path, scheduler, guardian_name="GALE Lane"))
    assert respelled["former_guardian_consents"] == []
    changed = assert_ok(update_record(client, practice, path, scheduler, **NEW_GUARDIAN))
    assert changed["former_guardian_consents"] == [
        {name: signed[name] for name in ("id", "kind", "signed_at", "signed_by_name")}
    ]
    assert assert_ok(update_record(client, practice, path, scheduler, city="Macon"))["former_guardian_consents"] == []


@pytest.mark.parametrize("closed", [False, True])
def test_the_front_desk_makes_no_minor_of_an_adult_who_uses_the_portal(
    client: TestClient, practice: PracticeFixture, scheduler: Person, closed: bool
) -> None:
    """With a birth date changed to a minor's and back, they could give the portal to another address."""
    adult = make_portal_client(practice, guardian_name="Gale Lane")
    path = f"/clients/{adult.staff_id}"
    if closed:
        assert_ok(send_request(client, practice, "POST", f"{path}/portal/close", scheduler))
    refused = update_record(client, practice, path, scheduler, birth_date="2012-01-01")
    assert (refused.status_code, error_code(refused)) == (403, "FORBIDDEN")
    assert_ok(update_record(client, practice, path, scheduler, birth_date="1979-01-01"))
    assert_ok(update_record(client, practice, path, practice.admin, birth_date="2012-01-01"))
