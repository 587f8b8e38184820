"""The front door, step by step: invitation, password, authenticator, practice, refresh, log-out."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from practice.people.practices import change_practice
from practice.people.staff import add_staff
from practice.security.installation import Installation
from practice.security.models import Account
from tests.support.builders.people import (
    NOW,
    PASSWORD,
    PracticeFixture,
    give_credentials,
    make_platform_admin,
    make_practice,
)
from tests.support.drivers.http import V1, bearer, code_of, comparable, with_token
from tests.support.drivers.sign_in_flow import code, enter, login, move, ok, post

STEP = timedelta(seconds=30)


def newcomer(practice: PracticeFixture, email: str, *roles: str) -> str:
    """Somebody invited; the secret of the invitation."""
    with practice.work() as work:
        invited = add_staff(
            work, email=email, first_name="New", last_name="Comer", roles=list(roles), hired_on=NOW.date()
        )
    return invited.secret


def me(client: TestClient, access: str) -> Any:
    return client.get(f"{V1}/auth/me", headers=with_token(access))


def test_the_whole_way_in_and_out(client: TestClient, installation: Installation, practice: PracticeFixture) -> None:
    email = f"whole-{practice.id}@example.com"
    invitation = newcomer(practice, email, "clinician")
    assert code_of(post(client, "/login", email=email, password=PASSWORD)) == "WRONG_CREDENTIALS"
    ok(post(client, "/invitations/accept", token=invitation, password=PASSWORD))

    step = login(client, email.upper())
    assert step["next"] == "enrol"
    enrolment = ok(post(client, "/mfa/enrol", token=step["token"]))
    assert enrolment["secret"] in enrolment["uri"]
    secret = enrolment["secret"]
    done = ok(post(client, "/mfa/confirm", token=step["token"], code=code(secret, NOW)))
    assert done["next"] == "done"
    assert len(set(done["recovery_codes"])) == 10
    who = ok(me(client, done["tokens"]["access_token"]))
    assert who["roles"] == ["clinician"]
    assert who["practice_id"] == str(practice.id)

    now = move(client, STEP)
    again = enter(client, email, secret, now)
    assert (again["next"], again["recovery_codes"]) == ("done", None)
    tokens = again["tokens"]
    now = move(client, timedelta(minutes=14))
    fresh = ok(post(client, "/refresh", refresh_token=tokens["refresh_token"]))
    assert fresh["session_id"] == tokens["session_id"]
    ok(me(client, fresh["access_token"]))
    assert client.post(f"{V1}/auth/logout", headers=with_token(fresh["access_token"])).status_code == 204
    assert me(client, fresh["access_token"]).status_code == 401
    assert post(client, "/refresh", refresh_token=fresh["refresh_token"]).status_code == 401

    found = client.get(f"{V1}/audit", params={"account_id": who["account_id"]}, headers=bearer(practice)).json()
    actions = [entry["action"] for entry in found["items"]]
    assert actions == ["session.ended", "session.started", "session.started", "membership.accepted"]


def test_a_member_of_two_practices_chooses_and_acts_in_one(client: TestClient, installation: Installation) -> None:
    one, two, foreign = make_practice(installation), make_practice(installation), make_practice(installation)
    person = one.add("biller")
    two.add("clinician", email=person.email)
    secret = give_credentials(installation, person.account_id)
    step = enter(client, person.email, secret, NOW)
    assert step["next"] == "practice"
    assert {choice["id"] for choice in step["practices"]} == {str(one.id), str(two.id)}
    refused = post(client, "/practice", token=step["token"], practice_id=str(foreign.id))
    assert (refused.status_code, code_of(refused)) == (403, "NOT_YOUR_PRACTICE")
    platform = post(client, "/practice", token=step["token"], practice_id="00000000-0000-0000-0000-000000000000")
    assert code_of(platform) == "NOT_YOUR_PRACTICE"
    done = ok(post(client, "/practice", token=step["token"], practice_id=str(two.id)))
    assert ok(me(client, done["tokens"]["access_token"]))["roles"] == ["clinician"]
    used = post(client, "/practice", token=step["token"], practice_id=str(one.id))
    assert code_of(used) == "LINK_NOT_VALID"


def test_a_practice_that_is_suspended_is_not_offered(client: TestClient, installation: Installation) -> None:
    one, two = make_practice(installation), make_practice(installation)
    person = one.add("biller")
    two.add("clinician", email=person.email)
    secret = give_credentials(installation, person.account_id)
    with installation.work(one.actor(), NOW) as work:
        change_practice(work, one.id, 1, {"status": "SUSPENDED"})
    assert enter(client, person.email, secret, NOW)["next"] == "done"
    with installation.work(two.actor(), NOW) as work:
        change_practice(work, two.id, 1, {"status": "SUSPENDED"})
    now = move(client, STEP)
    token = login(client, person.email)["token"]
    assert code_of(post(client, "/mfa/verify", token=token, code=code(secret, now))) == "PRACTICE_CLOSED"


def test_a_platform_admin_acts_in_no_practice_or_says_in_which(client: TestClient, installation: Installation) -> None:
    admin = make_platform_admin(installation)
    secret = give_credentials(installation, admin.account_id)
    done = enter(client, admin.email, secret, NOW)
    who = ok(me(client, done["tokens"]["access_token"]))
    assert (who["roles"], who["practice_id"], who["staff_id"]) == (["platform_admin"], None, None)
    practice = make_practice(installation)
    practice.add("biller", email=admin.email)
    step = enter(client, admin.email, secret, move(client, STEP))
    assert next(choice["name"] for choice in step["practices"]) == "The platform"
    inside = ok(post(client, "/practice", token=step["token"], practice_id=str(practice.id)))["tokens"]["access_token"]
    assert ok(me(client, inside))["roles"] == ["biller"]
    assert client.get(f"{V1}/practices", headers=with_token(inside)).status_code == 403


def test_a_recovery_code_lets_in_once_however_it_is_typed(client: TestClient, practice: PracticeFixture) -> None:
    email = f"recovery-{practice.id}@example.com"
    ok(post(client, "/invitations/accept", token=newcomer(practice, email, "biller"), password=PASSWORD))
    step = login(client, email)
    secret = ok(post(client, "/mfa/enrol", token=step["token"]))["secret"]
    codes = ok(post(client, "/mfa/confirm", token=step["token"], code=code(secret, NOW)))["recovery_codes"]

    def use(typed: str) -> Any:
        return post(client, "/mfa/verify", token=login(client, email)["token"], code=typed)

    assert ok(use(codes[0]))["next"] == "done"
    assert code_of(use(codes[0])) == "WRONG_CREDENTIALS"
    assert ok(use(codes[1].lower().replace("-", " ")))["next"] == "done"
    assert code_of(use(codes[1])) == "WRONG_CREDENTIALS"
    later = code(secret, move(client, STEP))
    assert ok(use(f"{later[:3]} {later[3:]}"))["next"] == "done"  # as authenticators show it


def test_a_code_is_of_its_time_and_works_once(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    secret = give_credentials(installation, practice.admin.account_id)
    email = practice.admin.email

    def use(typed: str) -> Any:
        return post(client, "/mfa/verify", token=login(client, email)["token"], code=typed)

    assert code_of(use(code(secret, NOW - 5 * STEP))) == "WRONG_CREDENTIALS"
    assert code_of(use(code(secret, NOW + 5 * STEP))) == "WRONG_CREDENTIALS"
    assert use(code(secret, NOW + STEP)).status_code == 200
    assert code_of(use(code(secret, NOW + STEP))) == "WRONG_CREDENTIALS"
    assert code_of(use(code(secret, NOW))) == "WRONG_CREDENTIALS"  # an older one neither


def test_a_step_of_one_kind_is_no_step_of_another_and_none_lasts(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    secret = give_credentials(installation, practice.admin.account_id)
    token = login(client, practice.admin.email)["token"]
    for path in ("/mfa/enrol", "/practice", "/password/reset", "/invitations/accept", "/mfa/confirm"):
        body = {"token": token, "code": "123456", "practice_id": str(practice.id), "password": PASSWORD}
        wanted = {"/mfa/enrol": (), "/practice": ("practice_id",), "/mfa/confirm": ("code",)}.get(path, ("password",))
        answer = post(client, path, token=token, **{name: body[name] for name in wanted})
        assert (answer.status_code, code_of(answer)) == (401, "LINK_NOT_VALID"), path
    now = move(client, timedelta(minutes=10))
    assert code_of(post(client, "/mfa/verify", token=token, code=code(secret, now))) == "LINK_NOT_VALID"


def test_who_knows_only_the_password_puts_no_authenticator_in_place_of_the_owners(
    client: TestClient, practice: PracticeFixture
) -> None:
    email = f"owner-{practice.id}@example.com"
    ok(post(client, "/invitations/accept", token=newcomer(practice, email, "biller"), password=PASSWORD))
    thief, early = login(client, email)["token"], login(client, email)["token"]
    thiefs_secret = ok(post(client, "/mfa/enrol", token=early))["secret"]
    owner = login(client, email)["token"]
    secret = ok(post(client, "/mfa/enrol", token=owner))["secret"]
    assert ok(post(client, "/mfa/confirm", token=owner, code=code(secret, NOW)))["next"] == "done"
    assert code_of(post(client, "/mfa/enrol", token=thief)) == "LINK_NOT_VALID"
    now = move(client, STEP)
    assert post(client, "/mfa/confirm", token=early, code=code(thiefs_secret, now)).status_code == 401
    assert post(client, "/mfa/confirm", token=early, code=code(secret, now + STEP)).status_code == 401
    assert enter(client, email, secret, move(client, 5 * STEP))["next"] == "done"


def test_a_disabled_account_looks_like_a_wrong_password(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    person = practice.add("biller")
    give_credentials(installation, person.account_id)
    token = login(client, person.email)["token"]
    with installation.store.system_session() as db:
        db.execute(update(Account).where(Account.id == person.account_id).values(disabled_at=NOW))
    right = post(client, "/login", email=person.email, password=PASSWORD)
    wrong = post(client, "/login", email=person.email, password="Not-the-password 1")
    unknown = post(client, "/login", email=f"x{person.email}", password=PASSWORD)
    assert comparable(right) == comparable(wrong) == comparable(unknown)
    assert right.status_code == 401
    assert post(client, "/mfa/verify", token=token, code="123456").status_code == 401


def test_failures_are_on_the_practices_trail(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    secret = give_credentials(installation, practice.admin.account_id)
    post(client, "/login", email=practice.admin.email, password="Not-the-password 1")
    post(client, "/mfa/verify", token=login(client, practice.admin.email)["token"], code=code(secret, NOW - 9 * STEP))
    headers = bearer(practice)
    wrong = {"current": "Not-the-password 1", "new": "Teal-Walrus 43 hums softly"}
    assert client.post(f"{V1}/auth/password", json=wrong, headers=headers).status_code == 401
    found = client.get(f"{V1}/audit", params={"action": "sign_in.failed"}, headers=headers).json()["items"]
    assert [entry["details"]["factor"] for entry in found] == ["password", "code", "password"]
    assert all(entry["request_id"] for entry in found)


@pytest.mark.parametrize("taken", ["/mfa/enrol", "/mfa/verify"])
def test_a_made_up_step_is_refused(client: TestClient, taken: str) -> None:
    body = {"token": "A" * 43} | ({"code": "123456"} if taken == "/mfa/verify" else {})
    answer = post(client, taken, **body)
    assert (answer.status_code, code_of(answer)) == (401, "LINK_NOT_VALID")
