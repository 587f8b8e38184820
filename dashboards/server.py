"""The server process of the pages: `python -m dashboards.server`."""

import contextlib
import gc
import logging
import time
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit
import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dashboards import signed_in
from dashboards.files import Files
from dashboards.gate import COOKIE, MISSING, Gate
from dashboards.navigation import PAGES
from dashboards.note_saving import NoteSaving
from dashboards.session_file import SessionFile
from dashboards.sessions import ApiUnavailable, SessionEnded, Sessions
from dashboards.shell import build_policy, build_shell
from dashboards.sign_in import SignIn
from practice.errors import ConfigurationProblem
from practice.settings import Settings

ASSETS = Path(__file__).parent / "assets"
IDLE_SECONDS = 15 * 60  # as the API ends sessions
MAX_CONNECTIONS = 2000  # a view holds one; more are refused with 503
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def create_app(settings: Settings) -> streamlit.App:
    """Return the application: the gate, the pages of the sign-in, and Streamlit."""
    refuse_plain_http(settings.public_url)
    return streamlit.App(Path(__file__).parent / "app.py", **build_parts(settings), lifespan=set_imports_aside)


def build_parts(settings: Settings) -> dict[str, Any]:
    """Return what stands before Streamlit: our routes and the gate, with the sessions that they share."""
    sessions = signed_in.sessions = Sessions(settings.api_url, SessionFile(settings.dashboard_sessions))
    files, notes, shell = Files(sessions), NoteSaving(sessions), build_shell()
    sign_in = SignIn(sessions, frozenset(page.path for page in PAGES)).list_routes()
    page_paths = frozenset({"/", f"/{MISSING}", *(f"/{page.path}" for page in PAGES)})
    gate = {
        "sessions": sessions,
        "public_url": settings.public_url,
        "policy": build_policy(shell, settings.public_url),
        "open_paths": frozenset({"/session", "/health", *(route.path for route in sign_in)}),
        "page_paths": page_paths,
    }

    async def serve_shell(_: Request) -> Response:
        return HTMLResponse(shell)

    async def get_health(_: Request) -> Response:
        return JSONResponse({"status": "ready"})

    return {
        "routes": [
            *sign_in,
            Route("/session", partial(get_session, sessions), methods=["GET", "POST"]),
            Route("/health", get_health),
            Route("/files/rows.{kind}", files.serve_rows),
            Route("/files/statement.{kind}", files.serve_statement),
            Route("/notepad", notes.begin, methods=["POST"]),
            Route("/notepad/{note_id:uuid}", notes.save, methods=["PUT"]),
            Route("/notepad/{note_id:uuid}/addendum", notes.add, methods=["POST"]),
            Route("/files/report.{kind}", files.serve_report),
            Route("/files/report-rows.{kind}", files.serve_report_rows),
            Route("/files/{name}.{kind}", files.serve_page_list),
            Mount("/assets", StaticFiles(directory=ASSETS)),
            *[Route(path, serve_shell) for path in sorted(page_paths)],
        ],
        "middleware": [Middleware(Gate, **gate)],
    }


async def get_session(sessions: Sessions, request: Request) -> Response:
    """Answer the watch of a page: a GET asks whether the session goes on, a POST says that somebody is typing."""
    cookie = request.cookies.get(COOKIE)
    session = sessions.find(cookie)
    if session is None:
        return JSONResponse({"open": False, "why": sessions.find_end_reason(cookie) or "ended"})
    is_asking = request.method != "POST"
    try:
        me = await run_in_threadpool(sessions.call, session, "GET", "/auth/me", background=is_asking)
    except SessionEnded:
        return JSONResponse({"open": False, "why": "idle"})
    except ApiUnavailable:
        return JSONResponse({"open": True})
    left = IDLE_SECONDS - int(time.monotonic() - session.last_activity)
    return JSONResponse({"open": True, "left": max(left, 0), "who": me.json().get("account_id")})


@contextlib.asynccontextmanager
async def set_imports_aside(_: streamlit.App) -> AsyncGenerator[dict[str, Any]]:
    """Import what pages need before the first of them, and keep it out of every garbage collection."""
    import altair  # noqa: F401
    import pandas  # noqa: F401

    from dashboards import components  # noqa: F401

    logging.getLogger("uvicorn.access").disabled = True  # Streamlit turns it on; addresses have ids of records
    gc.collect()
    gc.freeze()
    yield {}


def refuse_plain_http(public_url: str) -> None:
    """Raise ConfigurationProblem for an address at which passwords would travel unencrypted."""
    parts = urlsplit(public_url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise ConfigurationProblem(
            f"The pages need https at {public_url}. Put a proxy with TLS before them and set CASELOAD_PUBLIC_URL."
        )


def main() -> None:
    settings = Settings()
    uvicorn.run(
        create_app(settings),
        host=settings.dashboards_host,
        port=settings.dashboards_port,
        log_level="warning",
        access_log=False,
        proxy_headers=True,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
    )


if __name__ == "__main__":
    main()
