"""The gate before everything: the right host and origin, and signed in. It sees every request and every websocket."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.sessions import Sessions

COOKIE = "__Host-caseload"
OPEN_FOLDERS = ("/assets/", "/static/")
FILE_FOLDERS = ("/files/", "/media/")
MISSING = "missing"  # the page for addresses without one
SESSION_HEADER = b"x-caseload-session"  # Streamlit compares it when a browser comes back to a view of before
CLOSED_PREFIXES = ("/_stcore/agent", "/_stcore/metrics", "/_stcore/upload_file", "/static/index.html")
TRICKS = ("//", "/.", "\\")  # other spellings of a path
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
WRONG_HOST = "This page has another address: {url}. Open it there."
WRONG_ORIGIN = "This request comes from another web page. Use Caseload's own pages."
SIGN_IN_FIRST = "You are not signed in. Sign in, then try again."


class Gate:
    """Admits requests to the public address only, changes from its own pages only, and pages for the signed-in only.

    Streamlit alone would admit other ports of this machine, and websockets without an origin.
    """

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        public_url: str,
        policy: str,
        open_paths: frozenset[str],
        page_paths: frozenset[str],
    ) -> None:
        self.app, self.sessions, self.public_url = app, sessions, public_url
        self.open_paths, self.page_paths = open_paths, page_paths
        self.host = urlsplit(public_url).netloc
        self.headers = build_headers(policy, is_https=public_url.startswith("https:"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers, path = Headers(scope=scope), scope["path"]
        session = self.sessions.find(cookie_parser(headers.get("cookie", "")).get(COOKIE))
        if scope["type"] == "websocket":
            is_own = headers.get("origin") == self.public_url and headers.get("host") == self.host
            if is_own and session is not None:
                kept = [(name, value) for name, value in scope["headers"] if name.lower() != SESSION_HEADER]
                scope = dict(scope) | {"headers": [*kept, (SESSION_HEADER, session.key.encode())]}
                await self.app(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            return
        refusal = self.find_refusal(scope["method"], path, headers)
        if refusal is None and session is None and not self.is_open(path):
            refusal = refuse_stranger(headers, path)
        if refusal is None and self.is_missing(scope["method"], path, headers):
            refusal = RedirectResponse(f"/{MISSING}", 303)
        await (refusal or self.app)(scope, receive, self.add_headers(send, path))

    def find_refusal(self, method: str, path: str, headers: Headers) -> Response | None:
        """Return the refusal of a request to another address, from another page, or to a closed path."""
        if headers.get("host") != self.host and path != "/health":
            return PlainTextResponse(WRONG_HOST.format(url=self.public_url), 421)
        if method not in SAFE_METHODS and headers.get("origin") != self.public_url:
            return PlainTextResponse(WRONG_ORIGIN, 403)
        if path.startswith(CLOSED_PREFIXES) or any(trick in path for trick in TRICKS):
            return PlainTextResponse("Not found.", 404)
        return None

    def is_open(self, path: str) -> bool:
        """Return whether the path is for people who are not signed in."""
        return path in self.open_paths or path.startswith(OPEN_FOLDERS)

    def is_missing(self, method: str, path: str, headers: Headers) -> bool:
        """Return whether a browser asks for a page that does not exist; Streamlit has words of its own for that."""
        is_page = method == "GET" and "text/html" in headers.get("accept", "")
        is_known = self.is_open(path) or path in self.page_paths or path.startswith(FILE_FOLDERS)
        return is_page and not is_known

    def add_headers(self, send: Send, path: str) -> Send:
        """Return a `send` that adds the security headers, and lets nothing but the program's own files be stored."""
        is_stored = path.startswith(OPEN_FOLDERS)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = self.headers if is_stored else self.headers | {b"cache-control": b"no-store"}
                kept = [(name, value) for name, value in message["headers"] if name.lower() not in own]
                message["headers"] = [*kept, *own.items()]
            await send(message)

        return send_with_headers


def refuse_stranger(headers: Headers, path: str) -> Response:
    """Return the way to the sign-in for a page, which comes back to it, or a refusal for anything else."""
    if "text/html" not in headers.get("accept", ""):
        return PlainTextResponse(SIGN_IN_FIRST, 401)
    page = path.strip("/")
    return RedirectResponse(f"/sign-in?next={page}" if page.replace("-", "").isalpha() else "/sign-in", 303)


def build_headers(policy: str, *, is_https: bool) -> dict[bytes, bytes]:
    headers = {
        b"content-security-policy": policy.encode(),
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"same-origin",
        b"x-frame-options": b"DENY",
        b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
        b"cross-origin-opener-policy": b"same-origin",
    }
    return headers | ({b"strict-transport-security": b"max-age=31536000"} if is_https else {})
