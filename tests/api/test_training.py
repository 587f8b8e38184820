"""HIPAA training: without a current one nothing but recording it, and recording it lifts that at once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.people.settings import set_rule
from practice.security.installation import Installation
from tests.support.builders.people import NOW, Person, PracticeFixture, give_credentials, make_practice
from tests.support.drivers.http import V1, code_of, with_token
from tests.support.drivers.sign_in_flow import enter, move, ok, post

DAY = timedelta(days=1)


def visit(client: TestClient, practice: PracticeFixture, person: Person, after: timedelta) -> dict[str, str]:
    """Headers of a sign-in that long after the practice was made, with the clock there."""
    now = move(client, after)
    return with_token(practice.token(person, now))


def record(client: TestClient, headers: dict[str, str], staff_id: Any, on: date, kind: str = "HIPAA") -> Any:
    body = {"kind": kind, "completed_on": on.isoformat()}
    return client.post(f"{V1}/staff/{staff_id}/trainings", json=body, headers=headers)


def suspended(client: TestClient, headers: dict[str, str]) -> bool:
    shown = ok(client.get(f"{V1}/auth/me", headers=headers))["suspended"]
    answer = client.get(f"{V1}/staff", headers=headers)
    assert (answer.status_code, shown) in ((200, None), (403, "TRAINING_LAPSED")), answer.text
    return shown is not None


@pytest.mark.parametrize("role", ["clinician", "analyst"])
def test_somebody_new_has_thirty_days_and_then_only_records(
    client: TestClient, practice: PracticeFixture, role: str
) -> None:
    person = practice.add(role)
    within = visit(client, practice, person, 30 * DAY)
    assert ok(client.get(f"{V1}/auth/me", headers=within))["suspended"] is None
    headers = visit(client, practice, person, 31 * DAY)
    today = (NOW + 31 * DAY).date()
    assert ok(client.get(f"{V1}/auth/me", headers=headers))["suspended"] == "TRAINING_LAPSED"
    for method, path in (("GET", "/staff"), ("GET", "/settings"), ("GET", "/auth/sessions"), ("GET", "/audit")):
        answer = client.request(method, V1 + path, headers=headers)
        assert (answer.status_code, code_of(answer)) == (403, "TRAINING_LAPSED"), path
    assert ok(client.get(f"{V1}/staff/{person.staff_id}/trainings", headers=headers)) == {"items": []}
    other = record(client, headers, person.staff_id, today, "OTHER")
    assert other.status_code == 201
    assert ok(client.get(f"{V1}/auth/me", headers=headers))["suspended"] == "TRAINING_LAPSED"
    assert record(client, headers, person.staff_id, today).status_code == 201
    assert ok(client.get(f"{V1}/auth/me", headers=headers))["suspended"] is None
    assert client.get(f"{V1}/auth/sessions", headers=headers).status_code == 200
    assert client.post(f"{V1}/auth/logout", headers=headers).status_code == 204


def test_the_sign_in_says_so_and_the_suspended_can_refresh_and_log_out(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    secret = give_credentials(installation, practice.admin.account_id)
    now = move(client, 40 * DAY)
    tokens = enter(client, practice.admin.email, secret, now)["tokens"]
    assert tokens["suspended"] == "TRAINING_LAPSED"
    fresh = ok(post(client, "/refresh", refresh_token=tokens["refresh_token"]))
    assert fresh["suspended"] == "TRAINING_LAPSED"
    assert client.post(f"{V1}/auth/logout", headers=with_token(fresh["access_token"])).status_code == 204


def test_a_training_lasts_a_year_by_the_practices_calendar(client: TestClient, practice: PracticeFixture) -> None:
    person = practice.add("biller")
    done = date(2026, 3, 18)
    assert record(client, visit(client, practice, person, timedelta()), person.staff_id, done).status_code == 201
    # 2027-03-18 is its last day; in New York that ends at 04:00 UTC on the 19th
    last = datetime(2027, 3, 19, 3, 59, tzinfo=UTC) - NOW
    assert not suspended(client, visit(client, practice, person, last))
    assert suspended(client, visit(client, practice, person, last + timedelta(minutes=1)))
    record(client, visit(client, practice, person, last + DAY), person.staff_id, done - 30 * DAY)
    assert suspended(client, visit(client, practice, person, last + DAY))  # an older one changes nothing


def test_the_days_are_the_practices_own_from_a_date_on(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    person = practice.add("biller")
    unmoved = make_practice(installation)
    there = unmoved.add("biller", email=person.email)
    for where, who in ((practice, person), (unmoved, there)):
        record(client, visit(client, where, who, timedelta()), who.staff_id, NOW.date())
    with practice.work() as work:
        set_rule(work, "hipaa_training_days", 100, (NOW + 150 * DAY).date())
    assert not suspended(client, visit(client, practice, person, 149 * DAY))
    assert suspended(client, visit(client, practice, person, 150 * DAY))
    assert not suspended(client, visit(client, unmoved, there, 150 * DAY))


def test_the_grace_is_the_practices_own(client: TestClient, practice: PracticeFixture) -> None:
    person = practice.add("biller")
    with practice.work() as work:
        set_rule(work, "hipaa_grace_days", 0, NOW.date())
    assert not suspended(client, visit(client, practice, person, timedelta()))
    assert suspended(client, visit(client, practice, person, DAY))


def test_who_records_and_sees_whose(client: TestClient, practice: PracticeFixture) -> None:
    supervisor = practice.add("supervisor")
    member = practice.add("clinician", supervisor=supervisor)
    stranger = practice.add("clinician")
    head = {name: with_token(practice.token(who)) for name, who in (("s", supervisor), ("m", member), ("a", None))}
    today = NOW.date()
    assert record(client, head["m"], member.staff_id, today).status_code == 201
    assert record(client, head["s"], supervisor.staff_id, today).status_code == 201
    assert record(client, head["a"], stranger.staff_id, today).status_code == 201
    for who, of in (("s", member), ("s", stranger), ("m", stranger), ("m", supervisor)):
        assert record(client, head[who], of.staff_id, today).status_code == 404

    def sees(who: str, of: Person) -> int:
        return client.get(f"{V1}/staff/{of.staff_id}/trainings", headers=head[who]).status_code

    assert [sees("s", of) for of in (supervisor, member, stranger)] == [200, 200, 404]
    assert [sees("m", of) for of in (supervisor, member, stranger)] == [404, 200, 404]
    assert [sees("a", of) for of in (supervisor, member, stranger)] == [200, 200, 200]


def test_a_training_of_tomorrow_is_not_completed(client: TestClient, practice: PracticeFixture) -> None:
    move(client, timedelta(hours=12, minutes=15))  # 03:45 UTC on the 19th, still the 18th in New York
    headers = with_token(practice.token(now=NOW + timedelta(hours=12, minutes=15)))
    assert record(client, headers, practice.admin.staff_id, date(2026, 3, 19)).status_code == 422
    assert record(client, headers, practice.admin.staff_id, date(2026, 3, 18)).status_code == 201
