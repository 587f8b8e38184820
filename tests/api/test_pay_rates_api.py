"""Pay rates and multipliers over HTTP, and as payroll reads them."""

from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.payroll.rates import find_base_rate
from tests.support.builders.people import Person, PracticeFixture
from tests.support.drivers.http import V1, auth_headers


def set_rate(client: TestClient, practice: PracticeFixture, staff_id: Any, rate: str, on: str | None) -> Any:
    body = {"rate": rate, "effective_on": on}
    return client.post(f"{V1}/staff/{staff_id}/pay-rates", json=body, headers=auth_headers(practice))


def test_a_base_rate_applies_from_its_date_and_the_last_one_set_for_a_date_wins(
    client: TestClient, practice: PracticeFixture
) -> None:
    person = practice.add("clinician")
    rates = [("70", "2026-02-01"), ("60.00", None), ("72.50", "2026-02-01"), ("80.00", "2026-06-01")]
    for rate, on in rates:
        assert set_rate(client, practice, person.staff_id, rate, on).status_code == 201
    answer = client.get(f"{V1}/staff/{person.staff_id}/pay-rates", headers=auth_headers(practice, person))
    assert [(item["rate"], item["effective_on"]) for item in answer.json()["items"]] == [
        *(("80.00", "2026-06-01"), ("72.50", "2026-02-01")),
        *(("70.00", "2026-02-01"), ("60.00", None)),
    ]
    with practice.work() as work:
        days = [date(2020, 1, 1), date(2026, 1, 31), date(2026, 2, 1), date(2026, 5, 31), date(2026, 6, 1)]
        assert [find_base_rate(work, person.staff_id, day) for day in days] == [6000, 6000, 7250, 7250, 8000]
        assert find_base_rate(work, practice.admin.staff_id, days[0]) is None


def test_a_rate_does_not_apply_before_its_date(client: TestClient, practice: PracticeFixture) -> None:
    person = practice.add("clinician")
    set_rate(client, practice, person.staff_id, "70.00", "2026-02-01")
    with practice.work() as work:
        assert find_base_rate(work, person.staff_id, date(2026, 1, 31)) is None


def test_rates_are_visible_to_those_concerned(client: TestClient, practice: PracticeFixture) -> None:
    supervisor = practice.add("supervisor")
    person, colleague = practice.add("clinician", supervisor=supervisor), practice.add("clinician")
    biller = practice.add("biller")

    def read_status(reader: Person, subject: Person) -> int:
        return client.get(
            f"{V1}/staff/{subject.staff_id}/pay-rates", headers=auth_headers(practice, reader)
        ).status_code

    assert [read_status(reader, person) for reader in (person, supervisor, biller)] == [200, 200, 200]
    assert [read_status(reader, colleague) for reader in (person, supervisor)] == [404, 404]

    def list_multipliers(reader: Person, query: str = "") -> set[str]:
        answer = client.get(f"{V1}/pay/multipliers?{query}", headers=auth_headers(practice, reader))
        return {item["multiplier"] for item in answer.json()["items"]}

    for staff, multiplier in [(None, "1.5"), (person, "1.60"), (colleague, "2")]:
        body: dict[str, Any] = {"kind": "GROUP", "multiplier": multiplier, "effective_on": "2026-03-01"}
        body |= {"staff_id": str(staff.staff_id)} if staff else {}
        answer = client.post(f"{V1}/pay/multipliers", json=body, headers=auth_headers(practice))
        assert answer.status_code == 201, answer.text
    assert list_multipliers(practice.admin) == list_multipliers(biller) == {"1.50", "1.60", "2.00"}
    assert list_multipliers(person) == list_multipliers(supervisor) == {"1.50", "1.60"}
    assert list_multipliers(colleague) == {"1.50", "2.00"}
    assert list_multipliers(practice.admin, f"staff_id={person.staff_id}") == {"1.60"}
    assert list_multipliers(practice.admin, "kind=INTAKE") == set()


@pytest.mark.parametrize("multiplier", ["-1", "1.234", "1e2", 1.5, "", "1000"])
def test_an_invalid_multiplier_is_refused(client: TestClient, practice: PracticeFixture, multiplier: Any) -> None:
    body = {"kind": "GROUP", "multiplier": multiplier, "effective_on": "2026-03-01"}
    assert client.post(f"{V1}/pay/multipliers", json=body, headers=auth_headers(practice)).status_code == 422


def test_a_multiplier_is_for_a_staff_member(client: TestClient, practice: PracticeFixture) -> None:
    body = {"kind": "GROUP", "multiplier": "2", "effective_on": "2026-03-01", "staff_id": str(practice.id)}
    answer = client.post(f"{V1}/pay/multipliers", json=body, headers=auth_headers(practice))
    assert answer.status_code == 422
    assert "staff" in answer.json()["error"]["message"]
