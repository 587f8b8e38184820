"""What clinicians are paid by, over HTTP and as the pay room asks for it."""

from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.payroll.rates import base_rate
from tests.support.builders.people import Person, PracticeFixture
from tests.support.drivers.http import V1, bearer


def set_rate(client: TestClient, practice: PracticeFixture, staff_id: Any, rate: str, on: str | None) -> Any:
    body = {"rate": rate, "effective_on": on}
    return client.post(f"{V1}/staff/{staff_id}/pay-rates", json=body, headers=bearer(practice))


def test_a_base_rate_counts_from_its_date_on_and_the_last_set_of_a_date_counts(
    client: TestClient, practice: PracticeFixture
) -> None:
    person = practice.add("clinician")
    given = [("70", "2026-02-01"), ("60.00", None), ("72.50", "2026-02-01"), ("80.00", "2026-06-01")]
    for rate, on in given:
        assert set_rate(client, practice, person.staff_id, rate, on).status_code == 201
    answer = client.get(f"{V1}/staff/{person.staff_id}/pay-rates", headers=bearer(practice, person))
    assert [(item["rate"], item["effective_on"]) for item in answer.json()["items"]] == [
        *(("80.00", "2026-06-01"), ("72.50", "2026-02-01")),
        *(("70.00", "2026-02-01"), ("60.00", None)),
    ]
    with practice.work() as work:
        days = [date(2020, 1, 1), date(2026, 1, 31), date(2026, 2, 1), date(2026, 5, 31), date(2026, 6, 1)]
        assert [base_rate(work, person.staff_id, day) for day in days] == [6000, 6000, 7250, 7250, 8000]
        assert base_rate(work, practice.admin.staff_id, days[0]) is None


def test_a_rate_that_begins_later_is_not_in_force_before(client: TestClient, practice: PracticeFixture) -> None:
    person = practice.add("clinician")
    set_rate(client, practice, person.staff_id, "70.00", "2026-02-01")
    with practice.work() as work:
        assert base_rate(work, person.staff_id, date(2026, 1, 31)) is None


def test_pay_is_seen_by_those_it_concerns(client: TestClient, practice: PracticeFixture) -> None:
    supervisor = practice.add("supervisor")
    person, colleague = practice.add("clinician", supervisor=supervisor), practice.add("clinician")
    biller = practice.add("biller")

    def status(who: Person, whose: Person) -> int:
        return client.get(f"{V1}/staff/{whose.staff_id}/pay-rates", headers=bearer(practice, who)).status_code

    assert [status(who, person) for who in (person, supervisor, biller)] == [200, 200, 200]
    assert [status(who, colleague) for who in (person, supervisor)] == [404, 404]

    def seen(who: Person, query: str = "") -> set[str]:
        answer = client.get(f"{V1}/pay/multipliers?{query}", headers=bearer(practice, who))
        return {item["multiplier"] for item in answer.json()["items"]}

    for staff, multiplier in [(None, "1.5"), (person, "1.60"), (colleague, "2")]:
        body: dict[str, Any] = {"kind": "GROUP", "multiplier": multiplier, "effective_on": "2026-03-01"}
        body |= {"staff_id": str(staff.staff_id)} if staff else {}
        answer = client.post(f"{V1}/pay/multipliers", json=body, headers=bearer(practice))
        assert answer.status_code == 201, answer.text
    assert seen(practice.admin) == seen(biller) == {"1.50", "1.60", "2.00"}
    assert seen(person) == seen(supervisor) == {"1.50", "1.60"}
    assert seen(colleague) == {"1.50", "2.00"}
    assert seen(practice.admin, f"staff_id={person.staff_id}") == {"1.60"}
    assert seen(practice.admin, "kind=INTAKE") == set()


@pytest.mark.parametrize("multiplier", ["-1", "1.234", "1e2", 1.5, "", "1000"])
def test_a_multiplier_that_is_none_is_refused(client: TestClient, practice: PracticeFixture, multiplier: Any) -> None:
    body = {"kind": "GROUP", "multiplier": multiplier, "effective_on": "2026-03-01"}
    assert client.post(f"{V1}/pay/multipliers", json=body, headers=bearer(practice)).status_code == 422


def test_a_multiplier_is_for_somebody_of_the_staff(client: TestClient, practice: PracticeFixture) -> None:
    body = {"kind": "GROUP", "multiplier": "2", "effective_on": "2026-03-01", "staff_id": str(practice.id)}
    answer = client.post(f"{V1}/pay/multipliers", json=body, headers=bearer(practice))
    assert answer.status_code == 422
    assert "staff" in answer.json()["error"]["message"]
