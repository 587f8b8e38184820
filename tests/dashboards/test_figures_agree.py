"""Every figure of every page, for every role: equal to the published value, to its rows, and to both files of rows.

The practices are generated ones and the sample practice; `CASELOAD_LONG=1` adds the golden ones and further periods.
"""

import csv
import io
import os
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from ingest.synthetic import Size, generate
from practice.analytics.values import Selection, list_values
from practice.people.models.practices import Staff
from practice.security.installation import Installation
from tests.support.builders.bundles import import_practice, load_sample_rows, make_unique, write_folder
from tests.support.builders.people import NOW, Person, PracticeFixture, accept_membership
from tests.support.builders.published import publish_metrics
from tests.support.drivers.http import V1, assert_ok, auth_headers
from tests.support.drivers.pages import Pages

GOLDEN = Path(os.environ.get("CASELOAD_GOLDEN", "nowhere"))
LONG = bool(os.environ.get("CASELOAD_LONG"))
PRACTICES = ["generated", "alone", "sample", *(["a", "b"] if LONG and GOLDEN.exists() else [])]
PERIODS = [("month", 0), ("week", 7), ("quarter", 60)] if LONG else [("month", 20)]
PAGES = {"admin": "overview", "supervisor": "team", "clinician": "my-practice"}
MANY = 100_000
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def import_named(installation: Installation, folder: Path, name: str) -> Any:
    """Import a practice under a name of its own."""
    if name == "sample":
        return import_practice(installation, write_folder(folder, make_unique(load_sample_rows()))).practice
    if name in ("a", "b"):
        return import_practice(installation, GOLDEN / f"practice_{name}").practice
    size = (
        Size("Maple", "America/Chicago", 3, 60, 5) if name == "generated" else Size("Alone", "Asia/Kathmandu", 1, 12, 4)
    )
    generate(folder, size, 11, NOW)
    return import_practice(installation, folder).practice


def add_people(installation: Installation, tenant_id: Any) -> PracticeFixture:
    """Return the practice with one signed-up person of each role of a page, the one with most to see."""
    with installation.store.begin_session(tenant_id) as db:
        staff = db.scalars(select(Staff).where(Staff.tenant_id == tenant_id, Staff.left_on.is_(None))).all()
    people = {}
    for role in PAGES:
        found = [person for person in staff if role in person.roles and person.deactivated_at is None]
        if found:
            led = [len([other for other in staff if other.supervisor_id == person.id]) for person in found]
            chosen = found[led.index(max(led))] if role == "supervisor" else found[0]
            people[role] = Person(chosen.account_id, chosen.id, chosen.email, list(chosen.roles))
            accept_membership(installation, chosen.account_id, tenant_id)
    return PracticeFixture(installation, tenant_id, people["admin"], people)


@pytest.fixture(params=PRACTICES)
def practice(own_installation: Installation, tmp_path: Path, request: pytest.FixtureRequest) -> PracticeFixture:
    folder = tmp_path / "bundle"
    folder.mkdir()
    fixture = add_people(own_installation, import_named(own_installation, folder, request.param).id)
    publish_metrics(fixture)
    return fixture


@pytest.fixture
def own_pages(own_client: Any, pages: Pages) -> Pages:
    return pages


def find_figures(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every figure in an answer."""
    if isinstance(part, dict):
        if {"key", "shown", "rows"} <= part.keys():
            yield part
        for value in part.values():
            yield from find_figures(value)
    elif isinstance(part, list):
        for value in part:
            yield from find_figures(value)


def load_published(practice: PracticeFixture, kind: str, figure: dict[str, Any], query: dict[str, str]) -> Any:
    """Return the published value as `caseload metrics` reads it, or None."""
    start, entity = query["start"], query.get("entity_id", str(practice.id))
    with practice.work() as work:
        _, values = list_values(work, Selection(frozenset([figure["key"]]), kind, None, None, query["entity_kind"]))
    found = [value for value in values if (str(value.period_start), str(value.entity_id)) == (start, entity)]
    return found[0] if found else None


def read_csv(content: bytes) -> list[tuple[str, str]]:
    return [(row["numerator"], row["denominator"]) for row in csv.DictReader(io.StringIO(content.decode()))]


def read_workbook(content: bytes) -> list[tuple[str, str]]:
    """Return numerators and denominators of a workbook's rows."""
    with ZipFile(io.BytesIO(content)) as archive:
        shared = ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))  # noqa: S314 -- a file of our own
        texts = [item.findtext(f"{SHEET}t") or "" for item in shared]
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314 -- a file of our own
    rows = []
    for row in sheet.iter(f"{SHEET}row"):
        cells = {}
        for cell in row:
            value = cell.findtext(f"{SHEET}v") or ""
            column = cell.attrib["r"].rstrip("0123456789")
            cells[column] = texts[int(value)] if cell.attrib.get("t") == "s" else value
        rows.append(cells)
    columns = {title: column for column, title in rows[0].items()}
    return [(row.get(columns["numerator"], ""), row.get(columns["denominator"], "")) for row in rows[1:]]


