"""A client comes in through the portal: invited, in by the front door, and in nobody else's records."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.people import NOW, PASSWORD, PracticeFixture, give_credentials, make_practice
from tests.support.builders.schedule import make_client, make_portal_client
from tests.support.drivers.clients import ask, change, good, trail
from tests.support.drivers.http import V1, code_of, with_token
from tests.support.drivers.sign_in_flow import code, enter, login, move, ok, post, secret_in


def invite(client: TestClient, practice: PracticeFixture, client_id: Any) -> Any:
    return ask(client, practice, "POST", f"/clients/{client_id}/portal-invitation", practice.add("scheduler"))


def accept(client: TestClient, link: str) -> Any:
    return post(client, "/invitations/accept", token=secret_in(link), password=PASSWORD)


def come_in(client: TestClient, email: str) -> dict[str, str]:
    """For the first time, with an authenticator of their own. As headers."""
    token = login(client, email)["token"]
    secret = ok(post(client, "/mfa/enrol", token=token))["secret"]
    done = ok(post(client, "/mfa/confirm", token=token, code=code(secret, NOW)))
    return with_token(done["tokens"]["access_token"])


def test_a_client_comes_in_by_the_front_door(client: TestClient, practice: PracticeFixture) -> None:
    clinician = practice.add("clinician")
    email = f"casey-{new_id()}@example.com"
    me = make_client(practice, clinician, email=email)
    other = make_client(practice, clinician)
    invited = good(invite(client, practice, me))
    assert invited["client_id"] == str(me)
    assert good(ask(client, practice, "GET", f"/clients/{me}"))["portal_activated_at"] is None
    ok(accept(client, invited["link"]))
    assert code_of(accept(client, invited["link"])) == "LINK_NOT_VALID"
    assert good(ask(client, practice, "GET", f"/clients/{me}"))["portal_activated_at"] is None
    headers = come_in(client, email)
    who = good(client.get(f"{V1}/auth/me", headers=headers))
    assert (who["roles"], who["client_id"], who["staff_id"], who["suspended"]) == (["client"], str(me), None, None)
    record = good(client.get(f"{V1}/clients/{me}", headers=headers))
    assert (record["id"], record["portal_activated_at"]) == (str(me), "2026-03-18T15:30:00Z")
    assert [item["id"] for item in good(client.get(f"{V1}/clients", headers=headers))["items"]] == [str(me)]
    for part in ("", "/statuses", "/coverages", "/consents", "/timeline", "/notification-preferences"):
        assert client.get(f"{V1}/clients/{me}{part}", headers=headers).status_code == 200
        assert client.get(f"{V1}/clients/{other}{part}", headers=headers).status_code == 404
    for path in ("/staff", f"/staff/{clinician.staff_id}", "/settings", "/audit", "/practices"):
        assert client.get(V1 + path, headers=headers).status_code == 403
    assert client.post(f"{V1}/clients/{me}/status", json={"status": "INACTIVE"}, headers=headers).status_code == 403


def test_clients_need_no_training(client: TestClient, practice: PracticeFixture) -> None:
    me = make_portal_client(practice)
    headers = with_token(practice.tokens(me, move(client, timedelta(days=800))).access)
    assert good(client.get(f"{V1}/auth/me", headers=headers))["suspended"] is None
    assert client.get(f"{V1}/clients/{me.staff_id}", headers=headers).status_code == 200


def test_the_first_time_that_they_came_in_stays(client: TestClient, practice: PracticeFixture) -> None:
    me = make_portal_client(practice)
    with practice.installation.store.session_in(practice.id) as db:
        db.get_one(Client, (practice.id, me.staff_id)).portal_activated_at = None
    for hours in (1, 2):
        practice.tokens(me, NOW + timedelta(hours=hours))
    record = good(ask(client, practice, "GET", f"/clients/{me.staff_id}"))
    assert record["portal_activated_at"] == "2026-03-18T16:30:00Z"


def test_whoever_has_an_account_elsewhere_takes_it_with_their_own_password(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    elsewhere = make_practice(installation)
    person = elsewhere.add("clinician")
    secret = give_credentials(installation, person.account_id)
    me = make_client(practice, email=person.email)
    ok(accept(client, good(invite(client, practice, me))["link"]))
    step = enter(client, person.email, secret, NOW)
    assert {one["id"] for one in step["practices"]} == {str(practice.id), str(elsewhere.id)}
    done = ok(post(client, "/practice", token=step["token"], practice_id=str(practice.id)))
    who = good(client.get(f"{V1}/auth/me", headers=with_token(done["tokens"]["access_token"])))
    assert (who["roles"], who["client_id"]) == (["client"], str(me))


@pytest.mark.parametrize("case", ["no address", "staff", "another client", "another client's record"])
def test_an_address_that_is_not_the_clients_own_is_refused(
    client: TestClient, practice: PracticeFixture, case: str
) -> None:
    email = {
        "no address": None,
        "staff": practice.add("biller").email.upper(),
        "another client": make_portal_client(practice).email,
        "another client's record": "shared@example.com",
    }[case]
    if case == "another client's record":
        good(invite(client, practice, make_client(practice, email=email)))
    me = make_client(practice, email=email)
    answer = invite(client, practice, me)
    assert answer.status_code == 409
    assert code_of(answer) == ("EMAIL_MISSING" if email is None else "EMAIL_TAKEN")
    assert email is None or email not in answer.text
    assert trail(client, practice, "client.invited", me) == []


def test_nobody_becomes_staff_under_a_clients_address(client: TestClient, practice: PracticeFixture) -> None:
    me = make_portal_client(practice)
    new = {"email": me.email, "first_name": "New", "last_name": "Comer", "roles": ["admin"], "hired_on": "2026-03-01"}
    assert code_of(ask(client, practice, "POST", "/staff", None, new)) == "IS_A_CLIENT"
    left = practice.add("clinician")
    good(ask(client, practice, "POST", f"/staff/{left.staff_id}/deactivate", None, {"left_on": "2026-03-17"}))
    good(invite(client, practice, make_client(practice, email=left.email)))  # who left may become a client
    assert code_of(ask(client, practice, "POST", f"/staff/{left.staff_id}/invite")) == "IS_A_CLIENT"
    with practice.installation.store.session_in(practice.id) as db:
        assert db.get_one(Staff, (practice.id, left.staff_id)).deactivated_at is not None


def test_a_closed_portal_lets_them_out_at_once_and_in_again_by_a_new_invitation(
    client: TestClient, practice: PracticeFixture
) -> None:
    email = f"casey-{new_id()}@example.com"
    me = make_client(practice, email=email)
    ok(accept(client, good(invite(client, practice, me))["link"]))
    headers = come_in(client, email)
    lost = good(invite(client, practice, me))["link"]
    closed = good(ask(client, practice, "POST", f"/clients/{me}/portal-close", practice.add("scheduler")))
    assert closed == {"client_id": str(me), "open": False}
    assert client.get(f"{V1}/clients/{me}", headers=headers).status_code == 401
    assert code_of(accept(client, lost)) == "LINK_NOT_VALID"
    record = good(ask(client, practice, "GET", f"/clients/{me}"))
    assert (record["portal_activated_at"], record["status"]) == (None, "ACTIVE")
    good(ask(client, practice, "POST", f"/clients/{me}/portal-close"))  # closed is closed
    assert len(trail(client, practice, "client.portal_closed", me)) == 1
    ok(accept(client, good(invite(client, practice, me))["link"]))
    assert client.get(f"{V1}/clients/{me}", headers=headers).status_code == 401


def test_who_has_another_address_comes_in_under_that_one(client: TestClient, practice: PracticeFixture) -> None:
    old, new = f"old-{new_id()}@example.com", f"new-{new_id()}@example.com"
    me = make_client(practice, email=old)
    ok(accept(client, good(invite(client, practice, me))["link"]))
    headers = come_in(client, old)
    good(change(client, practice, f"/clients/{me}", email=new))
    assert client.get(f"{V1}/clients/{me}", headers=headers).status_code == 200
    ok(accept(client, good(invite(client, practice, me))["link"]))
    assert client.get(f"{V1}/clients/{me}", headers=headers).status_code == 401
    assert client.get(f"{V1}/clients/{me}", headers=come_in(client, new)).status_code == 200
