"""Service catalog over HTTP: services, rates, clinician prices, fee schedules."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.errors import Stale
from practice.people.staff import deactivate_staff
from practice.scheduling.catalog.fee_schedules import get_price, set_price
from practice.scheduling.catalog.services import find_service, get_service_rate
from practice.security.installation import Installation
from practice.security.work import Work
from tests.support.builders.people import NOW, Person, PracticeFixture, make_practice
from tests.support.builders.schedule import make_appointment, make_client, make_portal_client, make_service
from tests.support.builders.sessions import make_group
from tests.support.drivers.http import V1, assert_invalid, auth_headers, error_code, void
from tests.support.drivers.waiting import collide

COUPLES = {"code": "90847", "name": "Couples", "kind": "FAMILY", "cpt_code": "90847", "minutes": 50, "rate": "160.00"}


def add_service(client: TestClient, practice: PracticeFixture, **fields: Any) -> Any:
    return client.post(f"{V1}/services", json=COUPLES | fields, headers=auth_headers(practice))


def test_a_service_is_added_read_changed_and_closed_for_booking(client: TestClient, practice: PracticeFixture) -> None:
    created = add_service(client, practice)
    assert created.status_code == 201, created.text
    service = COUPLES | {"category": None, "capacity": None, "active": True, "version": 1}
    assert created.json() == service | {"bookable_online": True, "created_at": "2026-03-18T15:30:00Z"}
    url = f"{V1}/services/90847"
    read = client.get(url, headers=auth_headers(practice))
    assert read.json() == created.json()
    change = {"name": "Couples and families", "category": "Talking"}
    changed = client.patch(url, json=change, headers=auth_headers(practice, if_match=read.headers["etag"]))
    assert changed.json() == created.json() | change | {"version": 2}
    stale = client.patch(url, json=change, headers=auth_headers(practice, if_match=read.headers["etag"]))
    assert (stale.status_code, error_code(stale)) == (412, "STALE")
    for verb, active in [("deactivate", False), ("deactivate", False), ("activate", True)]:
        answer = client.post(f"{url}/{verb}", headers=auth_headers(practice))
        assert answer.json()["active"] is active
    assert answer.json()["version"] == 4


def test_a_code_is_unique_within_a_practice(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    add_service(client, practice)
    repeated = add_service(client, practice, name="Other")
    assert (repeated.status_code, error_code(repeated)) == (409, "CODE_TAKEN")
    assert add_service(client, make_practice(installation)).status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"cpt_code": "9084"},
        {"cpt_code": "9084x"},
        {"code": "with space"},
        {"code": "a/b"},
        {"minutes": 0},
        {"minutes": 1441},
        {"capacity": 0},
        {"rate": "-1.00"},
        {"rate": 160},
        {"kind": "OTHER"},
        {"name": " "},
    ],
)
def test_an_invalid_service_is_refused(client: TestClient, practice: PracticeFixture, wrong: dict[str, Any]) -> None:
    assert add_service(client, practice, **wrong).status_code == 422


def test_the_catalog_is_sorted_by_code_and_filtered(client: TestClient, practice: PracticeFixture) -> None:
    for code, kind in [("C", "GROUP"), ("A", "INTAKE"), ("B", "GROUP")]:
        make_service(practice, code, cents=100 * ord(code), kind=kind)
    client.post(f"{V1}/services/B/deactivate", headers=auth_headers(practice))

    def listed(query: str) -> list[str]:
        answer = client.get(f"{V1}/services?{query}", headers=auth_headers(practice))
        assert answer.status_code == 200, answer.text
        return [f"{item['code']} {item['rate']}" for item in answer.json()["items"]]

    assert listed("") == ["A 65.00", "B 66.00", "C 67.00"]
    assert listed("kind=GROUP&active=true") == ["C 67.00"]
    assert listed("active=false") == ["B 66.00"]
    assert listed("sort=-code&limit=1") == ["C 67.00"]


def test_the_kind_and_minutes_of_a_booked_service_cannot_change(client: TestClient, practice: PracticeFixture) -> None:
    service_id = make_service(practice, "X")

    def change(version: int) -> Any:
        headers = auth_headers(practice, if_match=f'"{version}"')
        return client.patch(f"{V1}/services/X", json={"kind": "GROUP", "capacity": 5}, headers=headers)

    assert change(1).json()["kind"] == "GROUP"
    make_appointment(practice, practice.add("clinician"), make_client(practice), service_id, NOW)
    assert change(2).json()["kind"] == "GROUP"
    changes = {"kind": "INTAKE", "minutes": 30, "name": "New"}
    answer = client.patch(f"{V1}/services/X", json=changes, headers=auth_headers(practice, if_match='"3"'))
    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == ["kind", "minutes"]


def test_the_kind_and_minutes_of_a_service_with_an_opened_group_cannot_change(
    client: TestClient, practice: PracticeFixture
) -> None:
    make_group(practice, practice.add("clinician"), make_service(practice, "G", kind="GROUP"), NOW, held=True)
    headers = auth_headers(practice, if_match='"1"')
    answer = client.patch(f"{V1}/services/G", json={"kind": "INTAKE", "minutes": 120}, headers=headers)
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == ["kind", "minutes"]


def test_a_rate_applies_from_its_date_and_a_later_entry_for_that_date_replaces_it(
    client: TestClient, practice: PracticeFixture
) -> None:
    add_service(client, practice)
    rates = f"{V1}/services/90847/rates"
    for amount, day in [("170.00", "2026-04-01"), ("180", "2026-06-01"), ("175.5", "2026-04-01")]:
        answer = client.post(rates, json={"rate": amount, "effective_on": day}, headers=auth_headers(practice))
        assert answer.status_code == 201, answer.text
    history = client.get(rates, headers=auth_headers(practice)).json()["items"]
    assert [(item["rate"], item["effective_on"]) for item in history] == [
        *(("180.00", "2026-06-01"), ("175.50", "2026-04-01")),
        *(("170.00", "2026-04-01"), ("160.00", None)),
    ]
    with practice.work() as work:
        service_id = find_service(work, "90847").id
        days = [date(1999, 1, 1), date(2026, 3, 31), date(2026, 4, 1), date(2026, 5, 31), date(2026, 6, 1)]
        assert [get_service_rate(work, service_id, day) for day in days] == [16000, 16000, 17550, 17550, 18000]
    client.app.state.clock = lambda: datetime(2026, 4, 2, 15, tzinfo=UTC)
    token = {"Authorization": f"Bearer {practice.token(now=datetime(2026, 4, 2, 15, tzinfo=UTC))}"}
    assert client.get(f"{V1}/services/90847", headers=token).json()["rate"] == "175.50"


@pytest.mark.parametrize(("day", "status"), [("2026-03-17", 422), ("2026-03-18", 201), ("2026-03-19", 201)])
def test_a_rate_starts_today_or_later_in_the_practices_time_zone(
    client: TestClient, practice: PracticeFixture, day: str, status: int
) -> None:
    make_service(practice, "X")
    late_evening = datetime(2026, 3, 19, 2, tzinfo=UTC)  # in New York it is still the 18th
    client.app.state.clock = lambda: late_evening
    headers = {"Authorization": f"Bearer {practice.token(now=late_evening)}"}
    answer = client.post(f"{V1}/services/X/rates", json={"rate": "1.00", "effective_on": day}, headers=headers)
    assert answer.status_code == status


# Clinicians and their prices


def listed(
    client: TestClient, practice: PracticeFixture, query: str = "", person: Person | None = None
) -> dict[str, list[str]]:
    answer = client.get(f"{V1}/clinicians?{query}", headers=auth_headers(practice, person))
    assert answer.status_code == 200, answer.text
    return {item["id"]: item["services"] for item in answer.json()["items"]}


def test_a_client_sees_clinicians_and_their_services_only(client: TestClient, practice: PracticeFixture) -> None:
    clinician, other, voided_response = (practice.add("clinician") for _ in range(3))
    practice.add("scheduler")
    with practice.work() as work:
        deactivate_staff(work, voided_response.staff_id, date(2026, 3, 1))
    for code in ("A", "B", "C"):
        make_service(practice, code)
    client.post(f"{V1}/services/C/deactivate", headers=auth_headers(practice))
    refuse = {"offered": False}
    terms = f"{V1}/clinicians/{other.staff_id}/prices/B"
    assert client.put(terms, json=refuse, headers=auth_headers(practice, if_match='"0"')).status_code == 200
    visitor = make_portal_client(practice)
    all_services = {str(clinician.staff_id): ["A", "B"], str(other.staff_id): ["A"]}
    assert listed(client, practice, person=visitor) == listed(client, practice) == all_services
    assert set(listed(client, practice, "service=B", visitor)) == {str(clinician.staff_id)}
    assert listed(client, practice, "service=C") == listed(client, practice, "service=none") == {}
    answer = client.get(f"{V1}/clinicians", headers=auth_headers(practice, visitor))
    assert set(answer.json()["items"][0]) == {
        *("id", "first_name", "last_name", "discipline", "license_type", "services")
    }


def test_a_clinicians_price_is_replaced_read_and_voided(client: TestClient, practice: PracticeFixture) -> None:
    clinician = practice.add("clinician")
    make_service(practice, "A"), make_service(practice, "B")
    terms = f"{V1}/clinicians/{clinician.staff_id}/prices"
    default_terms = {"service": "A", "minutes": None, "price": None, "offered": True, "version": 0}
    read = client.get(f"{terms}/A", headers=auth_headers(practice))
    assert (read.json(), read.headers["etag"]) == (default_terms, '"0"')

    def put(version: int, **body: Any) -> Any:
        return client.put(f"{terms}/A", json=body, headers=auth_headers(practice, if_match=f'"{version}"'))

    assert put(0, minutes=45, price="130.00").json() == default_terms | {"minutes": 45, "price": "130.00", "version": 1}
    assert (put(0, minutes=50).status_code, put(2, minutes=50).status_code) == (412, 412)
    assert put(1, price="0").json() == default_terms | {"price": "0.00", "version": 2}
    assert client.get(terms, headers=auth_headers(practice)).json()["items"] == [
        default_terms | {"price": "0.00", "version": 2}
    ]
    voided_response = void(client, f"{terms}/A", auth_headers(practice))
    assert voided_response.status_code == 204
    assert client.get(terms, headers=auth_headers(practice)).json()["items"] == []
    assert client.get(f"{terms}/A", headers=auth_headers(practice)).json() == default_terms | {"version": 3}
    assert void(client, f"{terms}/B", auth_headers(practice)).status_code == 404


def test_only_clinicians_have_prices_and_availability(client: TestClient, practice: PracticeFixture) -> None:
    make_service(practice, "A")
    url = f"{V1}/clinicians/{practice.add('scheduler').staff_id}"
    for path in ("prices", "prices/A", "availability", "exceptions", "blocks"):
        assert client.get(f"{url}/{path}", headers=auth_headers(practice)).status_code == 404, path
    put = client.put(f"{url}/prices/A", json={"minutes": 45}, headers=auth_headers(practice, if_match='"0"'))
    assert put.status_code == 404


def test_one_of_two_concurrent_first_prices_is_stale(practice: PracticeFixture) -> None:
    clinician = practice.add("clinician")
    make_service(practice, "A")

    def set_to(minutes: int) -> Callable[[Work], Any]:
        return lambda work: set_price(work, clinician.staff_id, "A", 0, minutes=minutes)

    with pytest.raises(Stale):
        collide(practice, set_to(45), set_to(50)).result()
    with practice.work() as work:
        assert get_price(work, clinician.staff_id, "A").minutes == 45


# Fee schedules


def test_fees_are_set_listed_and_voided(client: TestClient, practice: PracticeFixture) -> None:
    clinician, biller = practice.add("clinician"), practice.add("biller")
    make_service(practice, "A"), make_service(practice, "B")
    fee = {"payer_id": "P1", "service": "A", "clinician_id": None, "rate": "98.10", "effective_on": None}
    clinician_fee = fee | {"clinician_id": str(clinician.staff_id), "rate": "105.00", "effective_on": "2026-01-01"}
    other = fee | {"payer_id": "P2", "service": "B"}
    ids = []
    for body in (fee, clinician_fee, other):
        answer = client.post(f"{V1}/fee-schedules", json=body, headers=auth_headers(practice))
        assert answer.status_code == 201, answer.text
        assert answer.json() == answer.json() | body
        ids.append(answer.json()["id"])

    def list_ids(query: str) -> list[str]:
        items = client.get(f"{V1}/fee-schedules?{query}", headers=auth_headers(practice, biller)).json()["items"]
        return [item["id"] for item in items]

    assert list_ids("") == ids
    assert list_ids("payer_id=P2") == list_ids("service=B") == ids[2:]
    assert list_ids(f"clinician_id={clinician.staff_id}") == [ids[1]]
    url = f"{V1}/fee-schedules/{ids[0]}"
    assert client.delete(url, headers=auth_headers(practice)).status_code == 422
    assert void(client, url, auth_headers(practice)).status_code == 204
    assert void(client, url, auth_headers(practice)).status_code == 404
    assert list_ids("") == ids[1:]
    assert list_ids("voided=true") == ids
    assert client.post(f"{V1}/fee-schedules", json=fee, headers=auth_headers(practice, biller)).status_code == 403
    url = f"{V1}/fee-schedules/{ids[1]}"
    assert void(client, url, auth_headers(practice, biller)).status_code == 403


def test_all_problems_of_a_fee_are_reported_together(client: TestClient, practice: PracticeFixture) -> None:
    fee = {"payer_id": "P1", "service": "none", "clinician_id": str(practice.admin.staff_id), "rate": "1.00"}
    answer = client.post(f"{V1}/fee-schedules", json=fee, headers=auth_headers(practice))
    assert [problem.partition(":")[0] for problem in assert_invalid(answer)] == ["service", "clinician_id"]
