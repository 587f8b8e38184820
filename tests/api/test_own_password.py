"""Passwords over HTTP: changes, resets by email, rotation, and refusals."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from practice.people.settings import change_setting
from practice.security.installation import Installation
from practice.security.models import Account
from practice.store.ids import new_id
from tests.support.builders.people import NOW, PASSWORD, Person, PracticeFixture, give_credentials, make_practice
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code, to_comparable, token_headers
from tests.support.drivers.sign_in_flow import (
    enter_code,
    extract_secret,
    generate_code,
    list_emails,
    login,
    post,
    set_clock,
)

NEW_PASSWORD = "Amber-Heron 58 sails north"
STEP = timedelta(seconds=30)


@pytest.fixture
def person(practice: PracticeFixture) -> Person:
    return practice.add("biller")


def change_password(client: TestClient, headers: dict[str, str], current: str, new: str) -> Any:
    return client.post(f"{V1}/auth/password", json={"current": current, "new": new}, headers=headers)


def is_active(client: TestClient, token: str) -> bool:
    return client.get(f"{V1}/auth/me", headers=token_headers(token)).status_code == 200


def test_a_changed_password_ends_every_other_session(
    client: TestClient, installation: Installation, practice: PracticeFixture, person: Person
) -> None:
    give_credentials(installation, person.account_id)
    other_practice = make_practice(installation)
    other_person = other_practice.add("clinician", email=person.email)
    current, other, distant = practice.tokens(person), practice.tokens(person), other_practice.tokens(other_person)
    half_open = login(client, person.email)["token"]
    assert change_password(client, token_headers(current.access), PASSWORD, NEW_PASSWORD).json() == {"done": True}
    assert [is_active(client, t.access) for t in (current, other, distant)] == [True, False, False]
    assert assert_ok(post(client, "/refresh", refresh_token=current.refresh))
    assert post(client, "/refresh", refresh_token=other.refresh).status_code == 401
    assert error_code(post(client, "/mfa/verify", token=half_open, code="123456")) == "LINK_NOT_VALID"
    assert post(client, "/login", email=person.email, password=PASSWORD).status_code == 401
    assert login(client, person.email, NEW_PASSWORD)["next"] == "code"


def test_a_change_requires_the_current_password_and_failures_are_counted(
    client: TestClient, installation: Installation, practice: PracticeFixture, person: Person
) -> None:
    give_credentials(installation, person.account_id)
    headers = auth_headers(practice, person)
    unchanged = change_password(client, headers, PASSWORD, PASSWORD)
    assert (unchanged.status_code, error_code(unchanged)) == (422, "PASSWORD_REFUSED")
    for _ in range(5):
        assert (
            error_code(change_password(client, headers, "Wrong-Password 11 here", NEW_PASSWORD)) == "WRONG_CREDENTIALS"
        )
    locked = change_password(client, headers, PASSWORD, NEW_PASSWORD)
    assert (locked.status_code, error_code(locked)) == (429, "SIGN_IN_LOCKED")
    assert error_code(post(client, "/login", email=person.email, password=PASSWORD)) == "SIGN_IN_LOCKED"


@pytest.mark.parametrize(
    ("password", "fragment"),
    [
        ("Sh0rt-one", "12 characters"),
        ("all lower 41 case", "uppercase"),
        ("ALL UPPER 41 CASE", "lowercase"),
        ("No-Digits in here at all", "digit"),
        ("NoSigns41InHereAtAll", "symbol"),
        ("Password-1234", "easy to guess"),
    ],
)
def test_a_weak_password_is_refused_with_all_problems(
    client: TestClient,
    installation: Installation,
    practice: PracticeFixture,
    person: Person,
    password: str,
    fragment: str,
) -> None:
    token = reset_token(client, installation, person.email)
    answer = post(client, "/password/reset", token=token, password=password)
    assert (answer.status_code, error_code(answer)) == (422, "PASSWORD_REFUSED")
    problems = answer.json()["error"]["details"]["problems"]
    assert any(fragment in problem for problem in problems)
    assert password not in answer.text
    assert_ok(post(client, "/password/reset", token=token, password=NEW_PASSWORD))  # the link is still valid


def test_all_problems_are_reported_together_and_the_email_address_is_refused(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    person = practice.add("clinician", email=f"marigold.{new_id().hex[:8]}@example.com")
    token = reset_token(client, installation, person.email)
    problems = post(client, "/password/reset", token=token, password="abc").json()["error"]["details"]["problems"]
    assert len(problems) >= 5
    own = person.email.partition("@")[0].title() + " 1A-"
    answer = post(client, "/password/reset", token=token, password=own)
    assert "Leave out your email address." in answer.json()["error"]["details"]["problems"]


def reset_token(client: TestClient, installation: Installation, email: str) -> str:
    assert post(client, "/password/reset-request", email=email).status_code == 202
    return extract_secret(list_emails(installation, email)[-1]["text"])


def test_a_password_is_reset_by_email_once_within_an_hour(
    client: TestClient, installation: Installation, practice: PracticeFixture, person: Person
) -> None:
    secret = give_credentials(installation, person.account_id)
    tokens = practice.tokens(person)
    half_open = login(client, person.email)["token"]
    first, second = reset_token(client, installation, person.email), reset_token(client, installation, person.email)
    for _ in range(6):
        post(client, "/login", email=person.email, password="Wrong-Password 11 here")
    assert_ok(post(client, "/password/reset", token=second, password=NEW_PASSWORD))
    assert not is_active(client, tokens.access)
    for used in (second, first):  # the older link is invalid too
        assert error_code(post(client, "/password/reset", token=used, password=PASSWORD)) == "LINK_NOT_VALID"
    assert error_code(post(client, "/mfa/verify", token=half_open, code=generate_code(secret, NOW))) == "LINK_NOT_VALID"
    assert post(client, "/login", email=person.email, password=PASSWORD).status_code == 401
    assert (
        enter_code(client, person.email, secret, NOW, NEW_PASSWORD)["next"] == "done"
    )  # unlocked; the second factor is unchanged
    third = reset_token(client, installation, person.email)
    set_clock(client, timedelta(hours=1))
    assert error_code(post(client, "/password/reset", token=third, password=PASSWORD)) == "LINK_NOT_VALID"


def test_a_reset_request_reveals_nothing(client: TestClient, installation: Installation, person: Person) -> None:
    unknown = f"unknown-{new_id()}@example.com"
    answers = [post(client, "/password/reset-request", email=email) for email in (person.email, unknown)]
    assert [(a.status_code, a.json()) for a in answers] == [(202, {"done": True})] * 2
    differing = {"x-request-id"}
    assert {k: v for k, v in answers[0].headers.items() if k not in differing} == {
        k: v for k, v in answers[1].headers.items() if k not in differing
    }
    assert list_emails(installation, unknown) == []
    with installation.store.begin_system_session() as db:
        db.execute(update(Account).where(Account.email == person.email).values(disabled_at=NOW))
    before = len(list_emails(installation, person.email))
    assert post(client, "/password/reset-request", email=person.email).status_code == 202
    assert len(list_emails(installation, person.email)) == before


def test_an_expired_password_has_to_be_changed_first(
    client: TestClient, installation: Installation, practice: PracticeFixture, person: Person
) -> None:
    secret = give_credentials(installation, person.account_id)
    with practice.work() as work:
        change_setting(work, "password_max_age_days", 90, NOW.date())
    now = set_clock(client, timedelta(days=90) - STEP)
    assert enter_code(client, person.email, secret, now)["next"] == "done"
    now = set_clock(client, timedelta(days=90) + STEP)
    step = enter_code(client, person.email, secret, now)
    assert (step["next"], step["tokens"]) == ("new_password", None)
    unchanged = post(client, "/password/reset", token=step["token"], password=PASSWORD)
    assert (unchanged.status_code, error_code(unchanged)) == (422, "PASSWORD_REFUSED")
    assert_ok(post(client, "/password/reset", token=step["token"], password=NEW_PASSWORD))
    now = set_clock(client, timedelta(days=90) + 3 * STEP)
    assert enter_code(client, person.email, secret, now, NEW_PASSWORD)["next"] in ("done", "practice")


def test_sign_in_responses_are_alike_for_known_and_unknown_accounts(
    client: TestClient, practice: PracticeFixture
) -> None:
    invited = practice.add("scheduler")
    answers = [
        post(client, "/login", email=email, password="Wrong-Password 11 here")
        for email in (invited.email, f"unknown-{new_id()}@example.com")
    ]
    assert to_comparable(answers[0]) == to_comparable(answers[1])
