"""Routes by which the note pad saves, beside Streamlit: typed text must not wait until a page is drawn."""

import json
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboards.gate import COOKIE
from dashboards.problems import ENDED, UNAVAILABLE
from dashboards.sessions import ApiUnavailable, SessionEnded, Sessions
from dashboards.signed_in import Answer

MAX_BYTES = 1_000_000  # as the API takes


class NoteSaving:
    """The routes that begin a note, save it, and add to it, as the signed-in person."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions

    async def begin(self, request: Request) -> Response:
        """Begin a note. Its key makes a repeated request begin no second one."""
        return await self.answer(request, "POST", "/notes", "note")

    async def add(self, request: Request) -> Response:
        """Add to a signed note, once for each key."""
        return await self.answer(request, "POST", f"/notes/{request.path_params['note_id']}/addendum", "addendum")

    async def save(self, request: Request) -> Response:
        """Save a draft. If it has another version by now, the answer contains what that one says."""
        return await self.answer(request, "PUT", f"/notes/{request.path_params['note_id']}", "content")

    async def answer(self, request: Request, method: str, path: str, part: str) -> Response:
        """Send a part of the document to the API, and answer with the new version or with what is wrong."""
        document = await read_document(request)
        if document is None or part not in document:
            return JSONResponse({"problem": "This text is too long, or the page is an old one. Load it again."}, 400)
        headers = {}
        if "version" in document:
            headers["If-Match"] = f'"{document["version"]}"'
        if "key" in document:
            headers["Idempotency-Key"] = str(document["key"])
        try:
            answer = await run_in_threadpool(self.call, request, method, path, json=document[part], headers=headers)
            if answer.status == 412:
                current = await run_in_threadpool(self.call, request, "GET", path)
                return JSONResponse({"problem": answer.problem, "current": read_content(current)}, 412)
        except SessionEnded:
            return JSONResponse({"problem": ENDED}, 401)
        except ApiUnavailable:
            return JSONResponse({"problem": UNAVAILABLE}, 503)
        if answer.problem:
            return JSONResponse({"problem": answer.problem, "fields": list_fields(answer)}, answer.status)
        return JSONResponse({"id": answer.document["id"], "version": answer.document["version"]})

    def call(self, request: Request, method: str, path: str, **options: Any) -> Answer:
        session = self.sessions.find(request.cookies.get(COOKIE))
        if session is None:
            raise SessionEnded
        answer = self.sessions.call(session, method, path, **options)
        return Answer(answer.status_code, answer.json())


async def read_document(request: Request) -> dict[str, Any] | None:
    """Return the JSON object that was sent, or None."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BYTES:
            return None
    try:
        document = json.loads(content)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def read_content(answer: Answer) -> dict[str, Any] | None:
    """Return the version and content of a note, or None if it cannot be read any more."""
    if answer.problem:
        return None
    note = answer.document
    sections = {section["key"]: section["text"] for section in note["sections"]}
    return {"version": note["version"], "sections": sections, "diagnoses": note["diagnoses"]}


def list_fields(answer: Answer) -> list[str]:
    """Return the fields that the API refuses."""
    details = answer.document.get("error", {}).get("details")
    return [detail["field"] for detail in details] if isinstance(details, list) else []
