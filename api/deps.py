"""How a route reaches the practice: its permission, the signed-in person, one transaction, one answer.

A route is a plain function from a desk and its input to a model. `endpoint` gives it the rest: it admits the caller,
opens the transaction, replays a repeated POST, and turns the model into the answer before the transaction commits.
Nothing else commits. A route that is not made by `endpoint` or `public` does not start (see `refuse_undeclared`).
"""

import hashlib
import hmac
import inspect
import json
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from ipaddress import ip_address, ip_network
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy import text
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile

from api.errors import KeyReused, PreconditionRequired, ReasonMissing, TrainingLapsed, documented
from api.fields import PLAIN
from api.responses import FileOut, ListQuery, answer_with, render
from practice.errors import ConfigurationProblem, Invalid, NotFound, Refusal, Stale
from practice.security.admission import RateLimited, admit
from practice.security.cleanup import ANSWERS_KEPT_FOR
from practice.security.installation import Installation
from practice.security.models import StoredAnswer
from practice.security.permissions import KNOWN, Forbidden, Scope, require, scope_of
from practice.security.sign_in import PracticeClosed
from practice.security.tokens import AccessClaims, NotSignedIn
from practice.security.work import Actor, Work
from practice.store.ids import NOBODY

bearer = HTTPBearer(auto_error=False, description="The access token of a sign-in.")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=8, max_length=100, description="Repeat it to repeat a request safely."),
]
Reason = Annotated[
    str | None,
    Header(alias="X-Reason", min_length=3, max_length=200, pattern=PLAIN, description="Why; for the audit log."),
]
FILE = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
# The description of the API, its pages, and the measurements: not made by `endpoint`, and nobody's records.
OPEN_TO_ALL = {"/api/v1/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc", "/metrics"}


@dataclass(slots=True)
class Desk:
    """Where a request is served: the installation, who asks, how far they may reach, and the open transaction."""

    house: Installation
    actor: Actor
    now: datetime
    scope: Scope = Scope.OWN
    training_lapsed: bool = False
    afterwards: Callable[[], None] | None = None  # done when the answer has left
    _work: Work | None = None

    @property
    def account_id(self) -> UUID:
        assert self.actor.account_id is not None  # noqa: S101 - whoever passed the door has an account
        return self.actor.account_id

    @property
    def session_id(self) -> UUID:
        assert self.actor.session_id is not None  # noqa: S101 - and a session
        return self.actor.session_id

    @property
    def work(self) -> Work:
        assert self._work is not None, "a public route opens its own transactions"  # noqa: S101
        return self._work


