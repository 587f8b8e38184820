"""Invitations over HTTP: accepted once, by the right person, and required before access."""

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.people.staff import get_staff
from practice.security.accounts import invite_platform_admin
from practice.security.installation import Installation
from practice.security.work import Actor
from practice.store.ids import SYSTEM_TENANT, new_id
from tests.support.builders.people import (
    NOW,
    PASSWORD,
    PracticeFixture,
    give_credentials,
    make_platform_admin,
    make_practice,
    sign_in,
)
from tests.support.drivers.clients import load_audit_entries
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code, token_headers
from tests.support.drivers.sign_in_flow import (
    accept_invitation,
    enter_code,
    generate_code,
    login,
    post,
    read_link,
    read_secret,
    set_clock,
)

OTHER = "Amber-Heron 58 sails north"


def invite(client: TestClient, practice: PracticeFixture, email: str, *roles: str) -> dict[str, Any]:
    body = {"email": email, "first_name": "New", "last_name": "Comer", "roles": list(roles), "hired_on": "2026-03-01"}
    answer = client.post(f"{V1}/staff", json=body, headers=auth_headers(practice))
    assert answer.status_code == 201, answer.text
    return answer.json()


def invite_again(client: TestClient, practice: PracticeFixture, staff_id: str) -> dict[str, Any]:
    return assert_ok(client.post(f"{V1}/staff/{staff_id}/invite", headers=auth_headers(practice)))


def accept(client: TestClient, secret: str, password: str = PASSWORD) -> Any:
    return post(client, "/invitations/accept", token=secret, password=password)


def test_an_invitation_is_accepted_once_within_seven_days(client: TestClient, practice: PracticeFixture) -> None:
    email, late_email = f"once-{practice.id}@example.com", f"late-{practice.id}@example.com"
    created = invite(client, practice, email, "biller")
    assert created["expires_at"] == "2026-03-25T15:30:00Z"
    assert read_link(practice.installation, email).startswith("http://127.0.0.1:8002/invitation#")
    secret = read_secret(practice.installation, email)
    assert_ok(accept(client, secret))
    assert error_code(accept(client, secret)) == "LINK_NOT_VALID"
    invite(client, practice, late_email, "biller")
    set_clock(client, timedelta(days=7))
    assert error_code(accept_invitation(client, late_email)) == "LINK_NOT_VALID"


@pytest.mark.parametrize("way", ["added", "invited again", "rehired", "new practice"])
def test_the_link_of_an_invitation_is_in_no_answer(
    client: TestClient, installation: Installation, practice: PracticeFixture, way: str
) -> None:
    email, headers = f"link-{new_id()}@example.com", auth_headers(practice)
    person = {"email": email, "first_name": "New", "last_name": "Comer"}
    if way == "new practice":
        operator = make_platform_admin(installation)
        headers = token_headers(sign_in(installation, operator.account_id, SYSTEM_TENANT).access)
        body = {"name": f"Elm {new_id()}", "time_zone": "America/New_York", "admin": person}
        answer = client.post(f"{V1}/practices", json=body, headers=headers)
    else:
        answer = client.post(
            f"{V1}/staff", json=person | {"roles": ["biller"], "hired_on": "2026-03-01"}, headers=headers
        )
        path = f"{V1}/staff/{answer.json()['staff']['id']}"
    if way == "invited again":
        answer = client.post(f"{path}/invite", headers=headers)
    if way == "rehired":
        assert_ok(client.post(f"{path}/deactivate", json={"left_on": "2026-03-17"}, headers=headers))
        answer = client.post(f"{path}/rehire", json={"returned_on": "2026-03-18"}, headers=headers)
    assert answer.status_code in (200, 201), answer.text
    assert read_secret(installation, email) not in answer.text
    assert "#" not in answer.text


