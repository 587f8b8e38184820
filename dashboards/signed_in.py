"""The signed-in person of the page that is running, and calls to the API as that person.

Pages call the API through this module only, so that tests can answer in its place.
"""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.gate import COOKIE
from dashboards.problems import Refused
from dashboards.sessions import Session, SessionEnded, Sessions

sessions: Sessions | None = None  # set by the server, before it starts
ACCOUNT_SECONDS = 30


@dataclass(frozen=True)
class Account:
    """Who is signed in, where."""

    name: str
    practice_name: str
    time_zone: str
    roles: frozenset[str]
    id: str


@dataclass(frozen=True)
class Answer:
    """An answer of the API: its document, or what is wrong."""

    status: int
    document: Any

    @property
    def problem(self) -> str:
        """Return what is wrong, for people; empty if nothing is."""
        if self.status < 400:
            return ""
        error = self.document.get("error", {}) if isinstance(self.document, dict) else {}
        details = error.get("details")
        fields = [detail["message"] for detail in details] if isinstance(details, list) else []
        return " ".join(fields) or error.get("message") or "Something went wrong. Try again."

    @property
    def alternatives(self) -> list[dict[str, Any]]:
        """Return the alternatives that a refused booking names."""
        details = self.document.get("error", {}).get("details") if self.status >= 400 else None
        return details.get("alternatives", []) if isinstance(details, dict) else []


def find_session() -> Session | None:
    """Return the open session of the browser that shows the page. Looked up in every run: it may have ended."""
    return sessions.find(st.context.cookies.get(COOKIE)) if sessions is not None else None


def call_api(method: str, path: str, **options: Any) -> Answer:
    """Call the API as the signed-in person, or raise SessionEnded or ApiUnavailable."""
    session = find_session()
    if session is None or sessions is None:
        raise SessionEnded
    answer = sessions.call(session, method, path, **options)
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    return Answer(answer.status_code, answer.json() if is_json and answer.content else {})


def load(path: str, params: dict[str, Any] | None = None) -> Any:
    """Return a document of the API, or raise Refused."""
    answer = call_api("GET", path, params=params or {})
    if answer.problem:
        raise Refused(answer.problem)
    return answer.document


def find_account() -> Account:
    """Return who is signed in, or raise SessionEnded."""
    session = find_session()
    if session is None:
        raise SessionEnded
    return load_account(session.key)


def find_zone() -> ZoneInfo:
    """Return the time zone of the practice, in which all pages show times."""
    return ZoneInfo(find_account().time_zone)


@st.cache_data(scope="session", ttl=ACCOUNT_SECONDS, show_spinner=False)
def load_account(session_key: str) -> Account:
    """Return who is signed in. Kept for half a minute, for this session alone."""
    me = load("/auth/me")
    return Account(
        me["name"] or "Operator",
        me["practice_name"] or "",
        me["time_zone"] or "UTC",
        frozenset(me["roles"]),
        me["account_id"],
    )
