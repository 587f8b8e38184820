"""Routes by which the note pad saves, beside Streamlit: typed text must not wait until a page is drawn."""

import re
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboards.bodies import NOT_READABLE, read_document
from dashboards.gate import COOKIE
from dashboards.problems import ENDED, UNAVAILABLE
from dashboards.sessions import ApiUnavailable, SessionEnded, Sessions
from dashboards.signed_in import Answer

KEY = re.compile(r"[\w-]{8,100}", re.ASCII)


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
        try:
            document = await read_document(request)
        except HTTPException as refused:
            return JSONResponse({"problem": refused.detail}, refused.status_code)
        version, key = document.get("version"), document.get("key")
        is_known = version is None or type(version) is int
        if part not in document or not is_known or not (key is None or KEY.fullmatch(str(key))):
            return JSONResponse({"problem": NOT_READABLE}, 400)
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        headers |= {} if key is None else {"Idempotency-Key": str(key)}
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