def test_an_existing_account_accepts_with_its_own_password_only(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    """Somebody who reads another person's mail cannot use an invitation to take over their account."""
    person = practice.add("clinician")
    secret = give_credentials(installation, person.account_id)
    other_practice = make_practice(installation)
    invite(client, other_practice, person.email, "admin")
    response = accept_invitation(client, person.email, OTHER)
    assert (response.status_code, error_code(response)) == (401, "WRONG_CREDENTIALS")
    assert post(client, "/login", email=person.email, password=OTHER).status_code == 401
    assert (
        enter_code(client, person.email, secret, NOW)["next"] == "done"
    )  # not accepted yet, so there is no choice of practice
    assert_ok(accept_invitation(client, person.email))
    assert enter_code(client, person.email, secret, set_clock(client, timedelta(seconds=30)))["next"] == "practice"


def test_a_new_invitation_invalidates_the_previous_link(client: TestClient, practice: PracticeFixture) -> None:
    email = f"lost-{practice.id}@example.com"
    created = invite(client, practice, email, "biller")
    first_secret = read_secret(practice.installation, email)
    invite_again(client, practice, created["staff"]["id"])
    assert error_code(accept(client, first_secret)) == "LINK_NOT_VALID"
    assert_ok(accept_invitation(client, email))


def test_an_invitation_of_deactivated_staff_cannot_be_accepted(client: TestClient, practice: PracticeFixture) -> None:
    email = f"left-{practice.id}@example.com"
    created = invite(client, practice, email, "biller")
    path = f"{V1}/staff/{created['staff']['id']}/deactivate"
    assert_ok(client.post(path, json={"left_on": "2026-03-18"}, headers=auth_headers(practice)))
    assert error_code(accept_invitation(client, email)) == "LINK_NOT_VALID"


@pytest.mark.parametrize(
    ("returned_on", "code"),
    [("2026-03-19", "VALIDATION_ERROR"), ("2026-02-27", "VALIDATION_ERROR"), ("2026-02-28", None)],
)
def test_staff_are_rehired_between_their_last_day_and_today(
    client: TestClient, practice: PracticeFixture, returned_on: str, code: str | None
) -> None:
    path = f"{V1}/staff/{practice.add('clinician').staff_id}"
    body = {"returned_on": returned_on}
    assert error_code(client.post(f"{path}/rehire", json=body, headers=auth_headers(practice))) == "STAFF_NOT_LEFT"
    assert_ok(client.post(f"{path}/deactivate", json={"left_on": "2026-02-27"}, headers=auth_headers(practice)))
    answer = client.post(f"{path}/rehire", json=body, headers=auth_headers(practice))
    assert (error_code(answer) if answer.status_code >= 400 else None) == code
    entries = [entry["details"] for entry in load_audit_entries(client, practice, "staff.rehired")]
    assert entries == ([] if code else [{"left_on": "2026-02-27", "returned_on": returned_on}])


def test_returning_staff_have_access_once_they_accept_the_new_invitation(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    person = practice.add("clinician")
    secret = give_credentials(installation, person.account_id)
    tokens = practice.tokens(person)
    path = f"{V1}/staff/{person.staff_id}"
    deactivated = client.post(f"{path}/deactivate", json={"left_on": "2026-03-18"}, headers=auth_headers(practice))
    assert (deactivated.json()["active"], deactivated.json()["left_on"]) == (False, "2026-03-18")
    token = login(client, person.email)["token"]
    assert error_code(post(client, "/mfa/verify", token=token, code="123456")) == "WRONG_CREDENTIALS"

    refused = client.post(f"{path}/invite", headers=auth_headers(practice))
    assert (refused.status_code, error_code(refused)) == (409, "STAFF_LEFT")
    unchanged = client.get(path, headers=auth_headers(practice)).json()
    assert (unchanged["active"], unchanged["left_on"]) == (False, "2026-03-18")

    body = {"returned_on": "2026-03-18"}
    returned = assert_ok(client.post(f"{path}/rehire", json=body, headers=auth_headers(practice)))
    assert (returned["staff"]["active"], returned["staff"]["left_on"]) == (True, None)
    current = client.get(path, headers=auth_headers(practice))
    assert current.headers["ETag"] != deactivated.headers["ETag"]  # a change based on the previous version is refused
    stale = client.patch(
        path, json={"npi": None}, headers=auth_headers(practice) | {"If-Match": deactivated.headers["ETag"]}
    )
    assert stale.status_code == 412
    assert client.get(f"{V1}/auth/me", headers={"Authorization": f"Bearer {tokens.access}"}).status_code == 401
    response = attempt_sign_in(client, person.email, secret)
    assert (response.status_code, error_code(response)) == (403, "PRACTICE_CLOSED")
    assert_ok(accept_invitation(client, person.email))
    now = set_clock(client, timedelta(seconds=30))
    assert enter_code(client, person.email, secret, now)["next"] == "done"
    assert client.get(f"{V1}/auth/me", headers={"Authorization": f"Bearer {tokens.access}"}).status_code == 401


def attempt_sign_in(client: TestClient, email: str, secret: str) -> Any:
    return post(client, "/mfa/verify", token=login(client, email)["token"], code=generate_code(secret, NOW))


def test_an_admin_with_a_pending_invitation_does_not_count_as_an_admin(
    client: TestClient, practice: PracticeFixture
) -> None:
    invite(client, practice, f"second-{practice.id}@example.com", "admin")
    path = f"{V1}/staff/{practice.admin.staff_id}"
    answer = client.patch(path, json={"roles": ["biller"]}, headers=auth_headers(practice) | {"If-Match": '"1"'})
    assert error_code(answer) == "LAST_ADMIN"


def test_a_weak_password_does_not_use_up_the_invitation(client: TestClient, practice: PracticeFixture) -> None:
    email = f"weak-{practice.id}@example.com"
    invite(client, practice, email, "biller")
    assert error_code(accept_invitation(client, email, "Password-1234")) == "PASSWORD_REFUSED"
    assert_ok(accept_invitation(client, email))


def test_a_platform_admin_accepts_an_invitation(client: TestClient, installation: Installation) -> None:
    email = f"platform-{new_id()}@example.com"
    with installation.work(Actor(), NOW) as work:
        secret, _ = invite_platform_admin(work, email)
    assert_ok(accept(client, secret))
    assert login(client, email)["next"] == "enroll"


def test_a_new_practice_has_its_invited_admin(client: TestClient, installation: Installation) -> None:
    created = make_practice(installation)
    with installation.work(created.actor(), NOW) as work:
        staff = get_staff(work, created.admin.staff_id)
    assert (staff.roles, staff.hired_on) == (["admin"], date(2026, 3, 18))
