"""Coming in and coming back: invitations let in once, the right person, and nobody before they took it."""

from datetime import date, timedelta
from typing import Any

from fastapi.testclient import TestClient

from practice.people.staff import get_staff
from practice.security.accounts import make_platform_admin
from practice.security.installation import Installation
from practice.security.work import Actor
from practice.store.ids import new_id
from tests.support.builders.people import NOW, PASSWORD, PracticeFixture, give_credentials, make_practice
from tests.support.drivers.http import V1, bearer, code_of
from tests.support.drivers.sign_in_flow import code, enter, login, move, ok, post, secret_in

OTHER = "Amber-Heron 58 sails north"


def invite(client: TestClient, practice: PracticeFixture, email: str, *roles: str) -> dict[str, Any]:
    body = {"email": email, "first_name": "New", "last_name": "Comer", "roles": list(roles), "hired_on": "2026-03-01"}
    answer = client.post(f"{V1}/staff", json=body, headers=bearer(practice))
    assert answer.status_code == 201, answer.text
    return answer.json()


def again(client: TestClient, practice: PracticeFixture, staff_id: str) -> dict[str, Any]:
    return ok(client.post(f"{V1}/staff/{staff_id}/invite", headers=bearer(practice)))


def accept(client: TestClient, link: str, password: str = PASSWORD) -> Any:
    return post(client, "/invitations/accept", token=secret_in(link), password=password)


def test_an_invitation_is_taken_once_within_seven_days(client: TestClient, practice: PracticeFixture) -> None:
    made = invite(client, practice, f"once-{practice.id}@example.com", "biller")
    assert made["link"].startswith("http://127.0.0.1:8000/invitation#")
    ok(accept(client, made["link"]))
    assert code_of(accept(client, made["link"])) == "LINK_NOT_VALID"
    late = invite(client, practice, f"late-{practice.id}@example.com", "biller")
    move(client, timedelta(days=7))
    assert code_of(accept(client, late["link"])) == "LINK_NOT_VALID"


def test_the_account_that_is_there_already_takes_it_with_its_own_password_only(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    """An admin who holds the link of somebody else's invitation gets nowhere with it."""
    person = practice.add("clinician")
    secret = give_credentials(installation, person.account_id)
    elsewhere = make_practice(installation)
    link = invite(client, elsewhere, person.email, "admin")["link"]
    refused = accept(client, link, OTHER)
    assert (refused.status_code, code_of(refused)) == (401, "WRONG_CREDENTIALS")
    assert post(client, "/login", email=person.email, password=OTHER).status_code == 401
    assert enter(client, person.email, secret, NOW)["next"] == "done"  # one practice, no choice: not taken yet
    ok(accept(client, link, PASSWORD))
    assert enter(client, person.email, secret, move(client, timedelta(seconds=30)))["next"] == "practice"


def test_a_new_invitation_makes_the_lost_link_worthless(client: TestClient, practice: PracticeFixture) -> None:
    made = invite(client, practice, f"lost-{practice.id}@example.com", "biller")
    new = again(client, practice, made["staff"]["id"])
    assert code_of(accept(client, made["link"])) == "LINK_NOT_VALID"
    ok(accept(client, new["link"]))


def test_somebody_who_left_before_taking_the_invitation_cannot_take_it(
    client: TestClient, practice: PracticeFixture
) -> None:
    made = invite(client, practice, f"left-{practice.id}@example.com", "biller")
    path = f"{V1}/staff/{made['staff']['id']}/deactivate"
    ok(client.post(path, json={"left_on": "2026-03-18"}, headers=bearer(practice)))
    assert code_of(accept(client, made["link"])) == "LINK_NOT_VALID"


def test_somebody_who_comes_back_is_in_once_they_have_taken_the_new_invitation(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    person = practice.add("clinician")
    secret = give_credentials(installation, person.account_id)
    old = practice.tokens(person)
    path = f"{V1}/staff/{person.staff_id}"
    left = client.post(f"{path}/deactivate", json={"left_on": "2026-03-18"}, headers=bearer(practice))
    assert (left.json()["active"], left.json()["left_on"]) == (False, "2026-03-18")
    token = login(client, person.email)["token"]
    assert code_of(post(client, "/mfa/verify", token=token, code="123456")) == "WRONG_CREDENTIALS"

    back = again(client, practice, str(person.staff_id))
    assert (back["staff"]["active"], back["staff"]["left_on"]) == (True, None)
    read = client.get(path, headers=bearer(practice))
    assert read.headers["ETag"] != left.headers["ETag"]  # a change made from the old view would be refused
    stale = client.patch(path, json={"npi": None}, headers=bearer(practice) | {"If-Match": left.headers["ETag"]})
    assert stale.status_code == 412
    assert client.get(f"{V1}/auth/me", headers={"Authorization": f"Bearer {old.access}"}).status_code == 401
    refused = try_to_enter(client, person.email, secret)
    assert (refused.status_code, code_of(refused)) == (403, "PRACTICE_CLOSED")
    ok(accept(client, back["link"]))
    now = move(client, timedelta(seconds=30))
    assert enter(client, person.email, secret, now)["next"] == "done"
    assert client.get(f"{V1}/auth/me", headers={"Authorization": f"Bearer {old.access}"}).status_code == 401


def try_to_enter(client: TestClient, email: str, secret: str) -> Any:
    return post(client, "/mfa/verify", token=login(client, email)["token"], code=code(secret, NOW))


def test_an_invited_admin_who_has_not_come_yet_keeps_nobody_from_being_the_last(
    client: TestClient, practice: PracticeFixture
) -> None:
    invite(client, practice, f"second-{practice.id}@example.com", "admin")
    path = f"{V1}/staff/{practice.admin.staff_id}"
    answer = client.patch(path, json={"roles": ["biller"]}, headers=bearer(practice) | {"If-Match": '"1"'})
    assert code_of(answer) == "LAST_ADMIN"


def test_the_invited_are_told_of_a_weak_password_and_keep_their_link(
    client: TestClient, practice: PracticeFixture
) -> None:
    link = invite(client, practice, f"weak-{practice.id}@example.com", "biller")["link"]
    assert code_of(accept(client, link, "Password-1234")) == "PASSWORD_REFUSED"
    ok(accept(client, link))


def test_a_platform_admin_comes_in_by_invitation_too(client: TestClient, installation: Installation) -> None:
    email = f"platform-{new_id()}@example.com"
    with installation.work(Actor(), NOW) as work:
        secret = make_platform_admin(work, email)
    ok(accept(client, f"#{secret}"))
    assert login(client, email)["next"] == "enrol"


def test_a_new_practice_begins_with_its_invited_admin(client: TestClient, installation: Installation) -> None:
    made = make_practice(installation)
    with installation.work(made.actor(), NOW) as work:
        staff = get_staff(work, made.admin.staff_id)
    assert (staff.roles, staff.hired_on) == (["admin"], date(2026, 3, 18))
