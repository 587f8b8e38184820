"""The pay period endpoints: who may open, close and see weeks, and the content of the statements."""

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from tests.support.builders.people import Person
from tests.support.drivers.http import error_code
from tests.support.drivers.sessions import LAST_WEEK, SessionsApi

PERIODS = "/pay/periods"
SESSION_START = datetime.fromisoformat("2026-03-10T15:00Z")
HOUR = timedelta(hours=1)


def request(
    sessions_api: SessionsApi, method: str, path: str, by: Person | None = None, status: int = 200, **options: Any
) -> Any:
    response = sessions_api.request(method, PERIODS + path, by, **options)
    assert response.status_code == status, response.text
    return response


def request_error(sessions_api: SessionsApi, path: str, by: Person | None = None, **body: Any) -> tuple[int, str]:
    response = sessions_api.request("POST", PERIODS + path, by, json=body or None)
    return response.status_code, error_code(response)


def read_week(
    sessions_api: SessionsApi, by: Person | None = None, week: date = LAST_WEEK, **query: Any
) -> dict[str, Any]:
    return request(sessions_api, "GET", f"/{week}", by, params=query).json()


def add_session(
    sessions_api: SessionsApi, at: datetime = SESSION_START, *, clinician: Person | None = None, signed: bool = True
) -> UUID:
    clinician = clinician or sessions_api.clinician
    session = sessions_api.add_session(at, clinician=clinician)
    if signed:
        sessions_api.sessions.add_note(session, signed_at=at + 2 * HOUR, created_at=at + 2 * HOUR, clinician=clinician)
    return session


def load_lines(sessions_api: SessionsApi) -> list[Any]:
    return sessions_api.load_rows("select * from pay_lines where tenant_id = :tenant_id")


def collect_ids(lines: list[dict[str, Any]]) -> set[UUID]:
    return {UUID(line["appointment_id"]) for line in lines}


def test_a_week_is_opened_previewed_and_closed(sessions_api: SessionsApi) -> None:
    paid, pending = add_session(sessions_api), add_session(sessions_api, SESSION_START + HOUR, signed=False)
    opened = request(sessions_api, "POST", "", status=201, json={"week": f"{LAST_WEEK}"}).json()
    assert (opened["status"], opened["opened_by"]) == ("OPEN", str(sessions_api.admin.account_id))
    before = read_week(sessions_api)
    assert (before["status"], before["cut_off"], before["total"]) == ("OPEN", "2026-03-16T04:00:00Z", "80.00")
    assert load_lines(sessions_api) == []
    closed = request(sessions_api, "POST", f"/{LAST_WEEK}/close").json()
    assert closed == before | {"status": "CLOSED", "closed_at": "2026-03-18T15:30:00Z"}
    assert (collect_ids(closed["lines"]), collect_ids(closed["standby"])) == ({paid}, {pending})
    (waiting,) = closed["standby_totals"]
    assert waiting["amount"] == closed["standby"][0]["amount"] == "80.00"
    (total,) = closed["totals"]
    assert (total["staff_id"], total["amount"]) == (str(sessions_api.clinician.staff_id), "80.00")
    assert {(row.kind, row.amount_cents) for row in load_lines(sessions_api)} == {("regular", 8000), ("standby", 8000)}
    sessions_api.set_rate(sessions_api.clinician, 9000)
    assert request(sessions_api, "POST", f"/{LAST_WEEK}/close").json() == read_week(sessions_api) == closed
    assert len(load_lines(sessions_api)) == 2
    periods = request(sessions_api, "GET", "").json()["items"]
    assert [(period["week"], period["status"]) for period in periods] == [(f"{LAST_WEEK}", "CLOSED")]
    (entry,) = sessions_api.load_audit_entries("pay_period.closed")
    assert (entry.account_id, entry.details["total_cents"]) == (sessions_api.admin.account_id, 8000)
    (line,) = read_week(sessions_api, week=LAST_WEEK + timedelta(7))["lines"]
    assert (line["kind"], line["reason"], line["amount"]) == ("adjustment", "RATE_CHANGED", "10.00")
    earlier = read_week(sessions_api, as_of="2026-03-17T00:00:00Z")
    assert (earlier["status"], earlier["total"], len(earlier["problems"])) == ("OPEN", "0.00", 1)  # no rate was set yet