def endpoint(
    router: APIRouter,
    method: str,
    path: str,
    *,
    may: str,
    status: int = 200,
    refusals: Iterable[type[Refusal]] = (),
    while_lapsed: bool = False,
    own_transactions: bool = False,
    largest_body: int | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A route for signed-in people. `may` is `record.verb` of the matrix, `signed_in`, or `platform`."""
    record, _, verb = may.partition(".")
    if may not in ("signed_in", "platform") and (record, verb) not in KNOWN:
        raise ConfigurationProblem(f"The route {path} asks for a permission that does not exist: {may}.")

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        parameters = inspect.signature(function).parameters
        model = parameters_model(function)
        keyed = method == "POST" and not own_transactions

        @wraps(function)
        def serve(request: Request, credentials: Any, idempotency_key: str | None = None, **given: Any) -> Response:
            desk = receive(request, credentials)
            if desk.training_lapsed and not while_lapsed:
                raise TrainingLapsed(
                    "Your HIPAA training has lapsed. Record a new one; everything else waits until then."
                )
            permit(desk, may, given)
            if own_transactions:
                return render(function(desk, **given), status, given)
            with desk.house.work(desk.actor, desk.now) as work:
                desk._work = work
                if idempotency_key is None:
                    return render(function(desk, **given), status, given)
                return replayed(work, idempotency_key, fingerprint(desk.house, request, given)) or keep(
                    work, idempotency_key, render(function(desk, **given), status, given)
                )

        extra = {"idempotency_key": IdempotencyKey} if keyed else {}
        register(serve, function, {"credentials": Bearer, **extra})
        statuses = {401, 403, 422, 429, 503} | ({404} if "{" in router.prefix + path else set())
        statuses |= {412, 428} if "version" in parameters else set()
        on_the_way: list[type[Refusal]] = [TrainingLapsed, PracticeClosed, *([KeyReused] if keyed else [])]
        on_the_way += [ReasonMissing] if "reason" in parameters and (record, f"{verb}_with_reason") in KNOWN else []
        add_route(
            router, method, path, serve, status, model, [*refusals, *on_the_way], statuses, function, may, largest_body
        )
        return function

    return declare


def public(
    router: APIRouter,
    method: str,
    path: str,
    *,
    status: int = 200,
    refusals: Iterable[type[Refusal]] = (),
    counted: bool = True,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A route for people who are not signed in (yet). Counted by address, since there is no account to count by."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def serve(request: Request, **given: Any) -> Response:
            house: Installation = request.app.state.house
            now = request.app.state.clock()
            if counted:
                count_sign_in(house, request, now)
            desk = Desk(house, Actor(request_id=request.scope["request_id"]), now)
            response = render(function(desk, **given), status, given)
            response.background = BackgroundTask(desk.afterwards) if desk.afterwards else None
            return response

        register(serve, function, {})
        statuses = {422, 503} | ({429} if counted else set())
        add_route(
            router, method, path, serve, status, parameters_model(function), refusals, statuses, function, "public"
        )
        return function

    return declare


def refuse_undeclared(app: FastAPI) -> None:
    """Deny by default: the service does not start with a route that says not who may call it."""
    for found in iter_route_contexts(app.routes):  # `app.routes` itself shows included routers, not their routes
        route = found.original_route
        declared = isinstance(route, APIRoute) and "x-permission" in (route.openapi_extra or {})
        if not declared and found.path not in OPEN_TO_ALL:
            raise ConfigurationProblem(f"The route {found.path} declares no permission. Make it with `endpoint`.")


def receive(request: Request, credentials: HTTPAuthorizationCredentials | None) -> Desk:
    """Who comes: the token names a session, and the database says what that session is worth at this instant."""
    house: Installation = request.app.state.house
    now = request.app.state.clock()
    claims = claims_of(house, credentials, now)
    active = request.headers.get("x-background") is None  # a page that refreshes itself is not a person at work
    admitted = admit(house, claims.session_id, now, active=active)
    if admitted.verdict == "limited":
        raise RateLimited.until_next_minute(now)
    if admitted.verdict == "suspended":
        raise PracticeClosed("This practice is suspended. Ask the people who run this installation.")
    if admitted.verdict != "welcome" or admitted.account_id != claims.account_id:
        raise NotSignedIn("Your session has ended. Sign in again.")
    roles = frozenset(admitted.roles) | ({"platform_admin"} if admitted.platform_admin else set())
    request.scope["actor"] = actor = Actor(
        admitted.tenant_id or NOBODY,
        admitted.account_id,
        admitted.staff_id,
        roles,
        claims.session_id,
        request.scope["request_id"],
        admitted.client_id,
    )
    return Desk(house, actor, now, training_lapsed=admitted.training_lapsed)


def claims_of(house: Installation, credentials: HTTPAuthorizationCredentials | None, now: datetime) -> AccessClaims:
    if credentials is None:
        raise NotSignedIn("This needs a sign-in. Send the access token as `Authorization: Bearer ...`.")
    return house.tokens.read(credentials.credentials, now)


class TokenFirst(APIRoute):
    """Its body is large, and is read into memory only for somebody with a good token. (The framework reads a body
    before it calls anything of ours.) What the token's session is worth is looked up afterwards, as everywhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        serve = super().get_route_handler()

        async def serve_with_token(request: Request) -> Response:
            claims_of(request.app.state.house, await bearer(request), request.app.state.clock())
            return await serve(request)

        return serve_with_token


def permit(desk: Desk, may: str, given: dict[str, Any]) -> None:
    """`read` of a route that takes a `Reason` is also for those who may `read_with_reason`, once they say it."""
    if may == "platform":
        if "platform_admin" not in desk.actor.roles:
            raise Forbidden("This is for the people who run this installation.")
        desk.scope = Scope.ALL
    elif may != "signed_in":
        record, _, verb = may.partition(".")
        roles = desk.actor.roles
        with_reason = scope_of(roles, record, f"{verb}_with_reason") if "reason" in given else None
        if with_reason is not None and given["reason"] is None and scope_of(roles, record, verb) is None:
            raise ReasonMissing("Say in X-Reason why you need to see this: it goes into the audit log.")
        desk.scope = with_reason if with_reason and given["reason"] else require(roles, record, verb)


def count_sign_in(house: Installation, request: Request, now: datetime) -> None:
    address = caller_of(request.client.host if request.client else "unknown")
    counted = (f"address:{address}", now, house.settings.sign_ins_per_minute)
    if not house.store.run_alone("select count_request(%s, %s, %s)", counted)[0]:
        raise RateLimited("Too many attempts from this address. Wait a minute.", retry_after=60 - now.second)


def caller_of(host: str) -> str:
    """Whom an address belongs to. Of IPv6 everybody holds a whole network, and could be new with every request."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else host


# A repeated POST: the first one's answer, from the same transaction as its effect.


def fingerprint(house: Installation, request: Request, given: dict[str, Any]) -> bytes:
    """Keyed: what was sent cannot be guessed from it, however few the possibilities."""
    digest = hmac.new(
        house.fingerprint_key, f"{request.method} {request.url.path}?{request.url.query}".encode(), "sha256"
    )
    for name, value in sorted(given.items()):
        digest.update(f"\n{name}=".encode())
        digest.update(said(value))
    return digest.digest()


def said(value: Any) -> bytes:
    if isinstance(value, UploadFile):
        content = hashlib.file_digest(value.file, "sha256").digest()
        value.file.seek(0)
        return repr(value.filename).encode() + content
    return value.model_dump_json().encode() if isinstance(value, BaseModel) else repr(value).encode()


def answer_id(work: Work, key: str) -> UUID:
    return uuid5(work.actor.account_id or NOBODY, key)


def replayed(work: Work, key: str, request_hash: bytes) -> Response | None:
    """The stored answer, or None after taking the key. Of two at once the second waits here for the first."""
    row_id = answer_id(work, key)
    place = {
        "tenant_id": work.tenant_id,
        "id": row_id,
        "hash": request_hash,
        "now": work.now,
        "kept_for": ANSWERS_KEPT_FOR,
    }
    work.db.execute(
        text("delete from stored_answers where tenant_id = :tenant_id and id = :id and created_at <= :now - :kept_for"),
        place,
    )
    taken = work.db.execute(
        text("""
            insert into stored_answers (tenant_id, id, request_hash, created_at) values (:tenant_id, :id, :hash, :now)
            on conflict do nothing returning id
        """),
        place,
    ).one_or_none()
    if taken is not None:
        return None
    stored = work.db.get_one(StoredAnswer, (work.tenant_id, row_id))
    if stored.request_hash != request_hash:
        raise KeyReused("This Idempotency-Key was used for another request. Use a new key for a new request.")
    body = work.unseal("stored_answers", "answer", row_id, stored.answer) or ""
    version = json.loads(body).get("version") if body else None
    response = answer_with(body, stored.status or 200, version)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def keep(work: Work, key: str, response: Response) -> Response:
    stored = work.db.get_one(StoredAnswer, (work.tenant_id, answer_id(work, key)))
    stored.status = response.status_code
    stored.answer = work.seal("stored_answers", "answer", stored.id, bytes(response.body).decode())
    return response


# How a plain function becomes a route that FastAPI can read.


def parameters_model(function: Callable[..., Any]) -> Any:
    return inspect.signature(function).return_annotation


def register(serve: Any, function: Callable[..., Any], extra: dict[str, Any]) -> None:
    """Give the serving function the signature that FastAPI is to see: the route's own input, and what serving needs."""
    own = list(inspect.signature(function).parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    needed = [inspect.Parameter("request", keyword, annotation=Request)]
    needed += [
        inspect.Parameter(
            name, keyword, annotation=kind, default=None if name == "idempotency_key" else inspect.Parameter.empty
        )
        for name, kind in extra.items()
    ]
    serve.__signature__ = inspect.Signature([*needed, *(p.replace(kind=keyword) for p in own)])


def add_route(
    router: APIRouter,
    method: str,
    path: str,
    serve: Callable[..., Any],
    status: int,
    model: Any,
    refusals: Iterable[type[Refusal]],
    statuses: Iterable[int],
    function: Callable[..., Any],
    permission: str,
    largest_body: int | None = None,
) -> None:
    name = getattr(function, "__name__", "")
    unreadable = {400, 413} if largest_body or "body" in inspect.signature(function).parameters else set()
    a_file = {status: {"description": "The file.", "content": FILE}} if model is FileOut else {}
    router.add_api_route(
        path,
        serve,
        methods=[method],
        status_code=status,
        response_model=None if a_file else model,
        response_class=Response if a_file else JSONResponse,
        responses=a_file | documented(refusals, *statuses, *unreadable),
        summary=(inspect.getdoc(function) or name).splitlines()[0],
        operation_id=name,
        openapi_extra={"x-permission": permission} | ({"x-largest-body": largest_body} if largest_body else {}),
        route_class_override=TokenFirst if largest_body else None,
    )


async def read_if_match(
    if_match: Annotated[str | None, Header(alias="If-Match", description="The ETag that you read.")] = None,
) -> int:
    if if_match is None:
        raise PreconditionRequired(
            "Send the ETag of what you read as If-Match, so that nobody's change is overwritten."
        )
    try:
        return int(if_match.removeprefix("W/").strip('"'))
    except ValueError:
        raise Stale from None


Version = Annotated[int, Depends(read_if_match)]
Paging = Annotated[ListQuery, Query()]
__all__ = ["Desk", "Invalid", "NotFound", "Paging", "Reason", "Version", "endpoint", "public", "refuse_undeclared"]
