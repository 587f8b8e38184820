"""A payday from the practice's first day: who is paid what in two weeks, why, and what each person sees of it."""

from datetime import UTC, date, datetime, timedelta

from fastapi.testclient import TestClient

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.payday import HOUR, PaydayApi, list_lines

WEEK, NEXT_WEEK = date(2026, 3, 15), date(2026, 3, 22)
THURSDAY = datetime(2026, 3, 19, 14, tzinfo=UTC)  # 10:00 local
SUNDAY = datetime(2026, 3, 22, 16, tzinfo=UTC)  # noon of the last day on which notes can be signed
MONDAY, NEXT_MONDAY = (datetime(2026, 3, day, 13, tzinfo=UTC) for day in (23, 30))  # after the cut-offs
DAY = timedelta(days=1)


def test_an_admins_payday(client: TestClient, practice: PracticeFixture) -> None:
    api, admin = PaydayApi(client, practice), practice.admin

    # The practice is set up: its name and numbers, people, a service, hours, and what each clinician earns an hour.
    setup = {"name": "Elm Street Therapy", "npi": "1234567893", "tax_id": "12-3456789"}
    api.call(admin, "PATCH", "/practice", setup, If_Match='"1"')
    robin = api.invite(admin, "Robin", "Birch", "clinician")
    kim = api.invite(admin, "Kim", "Cedar", "clinician")
    biller, scheduler = api.invite(admin, "Bo", "Ledger", "biller"), api.invite(admin, "Dee", "Front", "scheduler")
    service = {"code": "TALK", "name": "Individual", "kind": "INDIVIDUAL", "minutes": 60, "rate": "150.00"}
    api.call(admin, "POST", "/services", service, 201)
    for clinician, rate in ((robin, "60.50"), (kim, "80.00")):
        for weekday in range(1, 6):
            hours = {"weekday": weekday, "start_time": "08:00", "end_time": "18:00"}
            api.call(admin, "POST", f"/clinicians/{clinician.staff_id}/availability", hours, 201)
        api.call(admin, "POST", f"/staff/{clinician.staff_id}/pay-rates", {"rate": rate}, 201)
    steps = {step["key"]: step["done"] for step in api.call(admin, "GET", "/practice/setup")["items"]}
    assert [steps[key] for key in ("numbers", "staff", "services", "hours", "rates")] == [True] * 5

    # Four sessions of the week are held. Two notes are signed in time, one is left a draft, one is not written at all.
    starts = {"signed": THURSDAY, "draft": THURSDAY + 2 * HOUR, "forgotten": THURSDAY + DAY}
    visits = {name: api.book(admin, robin, starts_at, "TALK") for name, starts_at in starts.items()}
    visits["kims"] = api.book(admin, kim, THURSDAY, "TALK")
    for name, starts_at in ({"kims": THURSDAY} | starts).items():
        api.hold(kim if name == "kims" else robin, visits[name], starts_at)
    api.now = SUNDAY
    notes = {name: api.write_note(robin, visits[name]) for name in ("signed", "draft")}
    api.sign_note(robin, notes["signed"])
    api.sign_note(kim, api.write_note(kim, visits["kims"]))

    # Before the cut-off the admin sees who would be paid, and what is on standby; nothing can be closed yet.
    preview = api.call(admin, "GET", f"/pay/periods/{WEEK}")
    regular = {("regular", visits["signed"], "60.50", None), ("regular", visits["kims"], "80.00", None)}
    assert list_lines(preview["lines"]) == regular
    standby = {("standby", visits[name], "60.50", None) for name in ("draft", "forgotten")}
    assert list_lines(preview["standby"]) == standby
    assert {line["staff_name"] for line in preview["lines"]} == {"Robin Birch", "Kim Cedar"}
    assert (preview["status"], preview["total"], preview["problems"]) == ("OPEN", "140.50", [])
    assert api.refuse(admin, "POST", f"/pay/periods/{WEEK}/close") == "CUT_OFF_AHEAD"

    # After the cut-off the open note is locked, and the admin closes the week. Repeating it changes nothing.
    api.now = MONDAY
    signing = {"If_Match": f'"{notes["draft"]["version"]}"'}
    assert api.refuse(robin, "POST", f"/notes/{notes['draft']['id']}/sign", **signing) == "NOTE_LOCKED"
    closed = api.call(admin, "POST", f"/pay/periods/{WEEK}/close")
    assert list_lines(closed["lines"]) == regular
    assert list_lines(closed["standby"]) == standby
    assert api.call(admin, "POST", f"/pay/periods/{WEEK}/close") == closed
    stored = api.load_lines(WEEK)
    assert stored == {
        ("regular", visits["signed"], 6050, None),
        ("regular", visits["kims"], 8000, None),
        ("standby", visits["draft"], 6050, None),
        ("standby", visits["forgotten"], 6050, None),
    }
    (period,) = api.call(admin, "GET", "/pay/periods")["items"]
    assert period["closed_by_person"] == {"kind": "staff", "id": str(admin.staff_id), "name": "Ada Admin"}

    # The admin unlocks one session, which is signed late. A raise from the week on, and a session that never took
    # place, correct what was paid.
    api.now = MONDAY + DAY
    override = {"reason": "Was ill over the weekend", "hours": 24}
    path = f"/compliance/session-completion/{visits['draft']}"
    overridden = api.call(admin, "POST", f"{path}/supervisor-override", override)
    assert (overridden["isLocked"], overridden["supervisorOverrideByName"]) == (False, "Ada Admin")
    api.sign_note(robin, notes["draft"])
    raised = {"rate": "70.00", "effective_on": f"{WEEK}"}
    api.call(admin, "POST", f"/staff/{robin.staff_id}/pay-rates", raised, 201)
    reversal = {"reason": "The client was not there"}
    api.call(admin, "POST", f"/compliance/session-completion/{visits['kims']}/reverse", reversal, 204)

    # The next week pays the late one and the corrections; the closed week stays as it was paid.
    api.now = NEXT_MONDAY
    late = {
        ("late", visits["draft"], "70.00", None),
        ("adjustment", visits["signed"], "9.50", "RATE_CHANGED"),
        ("adjustment", visits["kims"], "-80.00", "VOIDED"),
    }
    next_week = api.call(admin, "POST", f"/pay/periods/{NEXT_WEEK}/close")
    assert list_lines(next_week["lines"]) == late
    assert list_lines(next_week["standby"]) == {("standby", visits["forgotten"], "70.00", None)}
    assert next_week["total"] == "-0.50"
    assert api.load_lines(WEEK) == stored
    assert api.call(admin, "GET", f"/pay/periods/{WEEK}") == closed

    # Statements: the same figures as JSON, CSV and PDF, for the admin and the biller.
    totals = {"regular": "0.00", "late": "70.00", "adjustments": "9.50", "standby": "70.00", "total": "79.50"}
    statement = api.read_statement(admin, NEXT_WEEK, robin)
    assert {name: statement[name] for name in totals} == totals
    path = f"/pay/periods/{NEXT_WEEK}/statements/{robin.staff_id}"
    rows = api.read_csv(admin, f"{path}.csv")
    assert [(row["kind"], row["amount"], row["reason"]) for row in rows] == [
        ("late", "70.00", ""),
        ("adjustment", "9.50", "rate changed"),
        ("standby", "70.00", ""),
    ]
    printed = api.read_pdf(admin, f"{path}.pdf")
    for text in ("Pay statement", "Elm Street Therapy", "Robin Birch", "Late sessions 70.00", "Total 79.50"):
        assert text in printed
    exported = api.read_csv(biller, f"/pay/periods/{NEXT_WEEK}/export")
    assert {(row["name"], row["kind"], row["amount"]) for row in exported} == {
        ("Robin Birch", "late", "70.00"),
        ("Robin Birch", "adjustment", "9.50"),
        ("Robin Birch", "standby", "70.00"),
        ("Kim Cedar", "adjustment", "-80.00"),
    }

    # A clinician sees their own pay and nobody else's, the front desk none, and none of it names a client.
    own = api.call(robin, "GET", f"/pay/periods/{NEXT_WEEK}")
    assert list_lines(own["lines"]) == {line for line in late if line[1] != visits["kims"]}
    assert own["total"] == "79.50"
    assert api.read_statement(robin, NEXT_WEEK, robin) == statement
    assert [item["name"] for item in api.call(robin, "GET", f"/pay/periods/{WEEK}/statements")["items"]] == [
        "Robin Birch"
    ]
    assert "Total 79.50" in api.read_pdf(robin, f"{path}.pdf")
    assert api.refuse(kim, "GET", path) == "NOT_FOUND"
    assert api.read_statement(kim, NEXT_WEEK, kim)["total"] == "-80.00"
    assert api.refuse(robin, "GET", f"/pay/periods/{WEEK}/export") == "FORBIDDEN"
    assert api.refuse(scheduler, "GET", f"/pay/periods/{WEEK}") == "FORBIDDEN"
    assert "Casey" not in printed + str(exported) + str(closed) + str(next_week)

    # The audit log tells who did what.
    for action, names in {
        "pay_period.closed": ["Ada Admin", "Ada Admin"],
        "session.unlocked": ["Ada Admin"],
        "session_completion.reversed": ["Ada Admin"],
        "pay_period.exported": ["Bo Ledger"],
    }.items():
        entries = api.call(admin, "GET", f"/audit?action={action}")["items"]
        assert [entry["person"]["name"] for entry in entries] == names
