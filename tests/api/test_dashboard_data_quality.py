"""The page of data quality over HTTP: each thing that is wrong is found, counted, listed, and gone once mended."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from ingest.synthetic import Size
from practice.billing.models.charges import Charge
from practice.payroll.rates import set_pay_rate
from practice.people.models.clients import Coverage
from practice.scheduling.models.catalog import Service
from practice.store.ids import new_id
from tests.support.builders.generated import import_generated
from tests.support.builders.people import NOW, Person, PracticeFixture, make_practice
from tests.support.builders.schedule import make_client, make_service, open_hours, put
from tests.support.builders.sessions import SessionBuilder
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def get(client: TestClient, practice: PracticeFixture, by: Person | None = None, **query: Any) -> Any:
    return client.get(f"{V1}/dashboards/data-quality", params=query, headers=auth_headers(practice, by))


def list_wrong(client: TestClient, practice: PracticeFixture) -> dict[str, set[str]]:
    """Return the records that each check finds, after a look at their counts."""
    page = assert_ok(get(client, practice, limit=1000))
    listed: dict[str, set[str]] = {check["key"]: set() for check in page["checks"]}
    for row in page["items"]:
        listed[row["check"]].add(row["id"])
    counts = {check["key"]: check["count"] for check in page["checks"]}
    assert counts == dict(Counter({key: len(ids) for key, ids in listed.items()}))
    assert page["count"] == sum(counts.values())
    return {key: ids for key, ids in listed.items() if ids}


def execute(practice: PracticeFixture, statement: str, **values: Any) -> None:
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(text(statement), values)


@pytest.fixture
def clinician(practice: PracticeFixture) -> Person:
    """Add a clinician to whom nothing is missing, in a practice that lacks nothing either."""
    clinician = practice.add("clinician", supervisor=practice.add("supervisor"))
    open_hours(practice, clinician)
    execute(practice, "update staff set license_type = 'LPC', npi = '1234567893' where id = :id", id=clinician.staff_id)
    with practice.work() as work:
        set_pay_rate(work, clinician.staff_id, 8000, None)
    with practice.installation.store.begin_system_session() as db:
        db.execute(
            text("update practices set npi = '1234567893', tax_id = '\\x00' where id = :id"), {"id": practice.id}
        )
    return clinician


def test_records_in_order_are_not_found(client: TestClient, practice: PracticeFixture, clinician: Person) -> None:
    builder = SessionBuilder(practice, clinician)
    builder.add_session(NOW - DAY, signed_at=NOW - HOUR)
    builder.add_session(NOW + HOUR, status="CONFIRMED", status_at=None)
    make_client(practice, clinician)
    assert list_wrong(client, practice) == {}
    assert assert_ok(get(client, practice))["brief"] == [
        "Nothing is wrong or missing in the records that figures and bills rest on."
    ]


def test_visits_that_are_over_and_open_are_found(
    client: TestClient, practice: PracticeFixture, clinician: Person
) -> None:
    builder = SessionBuilder(practice, clinician)
    over = builder.add_session(NOW - 5 * DAY, status="CHECKED_IN", status_at=None)
    for status in ("NO_SHOW", "CANCELLED", "RESCHEDULED"):
        builder.add_session(NOW - 6 * DAY, status=status)
    assert list_wrong(client, practice) == {"open_visits": {str(over)}}
    (row,) = assert_ok(get(client, practice, check="open_visits"))["items"]
    facts = {"since_on": "2026-03-13", "mending": "open_schedule", "staff_id": str(clinician.staff_id)}
    assert {name: row[name] for name in facts} == facts
    assert row["label"].startswith("BK-")
    assert row["client_name"].startswith("Casey")


def test_notes_and_charges_without_a_visit_are_found(
    client: TestClient, practice: PracticeFixture, clinician: Person
) -> None:
    builder = SessionBuilder(practice, clinician)
    signed = builder.add_session(NOW - 3 * DAY, signed_at=NOW - HOUR)
    unsigned = builder.add_session(NOW - 2 * DAY)
    note = builder.add_note(None)
    builder.add_note(None, type="TREATMENT_PLAN")

    def add_charge(appointment: Any, diagnoses: list[str], **fields: Any) -> str:
        charge = Charge(
            id=new_id(),
            client_id=builder.client,
            clinician_id=clinician.staff_id,
            appointment_id=appointment,
            service_date=date(2026, 3, 16),
            cpt_code="90834",
            units=1,
            amount_cents=15000,
            diagnoses=diagnoses,
            created_at=NOW,
            **fields,
        )
        put(practice, charge)
        return str(charge.id)

    add_charge(signed, ["F32.1"])
    add_charge(None, [], voided_at=NOW, void_reason="Twice", voided_by=None)
    expected = {
        "notes_without_visit": {str(note)},
        "charges_without_visit": {add_charge(None, ["F32.1"])},
        "charges_without_note": {add_charge(unsigned, ["F32.1"])},
        "charges_without_diagnosis": {add_charge(signed, [])},
    }
    assert list_wrong(client, practice) == expected


def test_gaps_of_the_catalog_staff_and_practice_are_found(
    client: TestClient, practice: PracticeFixture, clinician: Person
) -> None:
    service = Service(id=new_id(), code="X1", name="Unpriced", kind="INDIVIDUAL", minutes=50, created_at=NOW - DAY)
    put(practice, service)
    bare = practice.add("clinician")
    apprentice = practice.add("clinician")
    execute(practice, "update staff set license_type = 'APC' where id = :id", id=apprentice.staff_id)
    gone = practice.add("clinician")
    execute(practice, "update staff set left_on = '2026-03-01' where id = :id", id=gone.staff_id)
    with practice.installation.store.begin_system_session() as db:
        db.execute(text("update practices set npi = null, tax_id = null where id = :id"), {"id": practice.id})
    both = {str(bare.staff_id), str(apprentice.staff_id)}
    assert list_wrong(client, practice) == {
        "services_without_price": {str(service.id)},
        "services_without_code": {str(service.id)},
        "clinicians_without_rate": both,
        "clinicians_without_hours": both,
        "clinicians_without_npi": both,
        "clinicians_without_license": {str(bare.staff_id)},
        "clinicians_without_supervisor": {str(apprentice.staff_id)},
        "practice_without_npi": {str(practice.id)},
        "practice_without_tax_id": {str(practice.id)},
    }


def test_gaps_of_clients_are_found(client: TestClient, practice: PracticeFixture, clinician: Person) -> None:
    uncovered = make_client(practice, clinician, self_pay=False)
    covered = make_client(practice, clinician, self_pay=False)
    lapsed = make_client(practice, clinician, self_pay=False)
    terms = {
        "rank": 1,
        "payer_id": "60054",
        "payer_name": "Elm Health",
        "member_id": "1",
        "effective_on": date(2025, 7, 1),
    }
    put(practice, Coverage(id=new_id(), client_id=covered, **terms))
    put(practice, Coverage(id=new_id(), client_id=lapsed, ends_on=date(2026, 2, 28), **terms))
    incomplete = make_client(practice, clinician, phone=" ")
    alone = make_client(practice, None)
    minor = make_client(practice, clinician, birth_date=date(2015, 1, 1))
    make_client(practice, clinician, birth_date=date(2015, 1, 1), guardian_name="Kin Example")
    twins = [make_client(practice, clinician, first_name=name, last_name="Same") for name in ("Ash", "ASH")]
    make_client(practice, clinician, first_name="Ash", last_name="Same", birth_date=date(1991, 1, 1))
    make_client(practice, None, self_pay=False, phone=None, ended_on=date(2026, 3, 1), end_reason="DISCHARGED")
    assert list_wrong(client, practice) == {
        "uncovered_clients": {str(uncovered), str(lapsed)},
        "incomplete_demographics": {str(incomplete)},
        "clients_without_clinician": {str(alone)},
        "minors_without_guardian": {str(minor)},
        "duplicate_clients": {str(one) for one in twins},
    }
    rows = assert_ok(get(client, practice, check="uncovered_clients"))["items"]
    assert [(row["id"], row["since_on"]) for row in rows] == [
        (str(uncovered), "2025-06-02"),
        (str(lapsed), "2026-03-01"),
    ]


def test_a_generated_practice_agrees_with_compliance(
    client: TestClient, installation: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    size = Size("Quality", "America/New_York", clinicians=4, clients=150, months=4)
    practice = import_generated(installation, tmp_path_factory.mktemp("bundle"), size, 3)
    wrong = list_wrong(client, practice)
    path = f"{V1}/dashboards/compliance?check=demographics&state=late&limit=1000"
    late = assert_ok(client.get(path, headers=auth_headers(practice)))["items"]
    assert {row["id"] for row in late} == wrong["incomplete_demographics"] | wrong["uncovered_clients"]
    assert len(late) > 3
    first = assert_ok(get(client, practice, limit=5))
    second = assert_ok(get(client, practice, limit=5, offset=first["next_offset"]))
    assert not {(row["check"], row["id"]) for row in first["items"]} & {
        (row["check"], row["id"]) for row in second["items"]
    }
    assert first["needs"][0]["key"] == "open_visits"


def test_the_page_is_for_admins(client: TestClient, practice: PracticeFixture) -> None:
    for role in ("supervisor", "clinician", "scheduler", "biller", "analyst"):
        response = get(client, practice, practice.add(role))
        assert (response.status_code, error_code(response)) == (403, "FORBIDDEN")


def test_another_practice_is_not_seen(
    client: TestClient, practice: PracticeFixture, installation: Any, clinician: Person
) -> None:
    other = make_practice(installation)
    make_service(other)
    make_client(other, other.add("clinician"), self_pay=False)
    assert list_wrong(client, practice) == {}
