"""Sessions of browsers: each cookie stands for the tokens of a sign-in, which never leave this process."""

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx2
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dashboards.session_file import KEPT_SECONDS, SessionFile

EndReason = Literal["idle", "out", "ended"]
REFRESH_EARLY_SECONDS = 60  # before the access token expires
TIMEOUT_SECONDS = 10


class SessionEnded(Exception):
    """The person is no longer signed in."""


class ApiUnavailable(Exception):
    """The API does not answer, is too slow, or refuses because it is busy."""


@dataclass
class Session:
    """A signed-in browser."""

    key: str
    sealing_key: bytes
    refresh_token: str
    access_token: str = ""
    good_until: float = 0.0
    ended: EndReason | None = None
    hides_names: bool = False  # on all pages of this browser, until it is switched back
    last_activity: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Sessions:
    """The sessions of all browsers. The file lets them outlive a restart of this process."""

    def __init__(self, api_url: str, file: SessionFile) -> None:
        self.client = httpx2.Client(
            base_url=f"{api_url}/api/v1",
            timeout=TIMEOUT_SECONDS,
            limits=httpx2.Limits(max_connections=64, max_keepalive_connections=16),
        )
        self.file = file
        self.by_key: dict[str, Session] = {}
        self.lock = threading.Lock()

    def open(self, tokens: dict[str, Any]) -> tuple[str, Session]:
        """Begin a session, and return its cookie and the session."""
        cookie = secrets.token_urlsafe(32)
        session = Session(hash_cookie(cookie), derive_sealing_key(cookie), "")
        self.take_tokens(session, tokens)
        with self.lock:
            oldest = time.monotonic() - KEPT_SECONDS
            self.by_key = {key: each for key, each in self.by_key.items() if each.last_activity > oldest}
            self.by_key[session.key] = session
        return cookie, session

    def find(self, cookie: str | None) -> Session | None:
        """Return the open session of a cookie, or None."""
        if not cookie:
            return None
        key = hash_cookie(cookie)
        session = self.by_key.get(key)
        if session is None:  # after a restart; the lock makes the first of several tabs bring it back
            with self.lock:
                session = self.by_key.get(key) or self.restore(key, derive_sealing_key(cookie))
        return session if session is not None and session.ended is None else None

    def restore(self, key: str, sealing_key: bytes) -> Session | None:
        refresh_token = self.file.load(key, sealing_key)
        if refresh_token is None:
            return None
        session = self.by_key[key] = Session(key, sealing_key, refresh_token)
        return session

    def find_end_reason(self, cookie: str | None) -> EndReason | None:
        session = self.by_key.get(hash_cookie(cookie)) if cookie else None
        return session.ended if session else None

    def end(self, session: Session, reason: EndReason) -> None:
        """End a session here and forget its tokens."""
        session.ended = reason
        session.access_token = session.refresh_token = ""
        self.file.forget(session.key)

    def take_tokens(self, session: Session, tokens: dict[str, Any]) -> None:
        session.access_token, session.refresh_token = tokens["access_token"], tokens["refresh_token"]
        session.good_until = time.monotonic() + tokens["expires_in"] - REFRESH_EARLY_SECONDS
        self.file.keep(session.key, session.sealing_key, session.refresh_token)

    def get_access_token(self, session: Session, refused: str | None = None) -> str:
        """Return the access token, refreshed if it is about to expire or the API has just refused it.

        A refresh token works once: of several threads one refreshes, and the others take what it got.
        """
        if refused is None and session.ended is None and time.monotonic() < session.good_until:
            return session.access_token
        with session.lock:
            if session.ended is not None:
                raise SessionEnded
            if refused != session.access_token and time.monotonic() < session.good_until:
                return session.access_token
            answer = self.send("POST", "/auth/refresh", json={"refresh_token": session.refresh_token})
            if answer.status_code == 401:
                self.end(session, "idle")
                raise SessionEnded
            if answer.status_code != 200:
                raise ApiUnavailable
            self.take_tokens(session, answer.json())
            return session.access_token

    def call(
        self, session: Session, method: str, path: str, *, background: bool = False, **options: Any
    ) -> httpx2.Response:
        """Call the API as the person, or raise SessionEnded or ApiUnavailable. Background calls are no activity."""
        headers = options.pop("headers", {}) | ({"X-Background": "1"} if background else {})
        token = self.get_access_token(session)
        answer = self.send(method, path, headers=headers | {"Authorization": f"Bearer {token}"}, **options)
        if answer.status_code == 401:
            token = self.get_access_token(session, refused=token)
            answer = self.send(method, path, headers=headers | {"Authorization": f"Bearer {token}"}, **options)
        if answer.status_code == 401:
            self.end(session, "idle")
            raise SessionEnded
        if not background:
            session.last_activity = time.monotonic()
        return answer

    def send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Send a request to the API without a session, or raise ApiUnavailable."""
        try:
            answer = self.client.request(method, path, **options)
        except httpx2.HTTPError:
            raise ApiUnavailable from None
        if answer.status_code == 503:
            raise ApiUnavailable
        return answer


def hash_cookie(cookie: str) -> str:
    return hashlib.sha256(b"session" + cookie.encode()).hexdigest()


def derive_sealing_key(cookie: str) -> bytes:
    return HKDF(SHA256(), 32, None, b"caseload dashboards").derive(cookie.encode())
