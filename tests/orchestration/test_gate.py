"""The gate of Dagster's page: whom it admits, for how long, and what it passes on."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI, Request, WebSocket
from fastapi.testclient import TestClient
from sqlalchemy import text
from starlette.websockets import WebSocketDisconnect

from orchestration.gate import COOKIE, Gate
from practice.security.dagster_tickets import TICKET_LIFETIME, issue_ticket
from practice.security.installation import Installation
from practice.security.models import AccountSession
from practice.security.work import Actor
from practice.store.ids import SYSTEM_TENANT
from tests.support.builders.people import NOW, make_platform_admin, make_practice, sign_in

HOST = "127.0.0.1:8001"
ORIGIN = f"http://{HOST}"
SOCKET = f"ws://{HOST}/dagster/graphql"
OTHER = "http://evil.example"


class Visitor(TestClient):
    """A browser in front of the gate, at a time that a test moves."""

    now = NOW


@pytest.fixture
def visitor(installation: Installation) -> Iterator[Visitor]:
    page = FastAPI()

    @page.api_route("/dagster/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
    def answer(path: str, request: Request) -> dict[str, str]:
        return {"path": path, "method": request.method}

    @page.websocket("/dagster/graphql")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        with suppress(WebSocketDisconnect):
            async for message in socket.iter_text():
                await socket.send_text(message)

    gate = Gate(page, installation.store, {HOST}, lambda: visitor.now)
    visitor = Visitor(gate, base_url=ORIGIN)
    with visitor:
        yield visitor


def ask_for_ticket(client: TestClient, installation: Installation) -> str:
    """Ask as a platform admin, over the API."""
    admin = make_platform_admin(installation)
    token = sign_in(installation, admin.account_id, SYSTEM_TENANT).access
    answer = client.post("/api/v1/dagster/tickets", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 201
    assert answer.json()["url"] == f"{installation.settings.dagster_url}/enter#{answer.json()['ticket']}"
    return answer.json()["ticket"]


def enter(visitor: Visitor, ticket: str) -> Any:
    return visitor.post("/dagster/enter", data={"ticket": ticket}, headers={"Origin": OTHER})


@pytest.fixture
def admitted(visitor: Visitor, client: TestClient, installation: Installation) -> Visitor:
    assert enter(visitor, ask_for_ticket(client, installation)).status_code == 200
    return visitor


def test_a_ticket_admits_once_and_within_its_time(
    visitor: Visitor, client: TestClient, installation: Installation
) -> None:
    assert visitor.get("/dagster/").status_code == 401
    assert visitor.get("/dagster/enter").status_code == 200
    ticket = ask_for_ticket(client, installation)
    answer = enter(visitor, ticket)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {"httponly", "samesite=strict", "path=/dagster"}
    assert ticket not in cookie
    assert visitor.get("/dagster/assets").json() == {"path": "assets", "method": "GET"}
    visitor.cookies.clear()
    assert enter(visitor, ticket).status_code == 401, "it was spent"
    late = ask_for_ticket(client, installation)
    visitor.now = NOW + TICKET_LIFETIME
    assert enter(visitor, late).status_code == 401
    assert enter(visitor, "A" * 43).status_code == 401
    assert visitor.post("/dagster/enter", content=b"ticket=" + b"A" * 2000).status_code == 413
    assert visitor.get("/dagster/", headers={"Cookie": f"{COOKIE}={ticket}"}).status_code == 401


def test_only_platform_admins_get_tickets(client: TestClient, installation: Installation) -> None:
    practice = make_practice(installation)
    headers = {"Authorization": f"Bearer {practice.token()}"}
    assert client.post("/api/v1/dagster/tickets", headers=headers).status_code == 403
    assert client.post("/api/v1/dagster/tickets").status_code == 401


ENDS = {
    "the session has ended": "update account_sessions set ended_at = now() where id = :session_id",
    "the account is disabled": "update accounts set disabled_at = now() where id = :account_id",
    "the account is no platform admin": "update accounts set platform_admin = false where id = :account_id",
    "nobody has used the session": "",
}


@pytest.mark.parametrize("end", ENDS)
def test_the_page_closes_with_the_session_that_asked_for_it(
    admitted: Visitor, installation: Installation, end: str
) -> None:
    assert admitted.get("/dagster/").status_code == 200
    (visit,) = admitted.app.visits.values()  # ty: ignore[unresolved-attribute]
    with installation.store.begin_system_session() as db:
        session = db.get_one(AccountSession, visit.session_id)
        if ENDS[end]:
            db.execute(text(ENDS[end]), {"session_id": session.id, "account_id": session.account_id})
        else:
            admitted.now = NOW + timedelta(minutes=16)
    assert admitted.get("/dagster/").status_code == 401
    assert admitted.app.visits == {}  # ty: ignore[unresolved-attribute]


def test_the_operator_has_an_hour(visitor: Visitor, installation: Installation) -> None:
    with installation.work(Actor(), NOW) as work:
        ticket = issue_ticket(work)
    assert enter(visitor, ticket).status_code == 200
    visitor.now = NOW + timedelta(minutes=59)
    assert visitor.get("/dagster/").status_code == 200
    visitor.now = NOW + timedelta(minutes=60)
    assert visitor.get("/dagster/").status_code == 401


REFUSED = {
    "another host": (421, "GET", "/dagster/", {"Host": "evil.example"}),
    "another host with the page's port": (421, "GET", "/dagster/", {"Host": "evil.example:8001"}),
    "another host at the entry": (421, "GET", "/dagster/enter", {"Host": "evil.example"}),
    "reading from another page": (403, "GET", "/dagster/", {"Origin": OTHER}),
    "a command from another page": (403, "POST", "/dagster/graphql", {"Origin": OTHER}),
    "a command from nowhere": (403, "POST", "/dagster/graphql", {}),
    "a command by GET": (405, "GET", "/dagster/graphql?query=mutation", {}),
    "a command by GET with a slash": (405, "GET", "/dagster/graphql/", {}),
    "a report of a materialization": (405, "POST", "/dagster/report_asset_materialization/x", {"Origin": ORIGIN}),
    "another method": (405, "DELETE", "/dagster/graphql", {"Origin": ORIGIN}),
    "another method at the entry": (405, "PUT", "/dagster/enter", {}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_that_the_page_does_not_send_is_refused(admitted: Visitor, case: str) -> None:
    status, method, path, headers = REFUSED[case]
    assert admitted.request(method, path, headers=headers).status_code == status


def test_what_the_page_sends_is_passed_on(admitted: Visitor) -> None:
    sent = admitted.post("/dagster/graphql", json={}, headers={"Origin": ORIGIN})
    assert sent.json() == {"path": "graphql", "method": "POST"}
    with admitted.websocket_connect(SOCKET, headers={"Origin": ORIGIN}) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"


@pytest.mark.parametrize(
    ("url", "origin"), [("ws://127.0.0.1:8001", OTHER), ("ws://127.0.0.1:8001", ""), ("ws://evil.example:8001", ORIGIN)]
)
def test_an_open_connection_from_elsewhere_is_refused(admitted: Visitor, url: str, origin: str) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        admitted.websocket_connect(f"{url}/dagster/graphql", headers={"Origin": origin}),
    ):
        pass


def test_an_open_connection_ends_with_the_visit(admitted: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.gate.CHECK_SECONDS", 0.05)
    with admitted.websocket_connect(SOCKET, headers={"Origin": ORIGIN}) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"
        admitted.now = NOW + timedelta(minutes=16)
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()
