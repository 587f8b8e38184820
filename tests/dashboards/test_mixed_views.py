"""Many people of two practices in one process of the pages: nobody sees a name, figure or id of another's scope.

`CASELOAD_LONG=1` makes it 1,000 page views.
"""

import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dashboards.gate import COOKIE
from dashboards.navigation import list_pages
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.sessions import SessionBuilder
from tests.support.drivers.browser import run_pages
from tests.support.drivers.server import Server, find_free_port, run_server
from tests.support.drivers.views import View, open_session, open_view

VIEWS = 1000 if os.environ.get("CASELOAD_LONG") else 144
ROLES = ("admin", "supervisor", "first", "second", "scheduler", "biller")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FAULTY = "tests.support.drivers.faulty_pages"


@dataclass
class Seer:
    """Somebody with an open view, the words that it may never show, and those that it should have shown."""

    person: Person
    cookie: str
    forbidden: list[bytes]
    expected: set[bytes]
    pages: list[str]
    seen: set[bytes] = field(default_factory=set)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="module")
def seen_by_people(server: Server) -> list[tuple[PracticeFixture, dict[str, Person], dict[str, list[str]]]]:
    """Make two practices of six people each. Everybody's and every client's name is a word of its own."""
    practices = []
    for place in "XY":
        practice = server.create_practice()
        supervisor = practice.add("supervisor")
        people = {
            "admin": practice.admin,
            "supervisor": supervisor,
            "first": practice.add("clinician", supervisor=supervisor),
            "second": practice.add("clinician", supervisor=practice.add("supervisor")),
            "scheduler": practice.add("scheduler"),
            "biller": practice.add("biller"),
        }
        words: dict[str, list[str]] = {}
        for role in ("first", "second"):
            builder = SessionBuilder(practice, people[role])
            for start in (datetime.now(UTC) - 3 * DAY, datetime.now(UTC) - HOUR):
                builder.add_session(start)
            words[role] = [
                f"Canary{place}{role}",
                f"Client{place}{role}",
                str(builder.client),
                str(people[role].staff_id),
            ]
            with practice.installation.store.begin_session(practice.id) as db:
                for table, column, word in (
                    ("staff", people[role].staff_id, words[role][0]),
                    ("clients", builder.client, words[role][1]),
                ):
                    db.execute(
                        text(f"update {table} set last_name = :word where id = :id"), {"word": word, "id": column}
                    )
        practices.append((practice, people, words))
    return practices


def list_seers(server: Server, folder: Path, practices: Any) -> list[Seer]:
    """Return everybody with a session, what they may not see and what they see."""
    seers = []
    for practice, people, words in practices:
        foreign = [
            word for other, _, theirs in practices if other is not practice for each in theirs.values() for word in each
        ]
        foreign += [str(other.id) for other, _, _ in practices if other is not practice]
        for role in ROLES:
            person = people[role]
            hidden = {"supervisor": words["second"], "first": words["second"], "second": words["first"]}.get(role, [])
            own = {
                "supervisor": words["first"][:2],
                "first": words["first"][1:2],
                "second": words["second"][1:2],
                "biller": [],
            }
            expected = own.get(role, [words["first"][0], words["second"][0]])
            seers.append(
                Seer(
                    person,
                    open_session(server, folder, practice, person),
                    [word.encode() for word in [*foreign, *hidden]],
                    {word.encode() for word in expected},
                    [page.path for page in list_pages(set(person.roles))],
                )
            )
    return seers


def look(seer: Seer, view: View, page: str) -> list[str]:
    """Run a page, and return the words in it that are not for this person."""
    content = view.run(page)
    seer.seen |= {word for word in seer.expected if word in content}
    return [f"{seer.person.roles} {page}: {word.decode()}" for word in seer.forbidden if word in content]


