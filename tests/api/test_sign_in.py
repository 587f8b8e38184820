"""Sign-in step by step: invitation, password, authenticator, practice, refresh, log-out."""

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
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code, to_comparable, token_headers
from tests.support.drivers.sign_in_flow import enter_code, generate_code, login, post, read_secret, set_clock

STEP = timedelta(seconds=30)


def invite_newcomer(practice: PracticeFixture, email: str, *roles: str) -> str:
    """Invite a person and return the secret of the email."""
    with practice.work() as work:
        add_staff(work, email=email, first_name="New", last_name="Comer", roles=list(roles), hired_on=NOW.date())
    return read_secret(practice.installation, email)


def get_me(client: TestClient, access: str) -> Any:
    return client.get(f"{V1}/auth/me", headers=token_headers(access))


def test_a_person_signs_in_refreshes_and_signs_out(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    email = f"whole-{practice.id}@example.com"
    invitation = invite_newcomer(practice, email, "clinician")
    assert error_code(post(client, "/login", email=email, password=PASSWORD)) == "WRONG_CREDENTIALS"
    assert_ok(post(client, "/invitations/accept", token=invitation, password=PASSWORD))

    step = login(client, email.upper())
    assert step["next"] == "enroll"
    enrolment = assert_ok(post(client, "/mfa/enroll", token=step["token"]))
    assert enrolment["secret"] in enrolment["uri"]
    secret = enrolment["secret"]
    step_done = assert_ok(post(client, "/mfa/confirm", token=step["token"], code=generate_code(secret, NOW)))
    assert step_done["next"] == "done"
    assert len(set(step_done["recovery_codes"])) == 10
    profile = assert_ok(get_me(client, step_done["tokens"]["access_token"]))
    assert profile["roles"] == ["clinician"]
    assert profile["practice_id"] == str(practice.id)

    now = set_clock(client, STEP)
    again = enter_code(client, email, secret, now)
    assert (again["next"], again["recovery_codes"]) == ("done", None)
    tokens = again["tokens"]
    now = set_clock(client, timedelta(minutes=14))
    refreshed = assert_ok(post(client, "/refresh", refresh_token=tokens["refresh_token"]))
    assert refreshed["session_id"] == tokens["session_id"]
    assert_ok(get_me(client, refreshed["access_token"]))
    assert client.post(f"{V1}/auth/logout", headers=token_headers(refreshed["access_token"])).status_code == 204
    assert get_me(client, refreshed["access_token"]).status_code == 401
    assert post(client, "/refresh", refresh_token=refreshed["refresh_token"]).status_code == 401

    entries = client.get(
        f"{V1}/audit", params={"account_id": profile["account_id"]}, headers=auth_headers(practice)
    ).json()
    actions = [entry["action"] for entry in entries["items"]]
    assert actions == ["session.ended", "session.started", "session.started", "membership.accepted"]


def test_a_member_of_two_practices_chooses_and_acts_in_one(client: TestClient, installation: Installation) -> None:
    first, second, foreign = make_practice(installation), make_practice(installation), make_practice(installation)
    person = first.add("biller")
    second.add("clinician", email=person.email)
    secret = give_credentials(installation, person.account_id)
    step = enter_code(client, person.email, secret, NOW)
    assert step["next"] == "practice"
    assert {choice["id"] for choice in step["practices"]} == {str(first.id), str(second.id)}
    refused = post(client, "/practice", token=step["token"], practice_id=str(foreign.id))
    assert (refused.status_code, error_code(refused)) == (403, "NOT_YOUR_PRACTICE")
    platform = post(client, "/practice", token=step["token"], practice_id="00000000-0000-0000-0000-000000000000")
    assert error_code(platform) == "NOT_YOUR_PRACTICE"
    step_done = assert_ok(post(client, "/practice", token=step["token"], practice_id=str(second.id)))
    assert assert_ok(get_me(client, step_done["tokens"]["access_token"]))["roles"] == ["clinician"]
    repeated = post(client, "/practice", token=step["token"], practice_id=str(first.id))
    assert error_code(repeated) == "LINK_NOT_VALID"


def test_a_suspended_practice_is_not_offered(client: TestClient, installation: Installation) -> None:
    first, second = make_practice(installation), make_practice(installation)
    person = first.add("biller")
    second.add("clinician", email=person.email)
    secret = give_credentials(installation, person.account_id)
    with installation.work(first.actor(), NOW) as work:
        change_practice(work, first.id, 1, {"status": "SUSPENDED"})
    assert enter_code(client, person.email, secret, NOW)["next"] == "done"
    with installation.work(second.actor(), NOW) as work:
        change_practice(work, second.id, 1, {"status": "SUSPENDED"})
    now = set_clock(client, STEP)
    token = login(client, person.email)["token"]
    assert error_code(post(client, "/mfa/verify", token=token, code=generate_code(secret, now))) == "PRACTICE_CLOSED"


def test_a_platform_admin_chooses_the_platform_or_a_practice(client: TestClient, installation: Installation) -> None:
    admin = make_platform_admin(installation)
    secret = give_credentials(installation, admin.account_id)
    step_done = enter_code(client, admin.email, secret, NOW)
    profile = assert_ok(get_me(client, step_done["tokens"]["access_token"]))
    assert (profile["roles"], profile["practice_id"], profile["staff_id"]) == (["platform_admin"], None, None)
    practice = make_practice(installation)
    practice.add("biller", email=admin.email)
    step = enter_code(client, admin.email, secret, set_clock(client, STEP))
    assert next(choice["name"] for choice in step["practices"]) == "The platform"
    access = assert_ok(post(client, "/practice", token=step["token"], practice_id=str(practice.id)))["tokens"][
        "access_token"
    ]
    assert assert_ok(get_me(client, access))["roles"] == ["biller"]
    assert client.get(f"{V1}/practices", headers=token_headers(access)).status_code == 403


def test_a_recovery_code_works_once_however_it_is_typed(client: TestClient, practice: PracticeFixture) -> None:
    email = f"recovery-{practice.id}@example.com"
    assert_ok(post(client, "/invitations/accept", token=invite_newcomer(practice, email, "biller"), password=PASSWORD))
    step = login(client, email)
    secret = assert_ok(post(client, "/mfa/enroll", token=step["token"]))["secret"]
    codes = assert_ok(post(client, "/mfa/confirm", token=step["token"], code=generate_code(secret, NOW)))[
        "recovery_codes"
    ]

    def verify_code(code: str) -> Any:
        return post(client, "/mfa/verify", token=login(client, email)["token"], code=code)

    assert assert_ok(verify_code(codes[0]))["next"] == "done"
    assert error_code(verify_code(codes[0])) == "WRONG_CREDENTIALS"
    assert assert_ok(verify_code(codes[1].lower().replace("-", " ")))["next"] == "done"
    assert error_code(verify_code(codes[1])) == "WRONG_CREDENTIALS"
    later = generate_code(secret, set_clock(client, STEP))
    assert assert_ok(verify_code(f"{later[:3]} {later[3:]}"))["next"] == "done"  # the format that authenticators show


def test_a_code_is_valid_for_its_time_and_works_once(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    secret = give_credentials(installation, practice.admin.account_id)
    email = practice.admin.email

    def verify_code(code: str) -> Any:
        return post(client, "/mfa/verify", token=login(client, email)["token"], code=code)

    assert error_code(verify_code(generate_code(secret, NOW - 5 * STEP))) == "WRONG_CREDENTIALS"
    assert error_code(verify_code(generate_code(secret, NOW + 5 * STEP))) == "WRONG_CREDENTIALS"
    assert verify_code(generate_code(secret, NOW + STEP)).status_code == 200
    assert error_code(verify_code(generate_code(secret, NOW + STEP))) == "WRONG_CREDENTIALS"
    assert (
        error_code(verify_code(generate_code(secret, NOW))) == "WRONG_CREDENTIALS"
    )  # an older code is refused as well


def test_a_step_token_is_valid_for_its_kind_and_expires(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    secret = give_credentials(installation, practice.admin.account_id)
    token = login(client, practice.admin.email)["token"]
    for path in ("/mfa/enroll", "/practice", "/password/reset", "/invitations/accept", "/mfa/confirm"):
        body = {"token": token, "code": "123456", "practice_id": str(practice.id), "password": PASSWORD}
        fields = {"/mfa/enroll": (), "/practice": ("practice_id",), "/mfa/confirm": ("code",)}.get(path, ("password",))
        answer = post(client, path, token=token, **{name: body[name] for name in fields})
        assert (answer.status_code, error_code(answer)) == (401, "LINK_NOT_VALID"), path
    now = set_clock(client, timedelta(minutes=10))
    assert error_code(post(client, "/mfa/verify", token=token, code=generate_code(secret, now))) == "LINK_NOT_VALID"


def test_the_password_alone_cannot_replace_an_authenticator(client: TestClient, practice: PracticeFixture) -> None:
    email = f"owner-{practice.id}@example.com"
    assert_ok(post(client, "/invitations/accept", token=invite_newcomer(practice, email, "biller"), password=PASSWORD))
    intruder, early = login(client, email)["token"], login(client, email)["token"]
    intruder_secret = assert_ok(post(client, "/mfa/enroll", token=early))["secret"]
    owner = login(client, email)["token"]
    secret = assert_ok(post(client, "/mfa/enroll", token=owner))["secret"]
    assert assert_ok(post(client, "/mfa/confirm", token=owner, code=generate_code(secret, NOW)))["next"] == "done"
    assert error_code(post(client, "/mfa/enroll", token=intruder)) == "LINK_NOT_VALID"
    now = set_clock(client, STEP)
    assert post(client, "/mfa/confirm", token=early, code=generate_code(intruder_secret, now)).status_code == 401
    assert post(client, "/mfa/confirm", token=early, code=generate_code(secret, now + STEP)).status_code == 401
    assert enter_code(client, email, secret, set_clock(client, 5 * STEP))["next"] == "done"


def test_a_disabled_account_looks_like_a_wrong_password(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    person = practice.add("biller")
    give_credentials(installation, person.account_id)
    token = login(client, person.email)["token"]
    with installation.store.begin_system_session() as db:
        db.execute(update(Account).where(Account.id == person.account_id).values(disabled_at=NOW))
    right = post(client, "/login", email=person.email, password=PASSWORD)
    wrong = post(client, "/login", email=person.email, password="Not-the-password 1")
    unknown = post(client, "/login", email=f"x{person.email}", password=PASSWORD)
    assert to_comparable(right) == to_comparable(wrong) == to_comparable(unknown)
    assert right.status_code == 401
    assert post(client, "/mfa/verify", token=token, code="123456").status_code == 401


def test_failed_sign_ins_are_audited(client: TestClient, installation: Installation, practice: PracticeFixture) -> None:
    secret = give_credentials(installation, practice.admin.account_id)
    post(client, "/login", email=practice.admin.email, password="Not-the-password 1")
    post(
        client,
        "/mfa/verify",
        token=login(client, practice.admin.email)["token"],
        code=generate_code(secret, NOW - 9 * STEP),
    )
    headers = auth_headers(practice)
    wrong = {"current": "Not-the-password 1", "new": "Teal-Walrus 43 hums softly"}
    assert client.post(f"{V1}/auth/password", json=wrong, headers=headers).status_code == 401
    entries = client.get(f"{V1}/audit", params={"action": "sign_in.failed"}, headers=headers).json()["items"]
    assert [entry["details"]["factor"] for entry in entries] == ["password", "code", "password"]
    assert all(entry["request_id"] for entry in entries)


@pytest.mark.parametrize("path", ["/mfa/enroll", "/mfa/verify"])
def test_an_unknown_step_token_is_refused(client: TestClient, path: str) -> None:
    body = {"token": "A" * 43} | ({"code": "123456"} if path == "/mfa/verify" else {})
    answer = post(client, path, **body)
    assert (answer.status_code, error_code(answer)) == (401, "LINK_NOT_VALID")
