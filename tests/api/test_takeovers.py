"""Ways in which somebody could come by rights or accounts that are not theirs, and how each ends."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from practice.people.practices import change_practice
from practice.people.staff import add_staff
from practice.security import accounts
from practice.security.installation import Installation
from practice.security.models import AuditEntry
from practice.security.work import Actor
from practice.store.ids import NOBODY, new_id
from tests.support.builders.people import NOW, PASSWORD, PracticeFixture, give_credentials, make_practice, take_place
from tests.support.drivers.http import V1, code_of, with_token
from tests.support.drivers.sign_in_flow import code, enter, login, move, ok, post


def invited(practice: PracticeFixture, email: str) -> str:
    """The link that a practice's admin holds in their hands."""
    about: Any = {"first_name": "Robin", "last_name": "Reyes", "roles": ["biller"], "hired_on": NOW.date()}
    with practice.work() as work:
        return add_staff(work, email=email, **about).secret


def actions(installation: Installation, tenant_id: Any) -> list[str]:
    with installation.store.session_in(tenant_id) as db:
        return list(db.scalars(select(AuditEntry.action).where(AuditEntry.tenant_id == tenant_id)))


def test_a_practices_invitation_never_makes_a_platform_admin(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    email = f"ops-{new_id()}@example.com"
    link = invited(practice, email)
    with installation.work(Actor(), NOW) as work:
        platform_link = accounts.make_platform_admin(work, email)
    ok(post(client, "/invitations/accept", token=link, password=PASSWORD))
    step = login(client, email)
    secret = ok(post(client, "/mfa/enrol", token=step["token"]))["secret"]
    inside = ok(post(client, "/mfa/confirm", token=step["token"], code=code(secret, NOW)))
    assert inside["next"] == "done"  # straight into the practice: there is no platform to choose
    headers = with_token(inside["tokens"]["access_token"])
    assert client.get(f"{V1}/practices", headers=headers).status_code == 403

    ok(post(client, "/invitations/accept", token=platform_link, password=PASSWORD))  # proven by its password
    later = move(client, timedelta(minutes=1))
    assert enter(client, email, secret, later)["next"] == "practice"  # now there is


def test_enrolling_never_replaces_an_authenticator_that_is_being_confirmed(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    """Whoever knows the password alone begins to enrol again and again while the owner confirms theirs."""
    for _ in range(5):
        email = f"race-{new_id()}@example.com"
        ok(post(client, "/invitations/accept", token=invited(practice, email), password=PASSWORD))
        mine, theirs = login(client, email)["token"], login(client, email)["token"]
        secret = ok(post(client, "/mfa/enrol", token=mine))["secret"]
        with ThreadPoolExecutor(4) as pool:
            others = [pool.submit(post, client, "/mfa/enrol", token=theirs) for _ in range(3)]
            confirmed = pool.submit(post, client, "/mfa/confirm", token=mine, code=code(secret, NOW)).result()
        swapped = [answer.result().json().get("secret") for answer in others]
        if confirmed.status_code == 200:
            at = move(client, timedelta(minutes=1))
            assert enter(client, email, secret, at)["next"] == "done"
            for stranger in filter(None, swapped):
                token = login(client, email)["token"]
                assert post(client, "/mfa/verify", token=token, code=code(stranger, at)).status_code == 401
            move(client, timedelta(0))


def test_an_account_taken_by_a_stranger_is_won_back(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    secret = give_credentials(installation, practice.admin.account_id)
    inside = enter(client, practice.admin.email, secret, NOW)["tokens"]["access_token"]
    with installation.work(Actor(), NOW) as work:
        accounts.reset_second_factor(work, practice.admin.email)
    assert client.get(f"{V1}/auth/me", headers=with_token(inside)).status_code == 401
    step = login(client, practice.admin.email)
    assert step["next"] == "enrol"
    fresh = ok(post(client, "/mfa/enrol", token=step["token"]))["secret"]
    assert fresh != secret
    at = move(client, timedelta(minutes=1))
    assert ok(post(client, "/mfa/confirm", token=step["token"], code=code(fresh, at)))["next"] == "done"
    assert "mfa.reset" in actions(installation, practice.id)


def test_a_new_password_is_on_the_trail_of_every_practice(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    other = make_practice(installation)
    with other.work() as work:
        about: Any = {"first_name": "A", "last_name": "B", "roles": ["biller"], "hired_on": NOW.date()}
        add_staff(work, email=practice.admin.email, **about)
    take_place(installation, practice.admin.account_id, other.id)
    give_credentials(installation, practice.admin.account_id)
    headers = {"Authorization": f"Bearer {practice.token()}"}
    body = {"current": PASSWORD, "new": "Ochre-Lantern 58 drifts north"}
    ok(client.post(f"{V1}/auth/password", json=body, headers=headers))
    assert "password.set" in actions(installation, practice.id)
    assert "password.set" in actions(installation, other.id)


def test_a_spent_refresh_token_leaves_one_entry_however_often_it_comes(
    client: TestClient, practice: PracticeFixture, installation: Installation
) -> None:
    tokens = practice.tokens()
    for _ in range(4):
        post(client, "/refresh", refresh_token=tokens.refresh)
    assert actions(installation, practice.id).count("session.refresh_token_reused") == 1


def test_recovery_codes_are_shown_also_to_somebody_whose_practice_is_closed(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    email = f"closed-{new_id()}@example.com"
    ok(post(client, "/invitations/accept", token=invited(practice, email), password=PASSWORD))
    step = login(client, email)
    secret = ok(post(client, "/mfa/enrol", token=step["token"]))["secret"]
    with installation.work(Actor(), NOW) as work:
        change_practice(work, practice.id, 1, {"status": "SUSPENDED"})
    answer = ok(post(client, "/mfa/confirm", token=step["token"], code=code(secret, NOW)))
    assert len(answer["recovery_codes"]) == 10
    assert answer["tokens"] is None


def test_a_spent_recovery_code_is_on_the_trail(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    email = f"spent-{new_id()}@example.com"
    ok(post(client, "/invitations/accept", token=invited(practice, email), password=PASSWORD))
    step = login(client, email)
    secret = ok(post(client, "/mfa/enrol", token=step["token"]))["secret"]
    codes = ok(post(client, "/mfa/confirm", token=step["token"], code=code(secret, NOW)))["recovery_codes"]
    before = actions(installation, NOBODY).count("mfa.recovery_code_used")
    ok(post(client, "/mfa/verify", token=login(client, email)["token"], code=codes[0]))
    assert actions(installation, NOBODY).count("mfa.recovery_code_used") == before + 1
    assert (
        code_of(post(client, "/mfa/verify", token=login(client, email)["token"], code=codes[0])) == "WRONG_CREDENTIALS"
    )
