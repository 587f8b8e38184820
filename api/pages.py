"""What the API shows to anybody: a start page, the API document, and the page that displays it.

All content is our own or comes with a dependency, so that the page works offline and no other host can read the tokens
that people paste into it. Each file is rendered and compressed once.
"""

import gzip
import hashlib
import html
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from threading import Lock

from fastapi import FastAPI, Request, Response

NAME = "Caseload"
PURPOSE = "Scheduling, notes and billing for therapy practices."
DOCUMENT_URL = "/api/v1/openapi.json"
# Swagger UI styles some elements inline. Scripts, and connections to other hosts, are what its policy has to prevent.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

START_PAGE = f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{NAME}</title></head>
<body>
<h1>{NAME}</h1>
<p>{html.escape(PURPOSE)} This is its HTTP API.</p>
<ul>
<li><a href="/docs">Documentation</a></li>
<li><a href="{DOCUMENT_URL}">OpenAPI document</a></li>
<li><a href="/health/ready">Health</a></li>
</ul>
</body>
</html>
"""
DOCS_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{NAME} API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
OPTIONS = {"url": DOCUMENT_URL, "dom_id": "#swagger-ui", "deepLinking": True, "docExpansion": "none"} | {
    "validatorUrl": None,  # a service of another host
    "persistAuthorization": False,
    "defaultModelsExpandDepth": -1,
}
START_SCRIPT = f"SwaggerUIBundle({json.dumps(OPTIONS)})\n"


@dataclass(frozen=True)
class Content:
    """A file as it is served: plain and compressed, with the tag of its content."""

    media_type: str
    plain: bytes
    compressed: bytes
    etag: str


def make_content(media_type: str, data: bytes) -> Content:
    return Content(media_type, data, gzip.compress(data, mtime=0), f'"{hashlib.sha256(data).hexdigest()[:32]}"')


def read_dependency(name: str) -> bytes:
    """Return a file of Swagger UI (Apache License 2.0), which fastapi-offline carries."""
    return files("fastapi_offline").joinpath("static", name).read_bytes()


def serve_pages(app: FastAPI) -> Callable[[str], Content]:
    """Serve the start page, the API document and its page. Return the function that renders one of them, once."""
    sources: dict[str, tuple[str, Callable[[], bytes]]] = {
        "/": ("text/html; charset=utf-8", START_PAGE.encode),
        "/docs": ("text/html; charset=utf-8", DOCS_PAGE.encode),
        "/docs/start.js": ("text/javascript; charset=utf-8", START_SCRIPT.encode),
        "/docs/swagger-ui-bundle.js": (
            "text/javascript; charset=utf-8",
            lambda: read_dependency("swagger-ui-bundle.js"),
        ),
        "/docs/swagger-ui.css": ("text/css; charset=utf-8", lambda: read_dependency("swagger-ui.css")),
        DOCUMENT_URL: ("application/json", lambda: json.dumps(app.openapi(), ensure_ascii=False).encode()),
    }
    contents: dict[str, Content] = {}
    locks = {path: Lock() for path in sources}

    def render(path: str) -> Content:
        with locks[path]:  # the first caller renders the file, and others wait
            if path not in contents:
                media_type, read = sources[path]
                contents[path] = make_content(media_type, read())
        return contents[path]

    def serve(request: Request) -> Response:
        return build_response(request, render(request.url.path))

    for path in sources:
        app.add_route(path, serve, methods=["GET"], include_in_schema=False)
    return render


def build_response(request: Request, content: Content) -> Response:
    """Return the content, compressed if the client accepts that, or nothing if it has this content already."""
    headers = {"ETag": content.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if content.media_type.startswith("text/html"):
        headers["Content-Security-Policy"] = PAGE_POLICY
    if request.headers.get("if-none-match") == content.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            content.compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=content.media_type
        )
    return Response(content.plain, headers=headers, media_type=content.media_type)
