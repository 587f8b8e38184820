"""The page of data quality as Streamlit draws it: what is wrong, its records, and the address."""

from typing import Any

import pytest

from dashboards import navigation
from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_client
from tests.support.drivers.pages import Pages

PATH = "/dashboards/data-quality"


@pytest.fixture(autouse=True)
def only_this_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with this page: the harness opens the first one that somebody has."""
    monkeypatch.setattr(navigation, "PAGES", [page for page in navigation.PAGES if page.path == "data-quality"])


@pytest.fixture
def incomplete(practice: PracticeFixture) -> Any:
    return make_client(practice, None, first_name="Canaria", phone=None)


def test_the_page_shows_what_is_wrong(open_as: Any, incomplete: Any) -> None:
    browser = open_as("admin").run()
    assert browser.list_calls() == ["GET /auth/me", f"GET {PATH}"]
    cards, needs, checks, records = browser.read_components()
    assert {card["label"]: card["value"] for card in cards}["Clients with incomplete demographics"] == "1"
    assert needs[-1]["does"] == "Show them"
    words = {row["name"]: row["count"]["word"] for row in checks["rows"]}
    assert words["Clients with incomplete demographics"] == "1 to mend"
    assert words["Charges without a visit"] == "None"
    assert len(records["rows"]) == sum(int(word.split()[0]) for word in words.values() if word != "None")
    browser.run(check="incomplete_demographics")
    (row,) = browser.read_components()[-1]["rows"]
    assert row["name"].startswith("Canaria")
    assert "Complete the record of the client." in browser.read_text()
    browser.app.toggle(key="hide_names").set_value(True)
    browser.run()
    assert "Canaria" not in browser.read_text()
    browser.run(check="no-such-check")
    assert len(browser.read_components()[-1]["rows"]) > 1


def test_files_have_the_records_of_the_page(pages: Pages, practice: PracticeFixture, incomplete: Any) -> None:
    answer = pages.sign_in(practice).get("/files/data-quality.csv?check=incomplete_demographics")
    head, row = answer.text.splitlines()
    assert head == "check,record_kind,label,client_name,staff_name,since_on,id"
    assert row == f"incomplete_demographics,client,,{row.split(',')[3]},,2025-06-02,{incomplete}"
    workbook = pages.sign_in(practice).get("/files/data-quality.xlsx")
    assert (workbook.status_code, workbook.content[:2]) == (200, b"PK")
