"""Pay periods over HTTP: who closes, who sees whose, and what the statements say."""

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from tests.support.builders.people import Person
from tests.support.drivers.http import code_of
from tests.support.drivers.sessions import LAST_WEEK, SessionsApi

PERIODS = "/pay/periods"
HELD = datetime.fromisoformat("2026-03-10T15:00Z")
HOUR = timedelta(hours=1)


def sent(
    sessions_api: SessionsApi, method: str, path: str, by: Person | None = None, status: int = 200, **more: Any
) -> Any:
    answer = sessions_api.ask(method, PERIODS + path, by, **more)
    assert answer.status_code == status, answer.text
    return answer


def refused(sessions_api: SessionsApi, path: str, by: Person | None = None, **body: Any) -> tuple[int, str]:
    answer = sessions_api.ask("POST", PERIODS + path, by, json=body or None)
    return answer.status_code, code_of(answer)


def seen(sessions_api: SessionsApi, by: Person | None = None, week: date = LAST_WEEK, **query: Any) -> dict[str, Any]:
    return sent(sessions_api, "GET", f"/{week}", by, params=query).json()


def session(
    sessions_api: SessionsApi, at: datetime = HELD, *, clinician: Person | None = None, signed: bool = True
) -> UUID:
    who = clinician or sessions_api.clinician
    one = sessions_api.held(at, clinician=who)
    if signed:
        sessions_api.sessions.note(one, signed_at=at + 2 * HOUR, created_at=at + 2 * HOUR, clinician=who)
    return one


def lines(sessions_api: SessionsApi) -> list[Any]:
    return sessions_api.rows("select * from pay_lines where tenant_id = :tenant_id")


def ids(found: list[dict[str, Any]]) -> set[UUID]:
    return {UUID(line["appointment_id"]) for line in found}


def test_a_week_is_opened_previewed_and_closed(sessions_api: SessionsApi) -> None:
    paid, standing = session(sessions_api), session(sessions_api, HELD + HOUR, signed=False)
    opened = sent(sessions_api, "POST", "", status=201, json={"week": f"{LAST_WEEK}"}).json()
    assert (opened["status"], opened["opened_by"]) == ("OPEN", str(sessions_api.admin.account_id))
    before = seen(sessions_api)
    assert (before["status"], before["cut_off"], before["total"]) == ("OPEN", "2026-03-16T04:00:00Z", "80.00")
    assert lines(sessions_api) == []
    closed = sent(sessions_api, "POST", f"/{LAST_WEEK}/close").json()
    assert closed == before | {"status": "CLOSED", "closed_at": "2026-03-18T15:30:00Z"}
    assert (ids(closed["lines"]), ids(closed["standby"])) == ({paid}, {standing})
    assert closed["totals"] == [{"staff_id": str(sessions_api.clinician.staff_id), "amount": "80.00"}]
    assert {(row.kind, row.amount_cents) for row in lines(sessions_api)} == {("regular", 8000), ("standby", 8000)}
    sessions_api.set_rate(sessions_api.clinician, 9000)
    assert sent(sessions_api, "POST", f"/{LAST_WEEK}/close").json() == seen(sessions_api) == closed
    assert len(lines(sessions_api)) == 2
    listed = sent(sessions_api, "GET", "").json()["items"]
    assert [(item["week"], item["status"]) for item in listed] == [(f"{LAST_WEEK}", "CLOSED")]
    (entry,) = sessions_api.recorded("pay_period.closed")
    assert (entry.account_id, entry.details["total_cents"]) == (sessions_api.admin.account_id, 8000)
    (line,) = seen(sessions_api, week=LAST_WEEK + timedelta(7))["lines"]
    assert (line["kind"], line["reason"], line["amount"]) == ("adjustment", "RATE_CHANGED", "10.00")
    then = seen(sessions_api, as_of="2026-03-17T00:00:00Z")
    assert (then["status"], then["total"], len(then["problems"])) == ("OPEN", "0.00", 1)  # no rate was set yet