def add_up(values: list[tuple[str, str]], place: int) -> Fraction:
    return sum((Fraction(pair[place] or 0) for pair in values), Fraction(0))


def test_every_figure_of_every_page_is_true(own_client: Any, practice: PracticeFixture, own_pages: Pages) -> None:
    seen, with_rows = 0, 0
    for role, name in PAGES.items():
        if role not in practice.people:
            continue
        person = practice.people[role]
        browser = own_pages.sign_in(practice, person)
        for kind, days in PERIODS:
            day = (NOW - timedelta(days=days)).date()
            query = {"period": kind, "day": str(day)}
            page = assert_ok(
                own_client.get(f"{V1}/dashboards/{name}", params=query, headers=auth_headers(practice, person))
            )
            figures = list(find_figures(page))
            assert figures, name
            for figure in figures:
                seen += 1
                with_rows += check_figure(own_client, practice, person, kind, figure, browser)
            check_totals(page)
    assert seen > 40
    assert with_rows > 10


def check_figure(
    client: Any, practice: PracticeFixture, person: Person, kind: str, figure: dict[str, Any], browser: Any
) -> bool:
    """Compare a figure with the published value, its rows and its files; return whether it has rows."""
    parts = urlsplit(figure["rows"])
    query = dict(parse_qsl(parts.query))
    published = load_published(practice, kind, figure, query)
    answer = client.get(f"{V1}{parts.path}", params={**query, "limit": 1000}, headers=auth_headers(practice, person))
    if published is None:
        assert (figure["value"], figure["numerator"], figure["shown"]) == (None, 0, "–"), figure["key"]
        assert answer.status_code in (200, 404)
        return False
    assert (None if figure["value"] is None else Decimal(figure["value"])) == published.value, figure["key"]
    assert Fraction(figure["numerator"]).limit_denominator(MANY) == published.numerator
    assert figure["status"] == published.status
    rows = assert_ok(answer)
    sums = [(str(row["numerator"]), str(row["denominator"] or 0)) for row in rows["items"]]
    assert rows["count"] == len(sums)
    assert round(float(add_up(sums, 0)), 6) == round(float(published.numerator), 6), figure["key"]
    assert round(float(add_up(sums, 1)), 6) == round(float(published.denominator or 0), 6), figure["key"]
    if rows["items"] and LONG | (figure["key"] in ("kept_visit_rate", "same_day_documentation_rate", "days_in_ar")):
        metric = parts.path.split("/")[2]
        files = {
            kind: browser.get(f"/files/rows.{kind}", params={"metric": metric, **query}) for kind in ("csv", "xlsx")
        }
        assert {file.status_code for file in files.values()} == {200}
        for found in (read_csv(files["csv"].content), read_workbook(files["xlsx"].content)):
            assert len(found) == rows["count"]
            assert round(float(add_up(found, 0)), 6) == round(float(published.numerator), 6)
            assert round(float(add_up(found, 1)), 6) == round(float(published.denominator or 0), 6)
    return bool(rows["items"])


def check_totals(page: dict[str, Any]) -> None:
    """Compare the totals of a page with each other: clinicians with the whole, what needs somebody with its records."""
    kept = next((figure for figure in page["figures"] if figure["key"] == "kept_visit_rate"), None)
    clinicians = [
        next(figure for figure in row["figures"] if figure["key"] == "kept_visit_rate")
        for row in page.get("clinicians", [])
    ]
    if kept and clinicians:
        assert sum(figure["numerator"] for figure in clinicians) <= kept["numerator"]
    for need in page["needs"]:
        if need["action"] in ("show_clients", "show_visits"):
            assert len(need["records"]) == min(need["count"], 100), need["key"]
    late = next((need for need in page["needs"] if need["key"] == "late_notes"), None)
    if late:
        assert late["count"] == sum(row["late"] for row in page["clinicians"])