def test_once_weeks_are_closed_another_rate_states_its_first_day(sessions_api: SessionsApi) -> None:
    """A raise without a day was paid for every closed week."""
    api = sessions_api
    api.set_rate(api.clinician, 8000)
    add_session(api)
    path = f"/staff/{api.clinician.staff_id}/pay-rates"
    assert api.request("POST", path, api.admin, json={"rate": "80.00"}).status_code == 201
    request(api, "POST", f"/{LAST_WEEK}/close")
    refused = api.request("POST", path, api.admin, json={"rate": "90.00"})
    assert (refused.status_code, "Choose the day from which it counts" in refused.text) == (422, True)
    assert read_week(api, week=LAST_WEEK + timedelta(7))["lines"] == []
    assert api.request("POST", path, api.admin, json={"rate": "90.00", "effective_on": "2026-03-15"}).status_code == 201
    first = f"/staff/{api.practice.add('clinician').staff_id}/pay-rates"
    assert api.request("POST", first, api.admin, json={"rate": "70.00"}).status_code == 201


def test_a_refused_opening_or_closing_has_a_code_and_changes_nothing(sessions_api: SessionsApi) -> None:
    add_session(sessions_api)
    assert request_error(sessions_api, "", week="2026-03-22") == (409, "WEEK_AHEAD")
    assert request_error(sessions_api, "", week="2026-03-10") == (422, "VALIDATION_ERROR")
    assert request_error(sessions_api, "", week="soon") == (422, "VALIDATION_ERROR")
    assert request_error(sessions_api, "/2026-03-15/close") == (409, "CUT_OFF_AHEAD")
    assert (
        sessions_api.load_rows("select * from pay_periods where tenant_id = :tenant_id")
        == load_lines(sessions_api)
        == []
    )
    request(sessions_api, "POST", "", status=201, json={"week": "2026-03-01"})
    assert request_error(sessions_api, f"/{LAST_WEEK}/close") == (409, "OUT_OF_ORDER")
    assert request_error(sessions_api, "", week="2026-03-15") == (409, "OUT_OF_ORDER")
    for week in ("2026-03-08", "2026-03-15"):
        request(sessions_api, "POST", "", status=201, json={"week": week})
    assert request_error(sessions_api, "", week="2026-03-22") == (409, "WEEK_AHEAD")  # also when it is next in order
    assert request_error(sessions_api, "/2026-02-22/close") == (409, "BEFORE_PAY_BEGAN")
    assert request_error(sessions_api, "/2026-03-09/close") == (422, "VALIDATION_ERROR")
    assert load_lines(sessions_api) == []


def remove_week(sessions_api: SessionsApi, week: date, by: Person | None = None) -> Any:
    return sessions_api.request("DELETE", f"{PERIODS}/{week}", by, json={"reason": "Mistyped"})


def test_a_first_week_closed_by_mistake_is_removed(sessions_api: SessionsApi) -> None:
    paid = add_session(sessions_api)
    weeks = date(2016, 1, 3), date(2016, 1, 10)
    for week in weeks:
        request(sessions_api, "POST", f"/{week}/close")
    assert request_error(sessions_api, f"/{LAST_WEEK}/close") == (409, "OUT_OF_ORDER")
    assert error_code(remove_week(sessions_api, weeks[0])) == "OUT_OF_ORDER"
    for week in reversed(weeks):
        assert remove_week(sessions_api, week).status_code == 204
    assert remove_week(sessions_api, weeks[0]).status_code == 404
    assert collect_ids(request(sessions_api, "POST", f"/{LAST_WEEK}/close").json()["lines"]) == {paid}
    entry = sessions_api.load_audit_entries("pay_period.removed")[-1]
    assert entry.details == {"week": "2016-01-03", "was_closed": True, "reason": "Mistyped"}
    assert error_code(remove_week(sessions_api, LAST_WEEK)) == "WEEK_PAID"
    assert len(load_lines(sessions_api)) == 1


