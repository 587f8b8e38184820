"""The gate in front of Dagster's page, which knows no sign-in and would accept commands from any web page.

It admits a visitor with a ticket, and passes on what a browser that shows the page sends, nothing else.
"""

import base64
import hashlib
from collections.abc import Callable, Collection
from datetime import datetime

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from practice.security.dagster_tickets import Visit, is_live, spend_ticket
from practice.security.tokens import generate_secret, hash_secret
from practice.store.store import Store

PREFIX = "/dagster"
ENTRY = f"{PREFIX}/enter"
COOKIE = "caseload_dagster"
CHECK_SECONDS = 15  # how often an open connection looks whether its visit goes on
MAX_FORM_BYTES = 1000
HOW_TO_ENTER = (
    "Ask for a new link: `caseload dagster`, or as a platform admin POST /api/v1/dagster/tickets. "
    "A link works once, within a minute, and the page stays open as long as the session that asked for it."
)
REFUSALS = {
    401: f"You are not admitted to this page. {HOW_TO_ENTER}",
    403: "This request comes from another web page. Use Dagster's own.",
    405: "This method is not allowed here.",
    421: "This page has another address. Use the one in the link.",
}
# The ticket is in the link's fragment, which no request contains, and is sent on in a form.
SCRIPT = """
const form = document.forms[0];
if (location.hash.length > 1) {
  form.ticket.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  form.submit();
}
"""
ENTRY_PAGE = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Dagster</title>
<form method="post" action="{ENTRY}"><label>Ticket <input name="ticket" type="password" autocomplete="off" required>
</label> <button>Enter</button></form><p>{HOW_TO_ENTER}</p><script>{SCRIPT}</script></html>"""
# Not a redirect: a browser that comes from another site would not send the cookie with that.
ADMITTED_PAGE = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Dagster</title>
<meta http-equiv="refresh" content="0; url={PREFIX}/"><p><a href="{PREFIX}/">Dagster</a></p></html>"""
SCRIPT_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; script-src 'sha256-{SCRIPT_HASH}'; form-action 'self'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Gate:
    """The ASGI application around that of the page. Visits are held in memory: after a restart one enters again."""

    def __init__(self, app: ASGIApp, store: Store, hosts: Collection[str], clock: Callable[[], datetime]) -> None:
        self.app, self.store, self.hosts, self.clock = app, store, hosts, clock
        self.origins = {f"http://{host}" for host in hosts}
        self.visits: dict[bytes, Visit] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if headers.getlist("host") not in [[host] for host in self.hosts]:
            await refuse(421, scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == ENTRY:
            await (await self.enter(Request(scope, receive)))(scope, receive, send)
        elif (visit := await run_in_threadpool(self.find_visit, headers)) is None:
            await refuse(401, scope, receive, send)
        elif (status := self.find_fault(scope, headers)) is not None:
            await refuse(status, scope, receive, send)
        elif scope["type"] == "websocket":
            await self.serve_while_live(visit, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def enter(self, request: Request) -> Response:
        """Show the form that takes a ticket, or exchange the ticket in it for a cookie."""
        if request.method == "GET":
            return HTMLResponse(ENTRY_PAGE, headers=HEADERS)
        if request.method != "POST":
            return PlainTextResponse(REFUSALS[405], 405)
        body = b""
        async for block in request.stream():
            body += block
            if len(body) > MAX_FORM_BYTES:
                return PlainTextResponse("The form is too large.", 413)
        name, _, ticket = body.decode("latin-1").partition("=")
        key = await run_in_threadpool(self.admit, ticket) if name == "ticket" else None
        if key is None:
            return HTMLResponse(ENTRY_PAGE, 401, headers=HEADERS)
        response = HTMLResponse(ADMITTED_PAGE, headers=HEADERS)
        response.set_cookie(COOKIE, key, path=PREFIX, httponly=True, samesite="strict")
        return response

    def admit(self, ticket: str) -> str | None:
        """Begin a visit and return the value of its cookie, or None if the ticket is not valid."""
        with self.store.begin_system_session() as db:
            visit = spend_ticket(db, ticket, self.clock())
        if visit is None:
            return None
        key, hashed = generate_secret()
        self.visits[hashed] = visit
        return key

    def find_visit(self, headers: Headers) -> Visit | None:
        """Return the visit of the cookie, if it goes on."""
        hashed = hash_secret(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))
        visit = self.visits.get(hashed)
        if visit is not None and not self.is_live(visit):
            del self.visits[hashed]
            return None
        return visit

    def is_live(self, visit: Visit) -> bool:
        with self.store.begin_system_session() as db:
            return is_live(db, visit, self.clock())

    def find_fault(self, scope: Scope, headers: Headers) -> int | None:
        """Return the status of the refusal of a request that the page itself does not send.

        The page sends queries and commands by POST and websocket to one address, and reads everything else by GET. Its
        server would also run commands by GET.
        """
        origin, method = headers.get("origin"), scope.get("method", "GET")
        is_command = scope["path"].rstrip("/").endswith("/graphql")
        if scope["type"] == "websocket":
            return None if is_command and origin in self.origins else 403
        if origin not in self.origins and (origin is not None or method == "POST"):
            return 403
        return None if method == ("POST" if is_command else "GET") else 405

    async def serve_while_live(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection that stays open, until it or the visit ends."""

        async def watch() -> None:
            while await run_in_threadpool(self.is_live, visit):  # noqa: ASYNC110 - nobody tells when a session ends
                await anyio.sleep(CHECK_SECONDS)
            group.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await send({"type": "websocket.close", "code": 1008})

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            await self.app(scope, receive, send)
            group.cancel_scope.cancel()


async def refuse(status: int, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse(REFUSALS[status], status)(scope, receive, send)
