"""Recovery codes are renewed with a code of the authenticator, and after a reset, its steps start from zero."""

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient

from practice.security import accounts
from practice.security.installation import Installation
from practice.security.work import Actor
from tests.support.builders.people import NOW, PracticeFixture, give_credentials
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code
from tests.support.drivers.sign_in_flow import enter_code, generate_code, login, post, set_clock

STEP = timedelta(seconds=30)


def renew(client: TestClient, practice: PracticeFixture, code: str) -> Any:
    return client.post(f"{V1}/auth/mfa/recovery-codes", json={"code": code}, headers=auth_headers(practice))


def use(client: TestClient, practice: PracticeFixture, code: str) -> Any:
    token = login(client, practice.admin.email)["token"]
    return post(client, "/mfa/verify", token=token, code=code)


def test_renewed_codes_replace_the_old_ones(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    secret = give_credentials(installation, practice.admin.account_id)
    first = assert_ok(renew(client, practice, generate_code(secret, NOW)))["recovery_codes"]
    second = assert_ok(renew(client, practice, generate_code(secret, NOW + STEP)))["recovery_codes"]
    assert len(set(first + second)) == 20
    assert error_code(use(client, practice, first[0])) == "WRONG_CREDENTIALS"
    assert_ok(use(client, practice, second[0]))
    entries = client.get(f"{V1}/audit?action=mfa.recovery_codes_renewed", headers=auth_headers(practice)).json()
    assert len(entries["items"]) == 2


def test_only_an_unused_code_of_the_authenticator_renews_them(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    secret = give_credentials(installation, practice.admin.account_id)
    code = generate_code(secret, NOW)
    recovery_code = assert_ok(renew(client, practice, code))["recovery_codes"][0]
    for refused in (code, recovery_code, "000000"):
        answer = renew(client, practice, refused)
        assert (answer.status_code, error_code(answer)) == (401, "WRONG_CREDENTIALS")
    assert_ok(use(client, practice, recovery_code))


def test_guesses_lock_the_renewal(client: TestClient, installation: Installation, practice: PracticeFixture) -> None:
    give_credentials(installation, practice.admin.account_id)
    answers = [renew(client, practice, f"00000{digit}") for digit in range(6)]
    assert [answer.status_code for answer in answers][-1] == 429
    assert error_code(answers[-1]) == "SIGN_IN_LOCKED"


def test_the_first_code_after_a_reset_is_accepted(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    """Also within the half minute in which a code of the old authenticator was used."""
    secret = give_credentials(installation, practice.admin.account_id)
    assert enter_code(client, practice.admin.email, secret, NOW + STEP)["next"] == "done"  # a clock that is ahead
    with installation.work(Actor(), NOW) as work:
        accounts.reset_second_factor(work, practice.admin.email)
    token = login(client, practice.admin.email)["token"]
    new_secret = assert_ok(post(client, "/mfa/enroll", token=token))["secret"]
    assert_ok(post(client, "/mfa/confirm", token=token, code=generate_code(new_secret, NOW)))
    repeated = post(
        client, "/mfa/verify", token=login(client, practice.admin.email)["token"], code=generate_code(new_secret, NOW)
    )
    assert error_code(repeated) == "WRONG_CREDENTIALS"
    set_clock(client, STEP)
    assert enter_code(client, practice.admin.email, new_secret, NOW + STEP)["next"] == "done"