def test_a_first_week_opened_too_late_is_removed(sessions_api: SessionsApi) -> None:
    paid = add_session(sessions_api)
    current = LAST_WEEK + timedelta(7)
    request(sessions_api, "POST", "", status=201, json={"week": f"{current}"})
    assert request_error(sessions_api, f"/{LAST_WEEK}/close") == (409, "BEFORE_PAY_BEGAN")
    assert remove_week(sessions_api, current, sessions_api.biller).status_code == 403
    assert remove_week(sessions_api, current).status_code == 204
    assert collect_ids(request(sessions_api, "POST", f"/{LAST_WEEK}/close").json()["lines"]) == {paid}
    request(sessions_api, "POST", "", status=201, json={"week": f"{current}"})
    assert remove_week(sessions_api, current).status_code == 204  # open, though a week has paid


@pytest.mark.parametrize("role", ["supervisor", "clinician", "biller", "scheduler", "analyst"])
def test_only_admins_open_and_close_weeks(sessions_api: SessionsApi, role: str) -> None:
    person = getattr(sessions_api, role)
    assert request_error(sessions_api, "", person, week=f"{LAST_WEEK}") == (403, "FORBIDDEN")
    assert request_error(sessions_api, f"/{LAST_WEEK}/close", person) == (403, "FORBIDDEN")
    assert sessions_api.load_rows("select * from pay_periods where tenant_id = :tenant_id") == []


@pytest.mark.parametrize("role", ["scheduler", "analyst", "client"])
def test_some_roles_cannot_see_pay(sessions_api: SessionsApi, role: str) -> None:
    person = getattr(sessions_api, role)
    staff_id = sessions_api.clinician.staff_id
    for path in ("", f"/{LAST_WEEK}", f"/{LAST_WEEK}/statements", f"/{LAST_WEEK}/statements/{staff_id}"):
        assert sessions_api.request("GET", PERIODS + path, person).status_code == 403
    for path in (f"/{LAST_WEEK}/statements/{staff_id}.pdf", f"/{LAST_WEEK}/export"):
        assert sessions_api.request("GET", PERIODS + path, person).status_code == 403


@pytest.mark.parametrize("closed", [False, True])
def test_each_role_sees_the_pay_within_its_scope(sessions_api: SessionsApi, closed: bool) -> None:
    sessions_api.set_rate(sessions_api.other, 5000)
    unrated = sessions_api.practice.add("clinician")
    own, others = add_session(sessions_api), add_session(sessions_api, clinician=sessions_api.other)
    add_session(sessions_api, clinician=unrated)
    if closed:
        request(sessions_api, "POST", f"/{LAST_WEEK}/close")
    for person in (sessions_api.admin, sessions_api.biller):
        assert collect_ids(read_week(sessions_api, person)["lines"]) == {own, others}
        assert len(read_week(sessions_api, person)["problems"]) == 1
    for person in (sessions_api.supervisor, sessions_api.clinician):
        assert collect_ids(read_week(sessions_api, person)["lines"]) == {own}
        assert read_week(sessions_api, person)["problems"] == []
    assert collect_ids(read_week(sessions_api, sessions_api.other)["lines"]) == {others}
    assert len(read_week(sessions_api, unrated)["problems"]) == 1

    def get_statuses(by: Person, staff: Person) -> set[int]:
        paths = [f"{PERIODS}/{LAST_WEEK}/statements/{staff.staff_id}{suffix}" for suffix in ("", ".csv", ".pdf")]
        return {sessions_api.request("GET", path, by).status_code for path in paths}

    for person in (sessions_api.admin, sessions_api.biller, sessions_api.supervisor, sessions_api.clinician):
        assert get_statuses(person, sessions_api.clinician) == {200}
        statements = request(sessions_api, "GET", f"/{LAST_WEEK}/statements", person).json()["items"]
        assert len(statements) == (2 if person in (sessions_api.admin, sessions_api.biller) else 1)
    for person in (sessions_api.supervisor, sessions_api.clinician):
        assert get_statuses(person, sessions_api.other) == {404}
    export = [
        sessions_api.request("GET", f"{PERIODS}/{LAST_WEEK}/export", by).status_code
        for by in (sessions_api.admin, sessions_api.biller)
    ]
    assert export == [200, 200]
    for person in (sessions_api.supervisor, sessions_api.clinician):
        assert sessions_api.request("GET", f"{PERIODS}/{LAST_WEEK}/export", person).status_code == 403