def test_what_cannot_be_opened_or_closed_says_why_and_changes_nothing(sessions_api: SessionsApi) -> None:
    session(sessions_api)
    assert refused(sessions_api, "", week="2026-03-22") == (409, "WEEK_AHEAD")
    assert refused(sessions_api, "", week="2026-03-10") == (422, "VALIDATION_ERROR")
    assert refused(sessions_api, "", week="soon") == (422, "VALIDATION_ERROR")
    assert refused(sessions_api, "/2026-03-15/close") == (409, "CUT_OFF_AHEAD")
    assert sessions_api.rows("select * from pay_periods where tenant_id = :tenant_id") == lines(sessions_api) == []
    sent(sessions_api, "POST", "", status=201, json={"week": "2026-03-01"})
    assert refused(sessions_api, f"/{LAST_WEEK}/close") == (409, "OUT_OF_ORDER")
    assert refused(sessions_api, "", week="2026-03-15") == (409, "OUT_OF_ORDER")
    assert refused(sessions_api, "/2026-02-22/close") == (409, "BEFORE_PAY_BEGAN")
    assert refused(sessions_api, "/2026-03-09/close") == (422, "VALIDATION_ERROR")
    assert lines(sessions_api) == []


@pytest.mark.parametrize("role", ["supervisor", "clinician", "biller", "scheduler", "analyst"])
def test_weeks_are_opened_and_closed_by_admins_alone(sessions_api: SessionsApi, role: str) -> None:
    person = getattr(sessions_api, role)
    assert refused(sessions_api, "", person, week=f"{LAST_WEEK}") == (403, "FORBIDDEN")
    assert refused(sessions_api, f"/{LAST_WEEK}/close", person) == (403, "FORBIDDEN")
    assert sessions_api.rows("select * from pay_periods where tenant_id = :tenant_id") == []


@pytest.mark.parametrize("role", ["scheduler", "analyst", "client"])
def test_pay_is_not_for_everybody(sessions_api: SessionsApi, role: str) -> None:
    person = getattr(sessions_api, role)
    whose = sessions_api.clinician.staff_id
    for path in ("", f"/{LAST_WEEK}", f"/{LAST_WEEK}/statements", f"/{LAST_WEEK}/statements/{whose}"):
        assert sessions_api.ask("GET", PERIODS + path, person).status_code == 403
    for path in (f"/{LAST_WEEK}/statements/{whose}.pdf", f"/{LAST_WEEK}/export"):
        assert sessions_api.ask("GET", PERIODS + path, person).status_code == 403


@pytest.mark.parametrize("closed", [False, True])
def test_everybody_sees_the_pay_that_concerns_them(sessions_api: SessionsApi, closed: bool) -> None:
    sessions_api.set_rate(sessions_api.other, 5000)
    unrated = sessions_api.practice.add("clinician")
    own, theirs = session(sessions_api), session(sessions_api, clinician=sessions_api.other)
    session(sessions_api, clinician=unrated)
    if closed:
        sent(sessions_api, "POST", f"/{LAST_WEEK}/close")
    for person in (sessions_api.admin, sessions_api.biller):
        assert ids(seen(sessions_api, person)["lines"]) == {own, theirs}
        assert len(seen(sessions_api, person)["problems"]) == 1
    for person in (sessions_api.supervisor, sessions_api.clinician):
        assert ids(seen(sessions_api, person)["lines"]) == {own}
        assert seen(sessions_api, person)["problems"] == []
    assert ids(seen(sessions_api, sessions_api.other)["lines"]) == {theirs}
    assert len(seen(sessions_api, unrated)["problems"]) == 1

    def status(by: Person, whose: Person) -> set[int]:
        paths = [f"{PERIODS}/{LAST_WEEK}/statements/{whose.staff_id}{form}" for form in ("", ".csv", ".pdf")]
        return {sessions_api.ask("GET", path, by).status_code for path in paths}

    for person in (sessions_api.admin, sessions_api.biller, sessions_api.supervisor, sessions_api.clinician):
        assert status(person, sessions_api.clinician) == {200}
        told = sent(sessions_api, "GET", f"/{LAST_WEEK}/statements", person).json()["items"]
        assert len(told) == (2 if person in (sessions_api.admin, sessions_api.biller) else 1)
    assert (
        status(sessions_api.supervisor, sessions_api.other)
        == status(sessions_api.clinician, sessions_api.other)
        == {404}
    )
    export = [
        sessions_api.ask("GET", f"{PERIODS}/{LAST_WEEK}/export", by).status_code
        for by in (sessions_api.admin, sessions_api.biller)
    ]
    assert export == [200, 200]
    for person in (sessions_api.supervisor, sessions_api.clinician):
        assert sessions_api.ask("GET", f"{PERIODS}/{LAST_WEEK}/export", person).status_code == 403


