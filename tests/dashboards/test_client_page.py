"""The page of a client as Streamlit draws it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from dashboards import navigation
from dashboards.views import client
from tests.support.builders.people import NOW, PracticeFixture
from tests.support.builders.schedule import make_client
from tests.support.builders.sessions import SessionBuilder, write_note

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def sessions(practice: PracticeFixture) -> SessionBuilder:
    builder = SessionBuilder(practice, practice.add("clinician", supervisor=practice.add("supervisor")))
    write_note(practice, builder.clinician, builder.add_session(NOW - 2 * HOUR))
    builder.add_session(NOW + DAY, status="CONFIRMED", status_at=None)
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(text("update clients set first_name = 'Canaria', last_name = 'Featherstone'"))
    return builder


@pytest.fixture
def open_client(open_as: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that opens the page as a role; the harness opens the first page of the navigation only."""
    pages = {entry.path: entry for entry in navigation.PAGES}
    monkeypatch.setattr(navigation, "PAGES", (replace(pages["client"], is_listed=True), pages["note"]))
    return lambda role, **query: open_as(role).run(**query)


def test_a_clinician_sees_visits_notes_and_what_is_due(open_client: Any, sessions: SessionBuilder) -> None:
    page = open_client("clinician", id=str(sessions.client))
    assert page.list_calls() == ["GET /auth/me", "GET /dashboards/client"]
    visits, notes, reports, needs, facts, consents = page.read_components()
    assert [visit["state"]["word"] for visit in visits["rows"]] == ["Confirmed", "Completed"]
    assert [note["state"]["word"] for note in notes["rows"]] == ["Draft"]
    assert (visits["opens"], notes["opens"], reports["rows"]) == (True, True, [])
    assert [need["what"] for need in needs] == ["1 note to sign", "There is no treatment plan"]
    assert {"id": "Treatment plan", "name": "Treatment plan", "value": "there is none"} in facts["rows"]
    assert {consent["state"]["word"] for consent in consents["rows"]} == {"Signed"}
    assert "<h1>Canaria Featherstone</h1>" in page.read_text()


def test_the_name_can_be_hidden(open_client: Any, sessions: SessionBuilder) -> None:
    page = open_client("clinician", id=str(sessions.client))
    page.app.toggle(key="hide_names").set_value(True)
    page.run()
    assert "Canaria" not in page.read_text()
    assert "<h1>C. F.</h1>" in page.read_text()


def test_an_admin_is_told_that_the_chart_is_read_for_a_reason(open_client: Any, sessions: SessionBuilder) -> None:
    page = open_client("admin", id=str(sessions.client))
    assert "for a stated reason only" in page.read_text()
    visits, notes, *_ = page.read_components()
    assert (visits["opens"], notes["rows"]) == (False, [])
    assert "No notes." not in page.read_text()
    assert "No reports." not in page.read_text()


def test_a_client_of_somebody_else_is_refused_in_words(
    open_client: Any, sessions: SessionBuilder, practice: PracticeFixture
) -> None:
    other = make_client(practice, practice.add("clinician"))
    practice.people["clinician"] = sessions.clinician
    page = open_client("clinician", id=str(other))
    assert "does not exist, or you may not see it" in page.read_text()
    assert "Open a client from a visit" in open_client("clinician").read_text()


def test_a_long_history_says_that_it_is_cut(
    open_client: Any, sessions: SessionBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what lies ahead has not happened."""
    ahead = datetime.now(UTC) + 9 * DAY
    sessions.add_session(ahead, status="SCHEDULED", status_at=None)
    page = open_client("clinician", id=str(sessions.client))
    page.app.button(key="history").click()
    events = page.run().read_components()[-1]["rows"]
    assert events
    assert "are not shown" not in page.read_text()
    assert f"{ahead:%B} {ahead.day}, " not in events[0]["when"]
    monkeypatch.setattr(client, "MAX_EVENTS", 2)
    page.app.button(key="history").click()
    assert "The latest 2 until today. Earlier ones are not shown." in page.run().read_text()