def test_a_statement_has_regular_late_and_pending_lines_adjustments_and_totals(sessions_api: SessionsApi) -> None:
    earlier_week = LAST_WEEK - timedelta(7)
    paid, late = (
        add_session(sessions_api, SESSION_START - timedelta(7)),
        add_session(sessions_api, SESSION_START - timedelta(7) + HOUR, signed=False),
    )
    request(sessions_api, "POST", f"/{earlier_week}/close")
    sessions_api.sessions.add_note(late, signed_at=SESSION_START, created_at=SESSION_START)
    sessions_api.set_rate(sessions_api.clinician, 8888)
    own, pending = add_session(sessions_api), add_session(sessions_api, SESSION_START + HOUR, signed=False)
    with sessions_api.practice.installation.store.begin_session(sessions_api.practice.id) as db:
        statement = "update clients set first_name = 'Canary', last_name = 'Quillfeather' where tenant_id = :id"
        db.execute(text(statement), {"id": sessions_api.practice.id})
        db.execute(
            text("update staff set last_name = '=Sum(A1)' where id = :id"), {"id": sessions_api.clinician.staff_id}
        )
    request(sessions_api, "POST", f"/{LAST_WEEK}/close")
    path = f"/{LAST_WEEK}/statements/{sessions_api.clinician.staff_id}"
    statement = request(sessions_api, "GET", path, sessions_api.clinician).json()
    assert [(line["kind"], UUID(line["appointment_id"]), line["amount"]) for line in statement["lines"]] == [
        ("late", late, "88.88"),
        ("regular", own, "88.88"),
        ("adjustment", paid, "8.88"),
        ("standby", pending, "88.88"),
    ]
    totals = {name: statement[name] for name in ("regular", "late", "adjustments", "standby", "total")}
    assert totals == {
        "regular": "88.88",
        "late": "88.88",
        "adjustments": "8.88",
        "standby": "88.88",
        "total": "186.64",
    }
    table = list(csv.DictReader(io.StringIO(request(sessions_api, "GET", f"{path}.csv", sessions_api.clinician).text)))
    assert [(row["kind"], row["date"], row["amount"]) for row in table] == [
        ("regular", "2026-03-10", "88.88"),
        ("late", "2026-03-03", "88.88"),
        ("adjustment", "2026-03-03", "8.88"),
        ("standby", "2026-03-10", "88.88"),
    ]
    assert all(row["appointment"].startswith("BK-") for row in table)
    pdf = request(sessions_api, "GET", f"{path}.pdf", sessions_api.clinician)
    pdf_text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf.content)).pages).split())
    for expected in ("Pay statement", "186.64", "8.88", "rate changed", table[0]["appointment"]):
        assert expected in pdf_text
    export = request(sessions_api, "GET", f"/{LAST_WEEK}/export", sessions_api.biller).text
    assert len(export.splitlines()) == 5
    assert "Quillfeather" not in pdf_text + export + str(statement)
    (entry,) = sessions_api.load_audit_entries("pay_period.exported")
    assert entry.account_id == sessions_api.biller.account_id


def test_a_name_in_the_csv_is_never_a_formula(sessions_api: SessionsApi) -> None:
    add_session(sessions_api)
    with sessions_api.practice.installation.store.begin_session(sessions_api.practice.id) as db:
        db.execute(text("update staff set first_name = '=1+1' where id = :id"), {"id": sessions_api.clinician.staff_id})
    (row,) = csv.DictReader(io.StringIO(request(sessions_api, "GET", f"/{LAST_WEEK}/export").text))
    assert row["name"].startswith("'=1+1 ")


def test_a_reversal_is_an_adjustment_in_the_next_week(sessions_api: SessionsApi) -> None:
    session = add_session(sessions_api)
    request(sessions_api, "POST", f"/{LAST_WEEK}/close")
    assert error_code(sessions_api.delete(session)) == "SESSION_PAID"
    assert sessions_api.post(f"/{session}/reverse", reason="Never held").status_code == 204
    (line,) = read_week(sessions_api, week=LAST_WEEK + timedelta(7))["lines"]
    assert (line["kind"], line["reason"], line["amount"]) == ("adjustment", "VOIDED", "-80.00")
    assert sessions_api.load_completions()[session].void_reason == "Never held"
