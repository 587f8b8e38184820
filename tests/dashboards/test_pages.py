"""The pages as Streamlit draws them, over the service in this process: what they show, to whom, and what they do."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from practice.dashboards.payroll import describe_week
from tests.support.builders.people import NOW, PracticeFixture
from tests.support.builders.published import add_measured_sessions, publish_metrics
from tests.support.builders.sessions import SessionBuilder, write_note
from tests.support.drivers.pages import Pages

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def sessions(practice: PracticeFixture) -> SessionBuilder:
    """Publish the metrics of a supervised clinician with two unsigned sessions, a missed one and one to come."""
    builder = add_measured_sessions(practice, practice.add("clinician", supervisor=practice.add("supervisor")))
    builder.add_session(NOW + HOUR, status="CONFIRMED")
    publish_metrics(practice)
    return builder


def test_a_clinician_sees_figures_visits_and_what_needs_them(open_as: Any, sessions: SessionBuilder) -> None:
    browser = open_as("clinician").run()
    assert browser.list_calls() == ["GET /auth/me", "GET /dashboards/my-practice"]
    cards, visits, notes, needs, goals, requests, week = browser.read_components()
    shown = {card["key"]: card["value"] for card in cards}
    assert (shown["notes_to_sign"], shown["kept_visit_rate"]) == ("2", "66.67 %")
    assert [visit["state"]["word"] for visit in visits["rows"]] == ["Confirmed"]
    assert len(notes["rows"]) == 2
    assert (goals["rows"], requests["rows"]) == ([], [])
    assert needs[0]["what"] == "2 notes wait for your signature"
    assert [(day["today"], len(day["items"])) for day in week["columns"]] == [
        *((False, count) for count in (0, 1, 1)),
        (True, 1),
        *((False, 0) for _ in range(3)),
    ]
    assert browser.run(week="2026-03-23").read_components()[-1]["columns"][0]["title"] == "Sunday, March 22"
    assert "Kept visits are at 66.67 %" in browser.read_text()
    browser.run()
    assert browser.list_calls() == ["GET /dashboards/my-practice"]  # who is signed in is asked twice a minute at most


def test_a_reviewed_clinician_submits_drafts_and_sees_which_are_in_review(
    open_as: Any, sessions: SessionBuilder, practice: PracticeFixture
) -> None:
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(text("update staff set license_type = 'LMSW' where id = :id"), {"id": sessions.clinician.staff_id})
        query = text("select id from appointments where clinician_id = :id and status = 'COMPLETED' order by starts_at")
        held = list(db.scalars(query, {"id": sessions.clinician.staff_id}))
    write_note(practice, sessions.clinician, held[-1])
    browser = open_as("clinician").run()
    assert browser.read_components()[2]["rows"][-1]["state"]["word"] == "Draft"
    button = browser.app.button(key="sign-all")
    assert button.label == "Submit the draft"
    button.click()
    browser.run()
    cards, _, notes, needs, *_ = browser.read_components()
    assert [row["state"]["word"] for row in notes["rows"]].count("In review") == 1
    assert {card["key"]: card["value"] for card in cards}["notes_to_sign"] == "1"
    assert needs[0]["what"] == "1 note waits for your signature"
    assert "sign-all" not in [button.key for button in browser.app.button]


def test_names_of_clients_can_be_hidden(open_as: Any, sessions: SessionBuilder, practice: PracticeFixture) -> None:
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(text("update clients set first_name = 'Canaria', last_name = 'Featherstone'"))
    browser = open_as("clinician").run()
    assert "Canaria Featherstone" in browser.read_text()
    browser.app.toggle(key="hide_names").set_value(True)
    browser.run()
    assert "Canaria" not in browser.read_text()
    assert "C. F." in browser.read_text()
    other_tab = open_as("clinician")
    other_tab.session = browser.session
    assert "Canaria" not in other_tab.run().read_text()  # on every page of this browser, until it is switched back


def test_the_period_is_kept_in_the_address(open_as: Any, sessions: SessionBuilder) -> None:
    browser = open_as("admin").run(period="week", day="2026-03-04")
    assert "March 1 to 7, 2026" in browser.read_text()
    for query in ({"period": "century"}, {"day": "2026-13-44"}, {"day": "9999-12-31"}):
        browser = open_as("admin").run(**query)
        assert "March 2026" in browser.read_text()


def test_the_schedule_is_one_call_whatever_the_address_says(
    open_as: Any, sessions: SessionBuilder, practice: PracticeFixture
) -> None:
    browser = open_as("scheduler").run()
    assert browser.list_calls() == ["GET /auth/me", "GET /dashboards/schedule"]
    cards, day, visits = browser.read_components()
    shown = {card["label"]: card["value"] for card in cards}
    assert (shown["Check-ins today"], shown["Waiting now"], shown["Rooms in use now"]) == ("0 of 1", "0", "0 of 0")
    assert [item["state"]["word"] for item in day["columns"][0]["items"]] == ["Confirmed"]
    assert len(visits["rows"]) == 1
    who = str(sessions.clinician.staff_id)
    week = browser.run(view="week", of=who, day="2026-03-10").read_components()[-1]
    assert browser.list_calls() == ["GET /dashboards/schedule"]
    assert [column["title"] for column in week["columns"]][::6] == ["Sunday, March 8", "Saturday, March 14"]
    browser.app.segmented_control(key="schedule-view").set_value("day")
    assert "Tuesday, March 10, 2026" in browser.run().read_text()
    for query in ({"view": "decade"}, {"day": "9999-12-31"}, {"of": "somebody"}, {"by": "planet"}):
        assert "Wednesday, March 18, 2026, today" in open_as("scheduler").run(**query).read_text()


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("admin", ["/dashboards/overview", "Practice overview"]),
        ("supervisor", ["/dashboards/team", "My team"]),
        ("scheduler", ["/dashboards/schedule", "Schedule"]),
        ("biller", ["/dashboards/payroll", "Payroll"]),
        ("analyst", ["/auth/sessions", "My account"]),
    ],
)
def test_each_role_begins_with_its_own_page(
    open_as: Any, sessions: SessionBuilder, role: str, expected: list[str]
) -> None:
    path, title = expected
    browser = open_as(role).run()
    assert browser.list_calls() == ["GET /auth/me", f"GET {path}"]
    assert f"<h1>{title}</h1>" in browser.read_text()


def test_names_cannot_change_the_page(open_as: Any, sessions: SessionBuilder, practice: PracticeFixture) -> None:
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(
            text("update staff set first_name = '<script>alert(1)</script>', last_name = '![x](https://x.example)'")
        )
    for role in ("admin", "clinician"):
        said = open_as(role).run().read_text()
        html = "\n".join(line for line in said.splitlines() if "<div" in line)
        assert "<script>" not in html
        assert "&lt;script&gt;" in html


def test_an_ended_session_shows_nothing(open_as: Any, sessions: SessionBuilder, pages: Pages) -> None:
    browser = open_as("clinician").run()
    pages.sessions.end(browser.session, "out")
    browser.run()
    assert (browser.list_calls(), browser.read_components()) == ([], [])
    assert "Your session has ended" in browser.read_text()


def test_another_persons_view_is_not_taken_over(open_as: Any, sessions: SessionBuilder) -> None:
    first = open_as("clinician").run()
    first.app.session_state["typed"] = "Slept badly"
    first.run()
    second = open_as("admin")
    second.app = first.app  # who knows the id of a view of Streamlit can connect to it
    second.run()
    assert "typed" not in second.app.session_state
    assert "There is no such page for you." in second.read_text()  # the view was of a page that an admin does not have


def test_an_api_that_is_away_is_said_on_the_page(
    open_as: Any, sessions: SessionBuilder, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = open_as("clinician").run()

    def fail(*_: Any, **__: Any) -> None:
        import httpx2

        raise httpx2.ReadTimeout("slow")

    with monkeypatch.context() as away:
        away.setattr(pages.client, "request", fail)
        browser.run()
        assert "cannot be reached now" in browser.read_text()
    browser.run()
    assert "cannot be reached now" not in browser.read_text()


def test_who_cannot_close_a_week_is_told_who_can(open_as: Any) -> None:
    browser = open_as("biller").run()
    assert "An admin closes the week." in browser.read_text()
    assert [button.label for button in browser.app.button if "Close" in button.label] == []


def test_a_week_that_was_paid_elsewhere_pays_nothing_here() -> None:
    week: Any = SimpleNamespace(status="PAID_ELSEWHERE")
    assert describe_week(week) == ["This week is before the first one that was closed here: it was paid elsewhere."]
