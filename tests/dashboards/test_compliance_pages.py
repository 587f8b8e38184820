"""The page of compliance as Streamlit draws it: whom it shows, filters of the address, reminders and mending."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from dashboards import files, navigation
from dashboards.views.compliance import read_filters
from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_client
from tests.support.drivers.pages import Browser, Pages

PATH = "/dashboards/compliance"


@pytest.fixture
def at_risk(practice: PracticeFixture) -> Any:
    """Add a client at high risk without a safety plan to a clinician with a supervisor."""
    clinician = practice.add("clinician", supervisor=practice.add("supervisor"))
    return make_client(practice, clinician, first_name="Canaria", high_risk_since=date(2026, 2, 1))


@pytest.fixture(autouse=True)
def only_this_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with this page: the harness opens the first one that somebody has."""
    monkeypatch.setattr(navigation, "PAGES", [page for page in navigation.PAGES if page.path == "compliance"])


def load(practice: PracticeFixture, statement: str) -> list[Any]:
    with practice.installation.store.begin_session(practice.id) as db:
        return [tuple(row) for row in db.execute(text(statement))]


def read_page(browser: Browser) -> tuple[Any, ...]:
    """Return the cards, the needs, the checks and the people."""
    return tuple(browser.read_components())


@pytest.mark.parametrize("role", ["admin", "supervisor", "clinician"])
def test_the_page_shows_who_has_to_act(open_as: Any, at_risk: Any, role: str) -> None:
    browser = open_as(role).run()
    assert browser.list_calls() == ["GET /auth/me", f"GET {PATH}"]
    cards, needs, checks, people = read_page(browser)
    assert cards[0] == {"key": "late", "label": "Late", "value": "2", "opens": True, "badge": cards[0]["badge"]}
    assert [need["what"] for need in needs] == ["Safety plan: 1 late", "Treatment plan review: 1 late"]
    assert (needs[0]["does"] == "Remind") == (role != "clinician")
    assert checks["rows"][0]["late"]["word"] == "1 late"
    (row,) = [row for row in people["rows"] if row["below"] == "Safety plan"]
    assert (row["below"], row["state"]["word"], row["since"]) == ("Safety plan", "Late", "February 1, 2026 · 45 days")
    assert row["name"].startswith("Canaria")
    assert row["acts"].startswith("Robin Tester")
    assert "Late are Safety plan (1) and Treatment plan review (1)." in browser.read_text()


def test_filters_are_kept_in_the_address(open_as: Any, at_risk: Any) -> None:
    browser = open_as("admin").run(check="treatment_plan", state="late", clinician_id="me")
    *_, people = read_page(browser)
    assert [row["below"] for row in people["rows"]] == ["Treatment plan review"]
    browser = open_as("admin").run(check="no-such-check")
    assert len(read_page(browser)[-1]["rows"]) > 1
    assert read_filters({"check": "insurance", "state": "x", "clinician_id": "?", "day": "1"}) == {"check": "insurance"}


def test_names_of_clients_can_be_hidden(open_as: Any, at_risk: Any) -> None:
    browser = open_as("admin").run()
    browser.app.toggle(key="hide_names").set_value(True)
    browser.run()
    assert "Canaria" not in browser.read_text()


def test_files_have_the_rows_of_all_pages(
    pages: Pages, practice: PracticeFixture, at_risk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PAGE_ROWS", 2)
    answer = pages.sign_in(practice).get("/files/compliance.csv")
    assert [call[1] for call in pages.client.sent].count(PATH) > 1
    checks = [line.split(",")[0] for line in answer.text.splitlines()[1:]]
    assert set(checks[:2]) == {"safety_plan", "treatment_plan"}
    assert len(checks) == len(set(answer.text.splitlines()[1:])) > 3


def test_files_have_the_rows_of_the_page(pages: Pages, practice: PracticeFixture, at_risk: Any) -> None:
    answer = pages.sign_in(practice).get("/files/compliance.csv?check=safety_plan&state=late&secret=1")
    head, row = answer.text.splitlines()
    assert head.startswith("check,client_name,staff_name,clinician_name,state,since_on")
    assert row.startswith("safety_plan,Canaria Example")
    workbook = pages.sign_in(practice).get("/files/compliance.xlsx")
    assert (workbook.status_code, workbook.content[:2]) == (200, b"PK")
    assert pages.sign_in(practice).get("/files/other.csv").status_code == 404
    assert pages.sign_in(practice, practice.add("biller")).get("/files/compliance.csv").status_code == 403
