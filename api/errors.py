"""One envelope for everything that goes wrong, and its description in the API document."""

import re
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError, TimeoutError
from starlette.exceptions import HTTPException

from practice.errors import CaseloadError, Refusal

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    412: "STALE",
    413: "TOO_LARGE",
    422: "VALIDATION_ERROR",
    428: "PRECONDITION_REQUIRED",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
SENTENCES = {
    400: "What you sent cannot be read. Send JSON in UTF-8.",
    404: "There is no such address.",
    405: "This address does not take that method.",
    413: "What you sent is larger than is taken here.",
}


NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}|\[key\]")


class ErrorBody(BaseModel):
    code: str
    message: str
    details: dict[str, Any] | list[dict[str, Any]]
    timestamp: datetime
    path: str
    request_id: str


class ErrorEnvelope(BaseModel):
    success: bool = False
    error: ErrorBody


class PreconditionRequired(Refusal):
    code = "PRECONDITION_REQUIRED"
    status = 428


class TrainingLapsed(Refusal):
    code = "TRAINING_LAPSED"
    status = 403


class ReasonMissing(Refusal):
    code = "REASON_MISSING"
    status = 403


class KeyReused(Refusal):
    code = "IDEMPOTENCY_KEY_REUSED"
    status = 409


def named(part: int | str) -> str:
    """A part of a field's place as it is told. What looks like no name of ours was written by whoever sent it."""
    return str(part) if isinstance(part, int) or NAME.fullmatch(part) else "?"


def error_response(
    request: Request, status: int, code: str, message: str, details: Any = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    body = {
        "code": code,
        "message": message,
        "details": details or {},
        "timestamp": datetime.now(UTC).isoformat(),
        "path": request.url.path,
        "request_id": request.scope.get("request_id", ""),
    }
    return JSONResponse({"success": False, "error": body}, status, headers)


def install_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(CaseloadError)
    async def refused(request: Request, error: CaseloadError) -> JSONResponse:
        details = dict(error.details)
        headers = {}
        if "retry_after" in details:
            headers["Retry-After"] = str(details["retry_after"])
        if error.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return error_response(request, error.status, error.code, error.message, details, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        # what was sent is not repeated: it may be a password
        fields = [
            {"field": ".".join(named(part) for part in problem["loc"]), "problem": problem["msg"]}
            for problem in error.errors()
        ]
        what = "1 field is not as it" if len(fields) == 1 else f"{len(fields)} fields are not as they"
        sentence = f"{what} should be; each is listed."
        return error_response(request, 422, "VALIDATION_ERROR", sentence, fields)

    @app.exception_handler(HTTPException)
    async def by_the_framework(request: Request, error: HTTPException) -> JSONResponse:
        status = error.status_code
        message = SENTENCES.get(status, f"{HTTPStatus(status).phrase}.")
        return error_response(
            request, status, CODES.get(status, "BAD_REQUEST"), message, headers=dict(error.headers or {})
        )

    @app.exception_handler(OperationalError)
    @app.exception_handler(TimeoutError)
    async def database_away(request: Request, error: Exception) -> JSONResponse:
        message = (
            "The database does not answer at this moment. Whether a change was made is not known: try again shortly, "
            "a POST with the same Idempotency-Key."
        )
        return error_response(request, 503, "SERVICE_UNAVAILABLE", message, headers={"Retry-After": "1"})


def where_it_happened(error: BaseException) -> list[str]:
    """The places of a traceback without its message, which may quote a person's data."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames[-8:]]


def documented(refusals: Iterable[type[Refusal]], *statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of an operation, by status, for the API document."""
    codes: dict[int, set[str]] = {status: {CODES[status]} for status in statuses}
    for refusal in refusals:
        codes.setdefault(refusal.status, set()).add(refusal.code)
    return {
        status: {"model": ErrorEnvelope, "description": f"Refused: {', '.join(sorted(names))}."}
        for status, names in sorted(codes.items())
    }
