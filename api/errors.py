"""The error envelope of the API: handlers that produce it and its description in the OpenAPI document."""

import re
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError, SQLAlchemyError, TimeoutError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api.field_problems import describe_errors, unknown_parameter_problems
from api.fields import describe
from practice.errors import CaseloadError, FieldProblem, Invalid, Refusal
from practice.security.installation import Installation

ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    409: "CONFLICT",
    412: "STALE",
    413: "TOO_LARGE",
    422: "VALIDATION_ERROR",
    428: "PRECONDITION_REQUIRED",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
MESSAGES = {
    400: "Unreadable request body. Send JSON in UTF-8.",
    404: "URL not found. Check the path.",
    405: "Method not allowed. Check the method of this path.",
    408: "The request body arrived too slowly; nothing was changed. Send it again.",
    413: "Request body too large. Send a smaller one.",
    500: "Internal error; nothing was changed. Contact support with the request id.",
}

log = structlog.get_logger()


class FieldProblemOut(BaseModel):
    field: Annotated[str, describe("The field as it was sent; items of a list count from 1.")]
    message: Annotated[str, describe("What is wrong and what to do.")]


class ErrorFields(BaseModel):
    code: Annotated[str, describe("A stable code, for programs.")]
    message: Annotated[str, describe("What is wrong and what to do, for people.")]
    timestamp: Annotated[datetime, describe("When it happened.")]
    path: Annotated[str, describe("The path of the request.")]
    request_id: Annotated[str, describe("The id of the request in the service's log.")]


class ErrorBody(ErrorFields):
    details: Annotated[dict[str, Any] | list[FieldProblemOut], describe("More about it, by the code.")]


class ErrorEnvelope(BaseModel):
    success: Annotated[bool, describe("Always false.")] = False
    error: Annotated[ErrorBody, describe("The error.")]


class ValidationErrorBody(ErrorFields):
    details: Annotated[list[FieldProblemOut], describe("Each invalid field.")]


class ValidationErrorEnvelope(BaseModel):
    success: Annotated[bool, describe("Always false.")] = False
    error: Annotated[ValidationErrorBody, describe("The error.")]


class PreconditionRequired(Refusal):
    """The request changes a record but carries no `If-Match` header.

    Fix: send the `ETag` of the record as you read it.
    """

    code = "PRECONDITION_REQUIRED"
    status = 428


class TrainingLapsed(Refusal):
    """The caller's HIPAA training has lapsed.

    Fix: record a new training; until then only your own trainings, `/auth/me` and signing out work.
    """

    code = "TRAINING_LAPSED"
    status = 403


class ReasonMissing(Refusal):
    """The caller's role may read this record only for a stated reason.

    Fix: state the reason in the `X-Reason` header; it goes into the audit log.
    """

    code = "REASON_MISSING"
    status = 403


class KeyReused(Refusal):
    """The `Idempotency-Key` was used for a different request.

    Fix: use a new key for a new request.
    """

    code = "IDEMPOTENCY_KEY_REUSED"
    status = 409


def build_error_response(
    request: Request, status: int, code: str, message: str, details: Any = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return the error envelope as a response."""
    body = {
        "code": code,
        "message": message,
        "details": details or {},
        "timestamp": datetime.now(UTC).isoformat(),
        "path": request.scope["path"],
        "request_id": request.scope.get("request_id", ""),
    }
    return JSONResponse({"success": False, "error": body}, status, headers)


def build_validation_response(request: Request, message: str, problems: Iterable[FieldProblem]) -> JSONResponse:
    """Return the envelope of a request with invalid fields; every such response has this shape."""
    details = [problem._asdict() for problem in problems]
    return build_error_response(request, 422, "VALIDATION_ERROR", message, details)


def record_denial(request: Request, code: str) -> None:
    """Record a denied request of a signed-in caller in a transaction of its own: the request's was rolled back."""
    actor = request.scope.get("actor")
    if actor is None:
        return
    ids = {name: value for name, value in request.path_params.items() if ID.fullmatch(value)}
    installation: Installation = request.app.state.installation
    try:
        with installation.work(actor, request.app.state.clock()) as work:
            work.record("access.denied", operation=request.scope["route"].operation_id, code=code, path=ids)
    except SQLAlchemyError as error:  # the response matters more, and the log line has the rest
        log.error("denial not recorded", request_id=request.scope["request_id"], error=type(error).__name__)


def install_error_handlers(app: FastAPI) -> None:
    """Make the app answer every foreseen error with the envelope."""

    @app.exception_handler(CaseloadError)
    async def handle_refusal(request: Request, error: CaseloadError) -> JSONResponse:
        if isinstance(error, Invalid):
            return build_validation_response(request, error.message, error.problems)
        if error.status == 403:
            await run_in_threadpool(record_denial, request, error.code)
        details = error.details
        headers = {}
        if "retry_after" in details:
            headers["Retry-After"] = str(details["retry_after"])
        if error.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return build_error_response(request, error.status, error.code, error.message, details, headers)

    @app.exception_handler(RequestValidationError)
    async def handle_invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
        problems = describe_errors(error.errors()) + unknown_parameter_problems(request)
        message = "1 field is invalid" if len(problems) == 1 else f"{len(problems)} fields are invalid"
        return build_validation_response(request, f"{message}. See `details`.", problems)

    @app.exception_handler(HTTPException)
    async def handle_http_exception(request: Request, error: HTTPException) -> JSONResponse:
        status = error.status_code
        message = MESSAGES.get(status, f"{HTTPStatus(status).phrase}.")
        return build_error_response(
            request, status, CODES.get(status, "BAD_REQUEST"), message, headers=dict(error.headers or {})
        )

    @app.exception_handler(OperationalError)
    @app.exception_handler(TimeoutError)
    async def handle_database_outage(request: Request, error: Exception) -> JSONResponse:
        message = (
            "The database does not respond; a change may or may not have been saved. Try again shortly, "
            "and repeat a POST with the same Idempotency-Key."
        )
        return build_error_response(request, 503, "SERVICE_UNAVAILABLE", message, headers={"Retry-After": "1"})


def format_traceback(error: BaseException) -> list[str]:
    """Return the last frames of a traceback without its message, which may quote personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames[-8:]]


def document_errors(errors: Iterable[type[Refusal]], *statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the error responses of an operation by status, for the OpenAPI document."""
    codes: dict[int, set[str]] = {status: {CODES[status]} for status in statuses}
    for error in errors:
        codes.setdefault(error.status, set()).add(error.code)
    return {
        status: {
            "model": ValidationErrorEnvelope if names == {"VALIDATION_ERROR"} else ErrorEnvelope,
            "description": f"Error codes: {', '.join(sorted(names))}.",
        }
        for status, names in sorted(codes.items())
    }