def look_at_random(url: str, seers: list[Seer], count: int, seed: int) -> list[str]:
    """Let everybody look at their pages in a random order, several at the same time, and return what leaked."""
    chance = random.Random(seed)  # noqa: S311
    with ExitStack() as stack:
        views = [(seer, stack.enter_context(open_view(url, seer.cookie))) for seer in seers]
        orders = [[chance.choice(seer.pages) for _ in range(count // len(seers))] for seer in seers]
        for seer, order in zip(seers, orders, strict=True):
            order[: len(seer.pages)] = seer.pages
        with ThreadPoolExecutor(len(views)) as pool:
            tasks = [
                pool.submit(
                    lambda seer=seer, view=view, order=order: [
                        leak for page in order for leak in look(seer, view, page)
                    ]
                )
                for (seer, view), order in zip(views, orders, strict=True)
            ]
            return [leak for task in tasks for leak in task.result()]


def test_nobody_sees_a_word_of_another_scope(server: Server, seen_by_people: Any, tmp_path: Path) -> None:
    with run_pages(server, tmp_path) as url:
        seers = list_seers(server, tmp_path, seen_by_people)
        assert look_at_random(url, seers, VIEWS, seed=1) == []
        assert [(seer.person.roles, seer.expected - seer.seen) for seer in seers if seer.expected - seer.seen] == []


def test_a_shared_cache_is_found(server: Server, seen_by_people: Any, tmp_path: Path) -> None:
    with run_pages(server, tmp_path, f"{FAULTY} shared-cache") as url:
        seers = list_seers(server, tmp_path, seen_by_people)
        assert look_at_random(url, seers, 60, seed=1) != []


def test_the_id_of_a_view_is_of_no_use_to_others(server: Server, seen_by_people: Any, tmp_path: Path) -> None:
    with run_pages(server, tmp_path) as url:
        first, second = [
            seer for seer in list_seers(server, tmp_path, seen_by_people) if "clinician" in seer.person.roles
        ][:2]
        with open_view(url, first.cookie) as view:
            assert look(first, view, "my-practice") == []
            streamlit_id = view.streamlit_id
        assert streamlit_id
        with open_view(url, second.cookie, streamlit_id=streamlit_id) as view:
            assert look(second, view, "my-practice") == []
            assert view.streamlit_id != streamlit_id
        with pytest.raises(InvalidStatus), open_view(url, None, streamlit_id=streamlit_id):
            pass


def list_origins(url: str) -> list[str]:
    port = url.rsplit(":", 1)[1]
    return [f"http://127.0.0.1:{find_free_port()}", f"http://localhost:{port}", "https://evil.example", "null"]


def is_admitted(url: str, cookie: str | None, origin: str) -> bool:
    try:
        with open_view(url, cookie, origin=origin) as view:
            view.run("")
        return True
    except (InvalidStatus, ConnectionClosed):
        return False


def test_only_the_own_origin_opens_a_view(server: Server, seen_by_people: Any, tmp_path: Path) -> None:
    with run_pages(server, tmp_path) as url:
        cookie = list_seers(server, tmp_path, seen_by_people)[0].cookie
        assert [origin for origin in ["", *list_origins(url)] if is_admitted(url, cookie, origin)] == []
        assert is_admitted(url, cookie, url)


def test_without_the_gate_streamlit_lets_others_in(server: Server, seen_by_people: Any, tmp_path: Path) -> None:
    with run_pages(server, tmp_path, f"{FAULTY} no-gate") as url:
        cookie = list_seers(server, tmp_path, seen_by_people)[0].cookie
        admitted = [origin for origin in list_origins(url) if is_admitted(url, cookie, origin)]
        assert admitted
        assert is_admitted(url, None, url)


def test_no_address_is_logged(server: Server, seen_by_people: Any, tmp_path: Path) -> None:
    with run_pages(server, tmp_path) as url:
        seer = list_seers(server, tmp_path, seen_by_people)[0]
        with open_view(url, seer.cookie) as view:
            view.run(seer.pages[0], person="CANARYID")
        cookies = {COOKIE: seer.cookie}
        httpx2.get(f"{url}/files/rows.csv?start=CANARYSTART&metric=kept_visit_rate", cookies=cookies, timeout=30)
        httpx2.get(f"{url}/client?id=CANARYCLIENT", cookies=cookies, timeout=30)
    assert "CANARY" not in (tmp_path / "pages-output").read_text()
