"""Client portal over HTTP: invitation, sign-in, closing, and access to own records only."""

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.people import NOW, PracticeFixture, give_credentials, make_practice
from tests.support.builders.schedule import make_client, make_portal_client
from tests.support.drivers.clients import load_audit_entries, send_request
from tests.support.drivers.http import V1, assert_ok, error_code, token_headers
from tests.support.drivers.sign_in_flow import accept_invitation, enter_code, generate_code, login, post, set_clock


def invite(client: TestClient, practice: PracticeFixture, client_id: Any) -> Any:
    return send_request(client, practice, "POST", f"/clients/{client_id}/portal/invite", practice.add("scheduler"))


def sign_in_first_time(client: TestClient, email: str) -> dict[str, str]:
    """Enroll an authenticator at the first sign-in and return the headers."""
    token = login(client, email)["token"]
    secret = assert_ok(post(client, "/mfa/enroll", token=token))["secret"]
    step = assert_ok(post(client, "/mfa/confirm", token=token, code=generate_code(secret, NOW)))
    return token_headers(step["tokens"]["access_token"])


def test_a_client_signs_in_to_the_portal(client: TestClient, practice: PracticeFixture) -> None:
    clinician = practice.add("clinician")
    email = f"casey-{new_id()}@example.com"
    client_id = make_client(practice, clinician, email=email)
    other_id = make_client(practice, clinician)
    invited = assert_ok(invite(client, practice, client_id))
    assert invited["client_id"] == str(client_id)
    assert assert_ok(send_request(client, practice, "GET", f"/clients/{client_id}"))["portal_activated_at"] is None
    assert (list(invited), invited["expires_at"]) == (
        ["client_id", "client_name", "expires_at"],
        "2026-03-25T15:30:00Z",
    )
    assert_ok(accept_invitation(client, email))
    assert error_code(accept_invitation(client, email)) == "LINK_NOT_VALID"
    assert assert_ok(send_request(client, practice, "GET", f"/clients/{client_id}"))["portal_activated_at"] is None
    headers = sign_in_first_time(client, email)
    profile = assert_ok(client.get(f"{V1}/auth/me", headers=headers))
    assert (profile["roles"], profile["client_id"], profile["staff_id"], profile["restriction"]) == (
        ["client"],
        str(client_id),
        None,
        None,
    )
    record = assert_ok(client.get(f"{V1}/clients/{client_id}", headers=headers))
    assert (record["id"], record["portal_activated_at"]) == (str(client_id), "2026-03-18T15:30:00Z")
    with practice.work() as work:
        query = "select known_at from record_versions where record_id = :id order by id"
        assert list(work.db.scalars(text(query), {"id": client_id})) == [None, NOW]
    assert [item["id"] for item in assert_ok(client.get(f"{V1}/clients", headers=headers))["items"]] == [str(client_id)]
    for part in ("", "/statuses", "/coverages", "/consents", "/timeline", "/notification-preferences"):
        assert client.get(f"{V1}/clients/{client_id}{part}", headers=headers).status_code == 200
        assert client.get(f"{V1}/clients/{other_id}{part}", headers=headers).status_code == 404
    for path in ("/staff", f"/staff/{clinician.staff_id}", "/settings", "/audit", "/practices"):
        assert client.get(V1 + path, headers=headers).status_code == 403
    assert (
        client.post(f"{V1}/clients/{client_id}/status", json={"status": "INACTIVE"}, headers=headers).status_code == 403
    )


def test_clients_need_no_training(client: TestClient, practice: PracticeFixture) -> None:
    client_id = make_portal_client(practice)
    headers = token_headers(practice.tokens(client_id, set_clock(client, timedelta(days=800))).access)
    assert assert_ok(client.get(f"{V1}/auth/me", headers=headers))["restriction"] is None
    assert client.get(f"{V1}/clients/{client_id.staff_id}", headers=headers).status_code == 200


def test_the_first_sign_in_activates_the_portal(client: TestClient, practice: PracticeFixture) -> None:
    client_id = make_portal_client(practice)
    with practice.installation.store.begin_session(practice.id) as db:
        db.get_one(Client, (practice.id, client_id.staff_id)).portal_activated_at = None
    for hours in (1, 2):
        practice.tokens(client_id, NOW + timedelta(hours=hours))
    record = assert_ok(send_request(client, practice, "GET", f"/clients/{client_id.staff_id}"))
    assert record["portal_activated_at"] == "2026-03-18T16:30:00Z"