def test_a_statement_has_lines_late_ones_adjustments_what_stands_by_and_totals(sessions_api: SessionsApi) -> None:
    before = LAST_WEEK - timedelta(7)
    paid, late = (
        session(sessions_api, HELD - timedelta(7)),
        session(sessions_api, HELD - timedelta(7) + HOUR, signed=False),
    )
    sent(sessions_api, "POST", f"/{before}/close")
    sessions_api.sessions.note(late, signed_at=HELD, created_at=HELD)
    sessions_api.set_rate(sessions_api.clinician, 8888)
    own, standing = session(sessions_api), session(sessions_api, HELD + HOUR, signed=False)
    with sessions_api.practice.installation.store.session_in(sessions_api.practice.id) as db:
        named = "update clients set first_name = 'Canary', last_name = 'Quillfeather' where tenant_id = :id"
        db.execute(text(named), {"id": sessions_api.practice.id})
        db.execute(
            text("update staff set last_name = '=Sum(A1)' where id = :id"), {"id": sessions_api.clinician.staff_id}
        )
    sent(sessions_api, "POST", f"/{LAST_WEEK}/close")
    path = f"/{LAST_WEEK}/statements/{sessions_api.clinician.staff_id}"
    whole = sent(sessions_api, "GET", path, sessions_api.clinician).json()
    assert [(line["kind"], UUID(line["appointment_id"]), line["amount"]) for line in whole["lines"]] == [
        ("late", late, "88.88"),
        ("regular", own, "88.88"),
        ("adjustment", paid, "8.88"),
        ("standby", standing, "88.88"),
    ]
    totals = {name: whole[name] for name in ("regular", "late", "adjustments", "standby", "total")}
    assert totals == {
        **{"regular": "88.88", "late": "88.88", "adjustments": "8.88"},
        **{"standby": "88.88", "total": "186.64"},
    }
    table = list(csv.DictReader(io.StringIO(sent(sessions_api, "GET", f"{path}.csv", sessions_api.clinician).text)))
    assert [(row["kind"], row["date"], row["amount"]) for row in table] == [
        ("regular", "2026-03-10", "88.88"),
        ("late", "2026-03-03", "88.88"),
        ("adjustment", "2026-03-03", "8.88"),
        ("standby", "2026-03-10", "88.88"),
    ]
    assert all(row["appointment"].startswith("BK-") for row in table)
    paper = sent(sessions_api, "GET", f"{path}.pdf", sessions_api.clinician)
    words = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.content)).pages).split())
    for word in ("Pay statement", "186.64", "8.88", "rate changed", table[0]["appointment"]):
        assert word in words
    everything = sent(sessions_api, "GET", f"/{LAST_WEEK}/export", sessions_api.biller).text
    assert len(everything.splitlines()) == 5
    assert "Quillfeather" not in words + everything + str(whole)
    (entry,) = sessions_api.recorded("pay_period.exported")
    assert entry.account_id == sessions_api.biller.account_id


def test_a_name_is_no_formula(sessions_api: SessionsApi) -> None:
    session(sessions_api)
    with sessions_api.practice.installation.store.session_in(sessions_api.practice.id) as db:
        db.execute(text("update staff set first_name = '=1+1' where id = :id"), {"id": sessions_api.clinician.staff_id})
    (row,) = csv.DictReader(io.StringIO(sent(sessions_api, "GET", f"/{LAST_WEEK}/export").text))
    assert row["name"].startswith("'=1+1 ")


def test_what_is_taken_back_is_in_the_next_week(sessions_api: SessionsApi) -> None:
    one = session(sessions_api)
    sent(sessions_api, "POST", f"/{LAST_WEEK}/close")
    assert code_of(sessions_api.delete(one)) == "SESSION_PAID"
    assert sessions_api.post(f"/{one}/take-back", reason="Never held").status_code == 204
    (line,) = seen(sessions_api, week=LAST_WEEK + timedelta(7))["lines"]
    assert (line["kind"], line["reason"], line["amount"]) == ("adjustment", "VOIDED", "-80.00")
    assert sessions_api.completions()[one].void_reason == "Never held"
