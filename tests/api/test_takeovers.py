"""Attempts to gain permissions or accounts of others, and recovery of an account."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from practice.people.practices import change_practice
from practice.people.settings import change_setting
from practice.people.staff import add_staff
from practice.security import accounts
from practice.security.installation import Installation
from practice.security.models import AuditEntry
from practice.security.work import Actor
from practice.store.ids import SYSTEM_TENANT, new_id
from tests.support.builders.people import (
    NOW,
    PASSWORD,
    PracticeFixture,
    accept_membership,
    give_credentials,
    make_practice,
)
from tests.support.drivers.http import V1, assert_ok, error_code, token_headers
from tests.support.drivers.sign_in_flow import (
    enter_code,
    generate_code,
    list_emails,
    login,
    post,
    read_secret,
    set_clock,
)

OTHER = "Amber-Heron 58 sails north"


def invite_staff(practice: PracticeFixture, email: str) -> str:
    """Invite staff and return the secret of the email."""
    fields: Any = {"first_name": "Robin", "last_name": "Reyes", "roles": ["biller"], "hired_on": NOW.date()}
    with practice.work() as work:
        add_staff(work, email=email, **fields)
    return read_secret(practice.installation, email)


def list_actions(installation: Installation, tenant_id: Any) -> list[str]:
    with installation.store.begin_session(tenant_id) as db:
        return list(db.scalars(select(AuditEntry.action).where(AuditEntry.tenant_id == tenant_id)))


def test_a_practices_invitation_never_makes_a_platform_admin(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    email = f"ops-{new_id()}@example.com"
    link = invite_staff(practice, email)
    with installation.work(Actor(), NOW) as work:
        platform_link, _ = accounts.invite_platform_admin(work, email)
    assert_ok(post(client, "/invitations/accept", token=link, password=PASSWORD))
    step = login(client, email)
    secret = assert_ok(post(client, "/mfa/enroll", token=step["token"]))["secret"]
    signed_in = assert_ok(post(client, "/mfa/confirm", token=step["token"], code=generate_code(secret, NOW)))
    assert signed_in["next"] == "done"  # directly into the practice, because the platform invitation is not accepted
    headers = token_headers(signed_in["tokens"]["access_token"])
    assert client.get(f"{V1}/practices", headers=headers).status_code == 403

    assert_ok(post(client, "/invitations/accept", token=platform_link, password=PASSWORD))  # confirmed by its password
    later = set_clock(client, timedelta(minutes=1))
    assert enter_code(client, email, secret, later)["next"] == "practice"  # now the platform can be chosen


def test_enrolling_never_replaces_an_authenticator_that_is_being_confirmed(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    """Someone who knows only the password enrolls repeatedly while the owner confirms their authenticator."""
    for _ in range(5):
        email = f"race-{new_id()}@example.com"
        assert_ok(post(client, "/invitations/accept", token=invite_staff(practice, email), password=PASSWORD))
        owner, intruder = login(client, email)["token"], login(client, email)["token"]
        secret = assert_ok(post(client, "/mfa/enroll", token=owner))["secret"]
        with ThreadPoolExecutor(4) as pool:
            others = [pool.submit(post, client, "/mfa/enroll", token=intruder) for _ in range(3)]
            confirmed = pool.submit(post, client, "/mfa/confirm", token=owner, code=generate_code(secret, NOW)).result()
        secrets = [answer.result().json().get("secret") for answer in others]
        if confirmed.status_code == 200:
            now = set_clock(client, timedelta(minutes=1))
            assert enter_code(client, email, secret, now)["next"] == "done"
            for secret_of_other in filter(None, secrets):
                token = login(client, email)["token"]
                assert (
                    post(client, "/mfa/verify", token=token, code=generate_code(secret_of_other, now)).status_code
                    == 401
                )
            set_clock(client, timedelta(0))


def test_resetting_the_second_factor_recovers_an_account(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    secret = give_credentials(installation, practice.admin.account_id)
    signed_in = enter_code(client, practice.admin.email, secret, NOW)["tokens"]["access_token"]
    with installation.work(Actor(), NOW) as work:
        accounts.reset_second_factor(work, practice.admin.email)
    assert client.get(f"{V1}/auth/me", headers=token_headers(signed_in)).status_code == 401
    step = login(client, practice.admin.email)
    assert step["next"] == "enroll"
    new_secret = assert_ok(post(client, "/mfa/enroll", token=step["token"]))["secret"]
    assert new_secret != secret
    now = set_clock(client, timedelta(minutes=1))
    assert (
        assert_ok(post(client, "/mfa/confirm", token=step["token"], code=generate_code(new_secret, now)))["next"]
        == "done"
    )
    assert "mfa.reset" in list_actions(installation, practice.id)


def test_a_new_password_is_audited_in_every_practice(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    other = make_practice(installation)
    with other.work() as work:
        fields: Any = {"first_name": "A", "last_name": "B", "roles": ["biller"], "hired_on": NOW.date()}
        add_staff(work, email=practice.admin.email, **fields)
    accept_membership(installation, practice.admin.account_id, other.id)
    give_credentials(installation, practice.admin.account_id)
    headers = {"Authorization": f"Bearer {practice.token()}"}
    body = {"current": PASSWORD, "new": "Ochre-Lantern 58 drifts north"}
    assert_ok(client.post(f"{V1}/auth/password", json=body, headers=headers))
    assert "password.set" in list_actions(installation, practice.id)
    assert "password.set" in list_actions(installation, other.id)


def test_reuse_of_a_refresh_token_is_audited_once(
    client: TestClient, practice: PracticeFixture, installation: Installation
) -> None:
    tokens = practice.tokens()
    for _ in range(4):
        post(client, "/refresh", refresh_token=tokens.refresh)
    assert list_actions(installation, practice.id).count("session.refresh_token_reused") == 1


def test_recovery_codes_are_shown_even_if_the_practice_is_suspended(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    email = f"closed-{new_id()}@example.com"
    assert_ok(post(client, "/invitations/accept", token=invite_staff(practice, email), password=PASSWORD))
    step = login(client, email)
    secret = assert_ok(post(client, "/mfa/enroll", token=step["token"]))["secret"]
    with installation.work(Actor(), NOW) as work:
        change_practice(work, practice.id, 1, {"status": "SUSPENDED"})
    answer = assert_ok(post(client, "/mfa/confirm", token=step["token"], code=generate_code(secret, NOW)))
    assert len(answer["recovery_codes"]) == 10
    assert answer["tokens"] is None


def test_use_of_a_recovery_code_is_audited(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    email = f"spent-{new_id()}@example.com"
    assert_ok(post(client, "/invitations/accept", token=invite_staff(practice, email), password=PASSWORD))
    step = login(client, email)
    secret = assert_ok(post(client, "/mfa/enroll", token=step["token"]))["secret"]
    codes = assert_ok(post(client, "/mfa/confirm", token=step["token"], code=generate_code(secret, NOW)))[
        "recovery_codes"
    ]
    before = list_actions(installation, SYSTEM_TENANT).count("mfa.recovery_code_used")
    assert_ok(post(client, "/mfa/verify", token=login(client, email)["token"], code=codes[0]))
    assert list_actions(installation, SYSTEM_TENANT).count("mfa.recovery_code_used") == before + 1
    assert (
        error_code(post(client, "/mfa/verify", token=login(client, email)["token"], code=codes[0]))
        == "WRONG_CREDENTIALS"
    )


def test_an_invitation_does_not_reveal_whether_an_address_has_an_account(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    known = make_practice(installation).add("clinician")
    give_credentials(installation, known.account_id)
    shown = []
    for email in (known.email, f"clinician-{new_id()}@example.com"):
        body = {"email": email, "first_name": "A", "last_name": "B", "roles": ["biller"], "hired_on": "2026-03-01"}
        answer = client.post(f"{V1}/staff", json=body, headers=token_headers(practice.token()))
        secret = read_secret(installation, email)
        assert secret not in answer.text
        [message] = list_emails(installation, email)
        content = answer.json()
        content["staff"] |= {"id": None, "email": None}
        shown.append((answer.status_code, content, message["subject"], message["text"].replace(secret, "")))
    assert shown[0] == shown[1]


def test_a_reset_removes_an_authenticator_from_before_the_address_was_proven(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    """Somebody who was handed a link claimed the account; its owner recovers it with their email alone."""
    email = f"claimed-{new_id()}@example.com"
    fields: Any = {"first_name": "Robin", "last_name": "Reyes", "roles": ["biller"], "hired_on": NOW.date()}
    with practice.work() as work:
        secret = add_staff(work, email=email, by_email=False, **fields).secret
    assert_ok(post(client, "/invitations/accept", token=secret, password=PASSWORD))
    claimed = enroll(client, email, NOW)
    set_clock(client, timedelta(minutes=1))
    reset_by_email(client, email)
    assert login(client, email, OTHER)["next"] == "enroll"
    assert client.get(f"{V1}/auth/me", headers=token_headers(claimed["tokens"]["access_token"])).status_code == 401
    assert "mfa.reset" in list_actions(installation, practice.id)
    now = set_clock(client, timedelta(minutes=2))
    enroll(client, email, now, OTHER)
    set_clock(client, timedelta(minutes=10))
    reset_by_email(client, email, PASSWORD)
    assert login(client, email)["next"] == "code"  # from now on the authenticator stays


def test_a_reset_keeps_an_authenticator_enrolled_after_the_address_was_proven(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    email = f"proven-{new_id()}@example.com"
    assert_ok(post(client, "/invitations/accept", token=invite_staff(practice, email), password=PASSWORD))
    enroll(client, email, NOW)
    set_clock(client, timedelta(minutes=1))
    reset_by_email(client, email)
    assert login(client, email, OTHER)["next"] == "code"


def test_an_expired_password_is_renewed_without_losing_the_authenticator(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    """This step's token is in an answer, so it proves nothing about the address."""
    secret = give_credentials(installation, practice.admin.account_id)
    with practice.work() as work:
        change_setting(work, "password_max_age_days", 30, NOW.date())
    now = set_clock(client, timedelta(days=30))
    step = enter_code(client, practice.admin.email, secret, now)
    assert step["next"] == "new_password"
    assert_ok(post(client, "/password/reset", token=step["token"], password=OTHER))
    assert login(client, practice.admin.email, OTHER)["next"] == "code"


def enroll(client: TestClient, email: str, now: datetime, password: str = PASSWORD) -> dict[str, Any]:
    """Sign in for the first time, enroll an authenticator, and return the last step."""
    token = login(client, email, password)["token"]
    secret = assert_ok(post(client, "/mfa/enroll", token=token))["secret"]
    return assert_ok(post(client, "/mfa/confirm", token=token, code=generate_code(secret, now)))


def reset_by_email(client: TestClient, email: str, password: str = OTHER) -> None:
    assert post(client, "/password/reset-request", email=email).status_code == 202
    secret = read_secret(client.app.state.installation, email, "reset")  # ty: ignore[unresolved-attribute]
    assert_ok(post(client, "/password/reset", token=secret, password=password))
