"""HIPAA training: an expired one restricts access to recording it, which lifts the restriction immediately."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from practice.people.settings import change_setting
from practice.security.installation import Installation
from tests.support.builders.people import NOW, Person, PracticeFixture, give_credentials, make_practice
from tests.support.drivers.http import V1, assert_ok, error_code, token_headers
from tests.support.drivers.sign_in_flow import enter_code, post, set_clock

DAY = timedelta(days=1)


def sign_in_after(client: TestClient, practice: PracticeFixture, person: Person, after: timedelta) -> dict[str, str]:
    """Set the clock to a time after now and return the headers of a sign-in then."""
    now = set_clock(client, after)
    return token_headers(practice.token(person, now))


def record_training(client: TestClient, headers: dict[str, str], staff_id: Any, on: date, kind: str = "HIPAA") -> Any:
    body = {"kind": kind, "completed_on": on.isoformat()}
    return client.post(f"{V1}/staff/{staff_id}/trainings", json=body, headers=headers)


def is_restricted(client: TestClient, headers: dict[str, str]) -> bool:
    restriction = assert_ok(client.get(f"{V1}/auth/me", headers=headers))["restriction"]
    answer = client.get(f"{V1}/staff", headers=headers)
    assert (answer.status_code, restriction) in ((200, None), (403, "TRAINING_LAPSED")), answer.text
    return restriction is not None


@pytest.mark.parametrize("role", ["clinician", "analyst"])
def test_new_staff_are_restricted_after_thirty_days_without_training(
    client: TestClient, practice: PracticeFixture, role: str
) -> None:
    person = practice.add(role)
    headers_within = sign_in_after(client, practice, person, 30 * DAY)
    assert assert_ok(client.get(f"{V1}/auth/me", headers=headers_within))["restriction"] is None
    headers = sign_in_after(client, practice, person, 31 * DAY)
    today = (NOW + 31 * DAY).date()
    assert assert_ok(client.get(f"{V1}/auth/me", headers=headers))["restriction"] == "TRAINING_LAPSED"
    for method, path in (("GET", "/staff"), ("GET", "/settings"), ("GET", "/auth/sessions"), ("GET", "/audit")):
        answer = client.request(method, V1 + path, headers=headers)
        assert (answer.status_code, error_code(answer)) == (403, "TRAINING_LAPSED"), path
    assert assert_ok(client.get(f"{V1}/staff/{person.staff_id}/trainings", headers=headers)) == {"items": []}
    response = record_training(client, headers, person.staff_id, today, "OTHER")
    assert response.status_code == 201
    assert assert_ok(client.get(f"{V1}/auth/me", headers=headers))["restriction"] == "TRAINING_LAPSED"
    assert record_training(client, headers, person.staff_id, today).status_code == 201
    assert assert_ok(client.get(f"{V1}/auth/me", headers=headers))["restriction"] is None
    assert client.get(f"{V1}/auth/sessions", headers=headers).status_code == 200
    assert client.post(f"{V1}/auth/logout", headers=headers).status_code == 204


def test_restricted_people_can_sign_in_refresh_and_log_out(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    secret = give_credentials(installation, practice.admin.account_id)
    now = set_clock(client, 40 * DAY)
    tokens = enter_code(client, practice.admin.email, secret, now)["tokens"]
    assert tokens["restriction"] == "TRAINING_LAPSED"
    fresh = assert_ok(post(client, "/refresh", refresh_token=tokens["refresh_token"]))
    assert fresh["restriction"] == "TRAINING_LAPSED"
    assert client.post(f"{V1}/auth/logout", headers=token_headers(fresh["access_token"])).status_code == 204


def test_a_training_lasts_a_year_in_the_practices_time_zone(client: TestClient, practice: PracticeFixture) -> None:
    person = practice.add("biller")
    completed_on = date(2026, 3, 18)
    assert (
        record_training(
            client, sign_in_after(client, practice, person, timedelta()), person.staff_id, completed_on
        ).status_code
        == 201
    )
    # 2027-03-18 is its last day; in New York that ends at 04:00 UTC on the 19th
    last = datetime(2027, 3, 19, 3, 59, tzinfo=UTC) - NOW
    assert not is_restricted(client, sign_in_after(client, practice, person, last))
    assert is_restricted(client, sign_in_after(client, practice, person, last + timedelta(minutes=1)))
    record_training(
        client, sign_in_after(client, practice, person, last + DAY), person.staff_id, completed_on - 30 * DAY
    )
    assert is_restricted(
        client, sign_in_after(client, practice, person, last + DAY)
    )  # an older training changes nothing


def test_the_training_period_is_a_setting_from_a_date_on(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    person = practice.add("biller")
    other_practice = make_practice(installation)
    other_person = other_practice.add("biller", email=person.email)
    for current_practice, reader in ((practice, person), (other_practice, other_person)):
        record_training(
            client, sign_in_after(client, current_practice, reader, timedelta()), reader.staff_id, NOW.date()
        )
    with practice.work() as work:
        change_setting(work, "hipaa_training_days", 100, (NOW + 150 * DAY).date())
    assert not is_restricted(client, sign_in_after(client, practice, person, 149 * DAY))
    assert is_restricted(client, sign_in_after(client, practice, person, 150 * DAY))
    assert not is_restricted(client, sign_in_after(client, other_practice, other_person, 150 * DAY))


def test_the_grace_period_is_a_setting(client: TestClient, practice: PracticeFixture) -> None:
    person = practice.add("biller")
    with practice.work() as work:
        change_setting(work, "hipaa_grace_days", 0, NOW.date())
    assert not is_restricted(client, sign_in_after(client, practice, person, timedelta()))
    assert is_restricted(client, sign_in_after(client, practice, person, DAY))


def test_trainings_are_visible_within_scope(client: TestClient, practice: PracticeFixture) -> None:
    supervisor = practice.add("supervisor")
    member = practice.add("clinician", supervisor=supervisor)
    stranger = practice.add("clinician")
    headers_of = {
        name: token_headers(practice.token(reader)) for name, reader in (("s", supervisor), ("m", member), ("a", None))
    }
    today = NOW.date()
    assert record_training(client, headers_of["m"], member.staff_id, today).status_code == 201
    assert record_training(client, headers_of["s"], supervisor.staff_id, today).status_code == 201
    assert record_training(client, headers_of["a"], stranger.staff_id, today).status_code == 201
    for reader, subject in (("s", member), ("s", stranger), ("m", stranger), ("m", supervisor)):
        assert record_training(client, headers_of[reader], subject.staff_id, today).status_code == 404

    def read_status(reader: str, subject: Person) -> int:
        return client.get(f"{V1}/staff/{subject.staff_id}/trainings", headers=headers_of[reader]).status_code

    assert [read_status("s", subject) for subject in (supervisor, member, stranger)] == [200, 200, 404]
    assert [read_status("m", subject) for subject in (supervisor, member, stranger)] == [404, 200, 404]
    assert [read_status("a", subject) for subject in (supervisor, member, stranger)] == [200, 200, 200]


def test_a_training_cannot_be_in_the_future(client: TestClient, practice: PracticeFixture) -> None:
    set_clock(client, timedelta(hours=12, minutes=15))  # 03:45 UTC on the 19th, still the 18th in New York
    headers = token_headers(practice.token(now=NOW + timedelta(hours=12, minutes=15)))
    assert record_training(client, headers, practice.admin.staff_id, date(2026, 3, 19)).status_code == 422
    assert record_training(client, headers, practice.admin.staff_id, date(2026, 3, 18)).status_code == 201


def test_a_voided_training_no_longer_counts(client: TestClient, practice: PracticeFixture) -> None:
    person, other = practice.add("clinician"), practice.add("biller")
    headers = sign_in_after(client, practice, person, 31 * DAY)
    today = (NOW + 31 * DAY).date()
    path = f"{V1}/staff/{person.staff_id}/trainings"
    training = record_training(client, headers, person.staff_id, today).json()
    assert not is_restricted(client, headers)

    def void(training_id: str, by: dict[str, str]) -> Any:
        return client.request("DELETE", f"{path}/{training_id}", json={"reason": "Entered twice"}, headers=by)

    assert void(training["id"], sign_in_after(client, practice, other, 31 * DAY)).status_code == 404
    assert not is_restricted(client, headers)
    assert void(training["id"], headers).status_code == 204
    assert is_restricted(client, headers)
    assert assert_ok(client.get(path, headers=headers)) == {"items": []}
    assert void(training["id"], headers).status_code == 404
    with practice.work() as work:
        row = work.db.execute(text("select voided_by, void_reason from trainings where id = :id"), training).one()
        known = work.db.scalars(
            text("select record_values ->> 'voided_at' is null from record_versions where record_id = :id order by id"),
            training,
        )
        assert (row.voided_by, row.void_reason, list(known)) == (person.account_id, "Entered twice", [True, False])
