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
from tests.support.drivers.sessions import LAST_WEEK, SessionDesk

PERIODS = "/pay/periods"
HELD = datetime.fromisoformat("2026-03-10T15:00Z")
HOUR = timedelta(hours=1)


def sent(desk: SessionDesk, method: str, path: str, by: Person | None = None, status: int = 200, **more: Any) -> Any:
    answer = desk.ask(method, PERIODS + path, by, **more)
    assert answer.status_code == status, answer.text
    return answer


def refused(desk: SessionDesk, path: str, by: Person | None = None, **body: Any) -> tuple[int, str]:
    answer = desk.ask("POST", PERIODS + path, by, json=body or None)
    return answer.status_code, code_of(answer)


def seen(desk: SessionDesk, by: Person | None = None, week: date = LAST_WEEK, **query: Any) -> dict[str, Any]:
    return sent(desk, "GET", f"/{week}", by, params=query).json()


def session(desk: SessionDesk, at: datetime = HELD, *, clinician: Person | None = None, signed: bool = True) -> UUID:
    who = clinician or desk.clinician
    one = desk.held(at, clinician=who)
    if signed:
        desk.sessions.note(one, signed_at=at + 2 * HOUR, created_at=at + 2 * HOUR, clinician=who)
    return one


def lines(desk: SessionDesk) -> list[Any]:
    return desk.rows("select * from pay_lines where tenant_id = :tenant_id")


def ids(found: list[dict[str, Any]]) -> set[UUID]:
    return {UUID(line["appointment_id"]) for line in found}


def test_a_week_is_opened_previewed_and_closed(desk: SessionDesk) -> None:
    paid, standing = session(desk), session(desk, HELD + HOUR, signed=False)
    opened = sent(desk, "POST", "", status=201, json={"week": f"{LAST_WEEK}"}).json()
    assert (opened["status"], opened["opened_by"]) == ("OPEN", str(desk.admin.account_id))
    before = seen(desk)
    assert (before["status"], before["cut_off"], before["total"]) == ("OPEN", "2026-03-16T04:00:00Z", "80.00")
    assert lines(desk) == []
    closed = sent(desk, "POST", f"/{LAST_WEEK}/close").json()
    assert closed == before | {"status": "CLOSED", "closed_at": "2026-03-18T15:30:00Z"}
    assert (ids(closed["lines"]), ids(closed["standby"])) == ({paid}, {standing})
    assert closed["totals"] == [{"staff_id": str(desk.clinician.staff_id), "amount": "80.00"}]
    assert {(row.kind, row.amount_cents) for row in lines(desk)} == {("regular", 8000), ("standby", 8000)}
    desk.set_rate(desk.clinician, 9000)
    assert sent(desk, "POST", f"/{LAST_WEEK}/close").json() == seen(desk) == closed
    assert len(lines(desk)) == 2
    listed = sent(desk, "GET", "").json()["items"]
    assert [(item["week"], item["status"]) for item in listed] == [(f"{LAST_WEEK}", "CLOSED")]
    (entry,) = desk.recorded("pay_period.closed")
    assert (entry.account_id, entry.details["total_cents"]) == (desk.admin.account_id, 8000)
    (line,) = seen(desk, week=LAST_WEEK + timedelta(7))["lines"]
    assert (line["kind"], line["reason"], line["amount"]) == ("adjustment", "RATE_CHANGED", "10.00")
    then = seen(desk, as_of="2026-03-17T00:00:00Z")
    assert (then["status"], then["total"], len(then["problems"])) == ("OPEN", "0.00", 1)  # no rate was set yet


def test_what_cannot_be_opened_or_closed_says_why_and_changes_nothing(desk: SessionDesk) -> None:
    session(desk)
    assert refused(desk, "", week="2026-03-22") == (409, "WEEK_AHEAD")
    assert refused(desk, "", week="2026-03-10") == (422, "VALIDATION_ERROR")
    assert refused(desk, "", week="soon") == (422, "VALIDATION_ERROR")
    assert refused(desk, "/2026-03-15/close") == (409, "CUT_OFF_AHEAD")
    assert desk.rows("select * from pay_periods where tenant_id = :tenant_id") == lines(desk) == []
    sent(desk, "POST", "", status=201, json={"week": "2026-03-01"})
    assert refused(desk, f"/{LAST_WEEK}/close") == (409, "OUT_OF_ORDER")
    assert refused(desk, "", week="2026-03-15") == (409, "OUT_OF_ORDER")
    assert refused(desk, "/2026-02-22/close") == (409, "BEFORE_PAY_BEGAN")
    assert refused(desk, "/2026-03-09/close") == (422, "VALIDATION_ERROR")
    assert lines(desk) == []


@pytest.mark.parametrize("role", ["supervisor", "clinician", "biller", "scheduler", "analyst"])
def test_weeks_are_opened_and_closed_by_admins_alone(desk: SessionDesk, role: str) -> None:
    person = getattr(desk, role)
    assert refused(desk, "", person, week=f"{LAST_WEEK}") == (403, "FORBIDDEN")
    assert refused(desk, f"/{LAST_WEEK}/close", person) == (403, "FORBIDDEN")
    assert desk.rows("select * from pay_periods where tenant_id = :tenant_id") == []


