"""The start page, the documentation and the API document: complete offline, hardened, and rendered once."""

import gzip
import re
import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from practice.security.installation import Installation

DOCUMENT_URL = "/api/v1/openapi.json"


@pytest.fixture(scope="module")
def pages(installation: Installation) -> TestClient:
    return TestClient(create_app(installation), base_url="http://localhost")


def list_links(html: str) -> list[str]:
    return [link for link in re.findall(r'(?:href|src)="([^"]*)"', html) if not link.startswith("data:")]


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_and_all_it_refers_to_come_from_this_server(pages: TestClient, path: str) -> None:
    page = pages.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Caseload" in page.text
    assert re.findall("https?:|//", page.text) == []
    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", page.text) == []  # nothing inline
    for link in list_links(page.text):
        assert link.startswith("/")
        assert pages.get(link).status_code in (200, 503)  # the health of a database that is not migrated


def test_the_start_page_links_to_the_documentation_and_health(pages: TestClient) -> None:
    links = list_links(pages.get("/").text)
    assert {"/docs", "/health/ready", DOCUMENT_URL} <= set(links)


def test_the_document_is_rendered_when_the_service_starts(own_installation: Installation) -> None:
    app = create_app(own_installation)
    with TestClient(app):
        for thread in threading.enumerate():
            if thread.name == "document":
                thread.join(60)
        assert app.openapi_schema is not None  # before any request


def test_the_documentation_loads_the_document_and_tells_no_other_service(pages: TestClient) -> None:
    script = pages.get("/docs/start.js").text
    assert f'"url": "{DOCUMENT_URL}"' in script
    assert '"validatorUrl": null' in script
    assert "SwaggerUIBundle" in pages.get("/docs/swagger-ui-bundle.js").text
    for path in ("/redoc", "/docs/oauth2-redirect", "/docs/redoc.standalone.js"):
        assert pages.get(path).status_code == 404


def test_a_page_may_load_and_connect_to_nothing_of_another_host(pages: TestClient) -> None:
    for path in ("/", "/docs"):
        policy = dict(
            part.strip().split(" ", 1) for part in pages.get(path).headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert not any("http" in sources or "*" in sources for sources in policy.values())
    assert pages.get("/health/live").headers["content-security-policy"].startswith("default-src 'none'")
    assert pages.get("/nowhere").headers["content-security-policy"].startswith("default-src 'none'")


def test_every_response_restricts_browsers(pages: TestClient, installation: Installation) -> None:
    for path in ("/", DOCUMENT_URL, "/health/live", "/nowhere"):
        headers = pages.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
        assert "strict-transport-security" not in headers
    encrypted = TestClient(create_app(installation), base_url="https://localhost")
    assert encrypted.get("/").headers["strict-transport-security"] == "max-age=31536000"


def test_the_document_is_rendered_once(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(installation)
    rendered: list[dict[str, Any]] = []

    def render() -> dict[str, Any]:
        rendered.append({"openapi": "3.1.0", "info": {"title": "Caseload"}})
        return rendered[-1]

    monkeypatch.setattr(app, "openapi", render)
    client = TestClient(app)
    plain = client.get(DOCUMENT_URL, headers={"Accept-Encoding": "identity"})
    packed = client.get(DOCUMENT_URL, headers={"Accept-Encoding": "gzip"})
    assert plain.json() == packed.json() == rendered[0]
    assert (plain.headers.get("content-encoding"), packed.headers["content-encoding"]) == (None, "gzip")
    assert int(packed.headers["content-length"]) == len(gzip.compress(plain.content, mtime=0))
    unchanged = client.get(DOCUMENT_URL, headers={"If-None-Match": plain.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert len(rendered) == 1