def test_an_account_of_another_practice_accepts_with_its_own_password(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    other_practice = make_practice(installation)
    person = other_practice.add("clinician")
    secret = give_credentials(installation, person.account_id)
    client_id = make_client(practice, email=person.email)
    assert_ok(invite(client, practice, client_id))
    assert_ok(accept_invitation(client, person.email))
    step = enter_code(client, person.email, secret, NOW)
    assert {choice["id"] for choice in step["practices"]} == {str(practice.id), str(other_practice.id)}
    step = assert_ok(post(client, "/practice", token=step["token"], practice_id=str(practice.id)))
    profile = assert_ok(client.get(f"{V1}/auth/me", headers=token_headers(step["tokens"]["access_token"])))
    assert (profile["roles"], profile["client_id"]) == (["client"], str(client_id))


@pytest.mark.parametrize("case", ["no email", "staff", "another client", "another client's record"])
def test_an_email_that_belongs_to_another_person_is_refused(
    client: TestClient, practice: PracticeFixture, case: str
) -> None:
    email = {
        "no email": None,
        "staff": practice.add("biller").email.upper(),
        "another client": make_portal_client(practice).email,
        "another client's record": "shared@example.com",
    }[case]
    if case == "another client's record":
        assert_ok(invite(client, practice, make_client(practice, email=email)))
    client_id = make_client(practice, email=email)
    answer = invite(client, practice, client_id)
    assert answer.status_code == 409
    assert error_code(answer) == ("EMAIL_MISSING" if email is None else "EMAIL_TAKEN")
    assert email is None or email not in answer.text
    assert load_audit_entries(client, practice, "client.invited", client_id) == []


def test_a_second_child_of_a_guardian_is_refused_and_the_first_keeps_the_portal(
    client: TestClient, practice: PracticeFixture
) -> None:
    guardian = {"guardian_name": "Pat Example", "guardian_email": f"pat-{new_id()}@example.com"}
    first, second = (make_client(practice, birth_date=date(2014, 9, day), **guardian) for day in (1, 2))
    assert_ok(invite(client, practice, first))
    assert_ok(accept_invitation(client, guardian["guardian_email"]))
    headers = sign_in_first_time(client, guardian["guardian_email"])
    refused = invite(client, practice, second)
    assert (refused.status_code, error_code(refused)) == (409, "EMAIL_TAKEN")
    assert "already serves another client" in refused.json()["error"]["message"]
    assert client.get(f"{V1}/clients/{first}", headers=headers).status_code == 200
    assert client.get(f"{V1}/clients/{second}", headers=headers).status_code == 404


def test_the_email_of_a_client_cannot_become_staff(client: TestClient, practice: PracticeFixture) -> None:
    client_id = make_portal_client(practice)
    body = {
        "email": client_id.email,
        "first_name": "New",
        "last_name": "Comer",
        "roles": ["admin"],
        "hired_on": "2026-03-01",
    }
    assert error_code(send_request(client, practice, "POST", "/staff", None, body)) == "IS_A_CLIENT"
    former = practice.add("clinician")
    assert_ok(
        send_request(client, practice, "POST", f"/staff/{former.staff_id}/deactivate", None, {"left_on": "2026-03-17"})
    )
    assert_ok(invite(client, practice, make_client(practice, email=former.email)))  # former staff can become clients
    rehired = send_request(
        client, practice, "POST", f"/staff/{former.staff_id}/rehire", None, {"returned_on": "2026-03-18"}
    )
    assert error_code(rehired) == "IS_A_CLIENT"
    with practice.installation.store.begin_session(practice.id) as db:
        assert db.get_one(Staff, (practice.id, former.staff_id)).deactivated_at is not None


def test_closing_the_portal_ends_access_until_a_new_invitation(client: TestClient, practice: PracticeFixture) -> None:
    email = f"casey-{new_id()}@example.com"
    client_id = make_client(practice, email=email)
    assert_ok(invite(client, practice, client_id))
    assert_ok(accept_invitation(client, email))
    headers = sign_in_first_time(client, email)
    assert_ok(invite(client, practice, client_id))
    response = assert_ok(
        send_request(client, practice, "POST", f"/clients/{client_id}/portal/close", practice.add("scheduler"))
    )
    assert (response["client_id"], response["open"]) == (str(client_id), False)
    assert client.get(f"{V1}/clients/{client_id}", headers=headers).status_code == 401
    assert error_code(accept_invitation(client, email)) == "LINK_NOT_VALID"
    record = assert_ok(send_request(client, practice, "GET", f"/clients/{client_id}"))
    assert (record["portal_activated_at"], record["status"]) == (None, "ACTIVE")
    assert_ok(
        send_request(client, practice, "POST", f"/clients/{client_id}/portal/close")
    )  # closing again changes nothing
    assert len(load_audit_entries(client, practice, "client.portal_closed", client_id)) == 1
    assert_ok(invite(client, practice, client_id))
    assert_ok(accept_invitation(client, email))
    assert client.get(f"{V1}/clients/{client_id}", headers=headers).status_code == 401