@pytest.mark.parametrize("role", ["scheduler", "analyst", "client"])
def test_pay_is_not_for_everybody(desk: SessionDesk, role: str) -> None:
    person = getattr(desk, role)
    whose = desk.clinician.staff_id
    for path in ("", f"/{LAST_WEEK}", f"/{LAST_WEEK}/statements", f"/{LAST_WEEK}/statements/{whose}"):
        assert desk.ask("GET", PERIODS + path, person).status_code == 403
    for path in (f"/{LAST_WEEK}/statements/{whose}.pdf", f"/{LAST_WEEK}/export"):
        assert desk.ask("GET", PERIODS + path, person).status_code == 403


@pytest.mark.parametrize("closed", [False, True])
def test_everybody_sees_the_pay_that_concerns_them(desk: SessionDesk, closed: bool) -> None:
    desk.set_rate(desk.other, 5000)
    unrated = desk.practice.add("clinician")
    own, theirs = session(desk), session(desk, clinician=desk.other)
    session(desk, clinician=unrated)
    if closed:
        sent(desk, "POST", f"/{LAST_WEEK}/close")
    for person in (desk.admin, desk.biller):
        assert ids(seen(desk, person)["lines"]) == {own, theirs}
        assert len(seen(desk, person)["problems"]) == 1
    for person in (desk.supervisor, desk.clinician):
        assert ids(seen(desk, person)["lines"]) == {own}
        assert seen(desk, person)["problems"] == []
    assert ids(seen(desk, desk.other)["lines"]) == {theirs}
    assert len(seen(desk, unrated)["problems"]) == 1

    def status(by: Person, whose: Person) -> set[int]:
        paths = [f"{PERIODS}/{LAST_WEEK}/statements/{whose.staff_id}{form}" for form in ("", ".csv", ".pdf")]
        return {desk.ask("GET", path, by).status_code for path in paths}

    for person in (desk.admin, desk.biller, desk.supervisor, desk.clinician):
        assert status(person, desk.clinician) == {200}
        told = sent(desk, "GET", f"/{LAST_WEEK}/statements", person).json()["items"]
        assert len(told) == (2 if person in (desk.admin, desk.biller) else 1)
    assert status(desk.supervisor, desk.other) == status(desk.clinician, desk.other) == {404}
    export = [desk.ask("GET", f"{PERIODS}/{LAST_WEEK}/export", by).status_code for by in (desk.admin, desk.biller)]
    assert export == [200, 200]
    for person in (desk.supervisor, desk.clinician):
        assert desk.ask("GET", f"{PERIODS}/{LAST_WEEK}/export", person).status_code == 403


def test_a_statement_has_lines_late_ones_adjustments_what_stands_by_and_totals(desk: SessionDesk) -> None:
    before = LAST_WEEK - timedelta(7)
    paid, late = session(desk, HELD - timedelta(7)), session(desk, HELD - timedelta(7) + HOUR, signed=False)
    sent(desk, "POST", f"/{before}/close")
    desk.sessions.note(late, signed_at=HELD, created_at=HELD)
    desk.set_rate(desk.clinician, 8888)
    own, standing = session(desk), session(desk, HELD + HOUR, signed=False)
    with desk.practice.house.store.session_in(desk.practice.id) as db:
        named = "update clients set first_name = 'Canary', last_name = 'Quillfeather' where tenant_id = :id"
        db.execute(text(named), {"id": desk.practice.id})
        db.execute(text("update staff set last_name = '=Sum(A1)' where id = :id"), {"id": desk.clinician.staff_id})
    sent(desk, "POST", f"/{LAST_WEEK}/close")
    path = f"/{LAST_WEEK}/statements/{desk.clinician.staff_id}"
    whole = sent(desk, "GET", path, desk.clinician).json()
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
    table = list(csv.DictReader(io.StringIO(sent(desk, "GET", f"{path}.csv", desk.clinician).text)))
    assert [(row["kind"], row["date"], row["amount"]) for row in table] == [
        ("regular", "2026-03-10", "88.88"),
        ("late", "2026-03-03", "88.88"),
        ("adjustment", "2026-03-03", "8.88"),
        ("standby", "2026-03-10", "88.88"),
    ]
    assert all(row["appointment"].startswith("BK-") for row in table)
    paper = sent(desk, "GET", f"{path}.pdf", desk.clinician)
    words = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.content)).pages).split())
    for word in ("Pay statement", "186.64", "8.88", "rate changed", table[0]["appointment"]):
        assert word in words
    everything = sent(desk, "GET", f"/{LAST_WEEK}/export", desk.biller).text
    assert len(everything.splitlines()) == 5
    assert "Quillfeather" not in words + everything + str(whole)
    (entry,) = desk.recorded("pay_period.exported")
    assert entry.account_id == desk.biller.account_id


def test_a_name_is_no_formula(desk: SessionDesk) -> None:
    session(desk)
    with desk.practice.house.store.session_in(desk.practice.id) as db:
        db.execute(text("update staff set first_name = '=1+1' where id = :id"), {"id": desk.clinician.staff_id})
    (row,) = csv.DictReader(io.StringIO(sent(desk, "GET", f"/{LAST_WEEK}/export").text))
    assert row["name"].startswith("'=1+1 ")


def test_what_is_taken_back_is_in_the_next_week(desk: SessionDesk) -> None:
    one = session(desk)
    sent(desk, "POST", f"/{LAST_WEEK}/close")
    assert code_of(desk.delete(one)) == "SESSION_PAID"
    assert desk.post(f"/{one}/take-back", reason="Never held").status_code == 204
    (line,) = seen(desk, week=LAST_WEEK + timedelta(7))["lines"]
    assert (line["kind"], line["reason"], line["amount"]) == ("adjustment", "VOIDED", "-80.00")
    assert desk.completions()[one].void_reason == "Never held"
