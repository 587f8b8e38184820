"""Routes that declare a permission. An app with any other route does not start (`refuse_undeclared`).

A route is a plain function from a RequestContext and its input to a model. The router authenticates and authorizes the
caller before it reads a body, opens the transaction, replays a repeated POST, and commits after it has rendered the
response. Nothing else commits.
"""

import inspect
from collections.abc import Callable, Coroutine, Iterable
from datetime import timedelta
from functools import partial, wraps
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from api.context import (
    Bearer,
    IdempotencyKey,
    RequestContext,
    authenticate,
    authorize,
    bearer,
    limit_by_address,
    read_address,
)
from api.document import PATH_PARAMETERS
from api.errors import KeyReused, ReasonMissing, TrainingLapsed, document_errors
from api.field_problems import unknown_parameter_problems
from api.idempotency import fingerprint, replay, reserve_key, store_response
from api.names import fill_names
from api.password_queue import PasswordQueue, SignInBusy
from api.responses import FileOut, StreamOut, render
from practice.errors import ConfigurationProblem, Invalid, Refusal
from practice.security.installation import Installation
from practice.security.permissions import KNOWN
from practice.security.sign_in import PracticeClosed
from practice.security.work import Actor

Route = Callable[..., Any]
Admit = Callable[[Request, Any], RequestContext | None]
Declare = Callable[[Route], Route]

DOCS_FILES = ("start.js", "swagger-ui-bundle.js", "swagger-ui.css")
ADMITTED = "admitted"  # in the scope of a request whose body was read: its context
PUBLIC_BODY_BYTES = 16_000  # of callers who are not signed in
READMIT_AFTER = timedelta(seconds=30)  # a caller whose body took longer is admitted again
FILE = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
# The OpenAPI document, the pages and the metrics contain no records and are not made by a PermissionRouter.
OPEN_TO_ALL = {"/", "/api/v1/openapi.json", "/metrics", "/docs", *(f"/docs/{name}" for name in DOCS_FILES)}


class PermissionRouter(APIRouter):
    """A router whose routes name who may call them: `record.verb` of the role matrix, `signed_in`, or `platform`.

    Its methods are narrower than FastAPI's: a route without a permission does not even type-check.
    """

    def get(self, path: str, *, permission: str, **options: Any) -> Declare:  # ty: ignore[incompatible-method-override]
        return self._declare("GET", path, permission, **options)

    def post(self, path: str, *, permission: str, **options: Any) -> Declare:  # ty: ignore[incompatible-method-override]
        return self._declare("POST", path, permission, **options)

    def put(self, path: str, *, permission: str, **options: Any) -> Declare:  # ty: ignore[incompatible-method-override]
        return self._declare("PUT", path, permission, **options)

    def patch(self, path: str, *, permission: str, **options: Any) -> Declare:  # ty: ignore[incompatible-method-override]
        return self._declare("PATCH", path, permission, **options)

    def delete(self, path: str, *, permission: str, **options: Any) -> Declare:  # ty: ignore[incompatible-method-override]
        return self._declare("DELETE", path, permission, **options)

    def public_get(self, path: str, **options: Any) -> Declare:
        return self._declare_public("GET", path, **options)

    def public_post(self, path: str, **options: Any) -> Declare:
        return self._declare_public("POST", path, **options)

    def _declare(
        self,
        method: str,
        path: str,
        permission: str,
        *,
        status_code: int = 200,
        errors: Iterable[type[Refusal]] = (),
        allow_lapsed_training: bool = False,
        manages_transactions: bool = False,
        hashes_password: bool = False,
        max_body_bytes: int | None = None,
    ) -> Declare:
        record, _, verb = permission.partition(".")
        if permission not in ("signed_in", "platform") and (record, verb) not in KNOWN:
            raise ConfigurationProblem(f"The route {path} asks for a permission that does not exist: {permission}.")

        def declare(function: Route) -> Route:
            parameters = inspect.signature(function).parameters
            operation = getattr(function, "__name__", "")
            keyed = method == "POST" and not manages_transactions
            takes_reason = "reason" in parameters

            def admit(request: Request, credentials: Any) -> RequestContext:
                ctx = authenticate(request, credentials)
                if ctx.training_lapsed and not allow_lapsed_training:
                    raise TrainingLapsed("Your HIPAA training has lapsed. Record a new one to continue.")
                has_reason = bool(request.headers.get("x-reason"))
                authorize(ctx, permission, takes_reason=takes_reason, has_reason=has_reason)
                return ctx

            def answer(ctx: RequestContext, **arguments: Any) -> Any:
                result = function(ctx, **arguments)
                fill_names(ctx.work, result)
                return result

            @wraps(function)
            def serve(
                request: Request, credentials: Any, idempotency_key: str | None = None, **arguments: Any
            ) -> Response:
                ctx = request.scope.get(ADMITTED)
                if ctx is None or request.app.state.clock() - ctx.now > READMIT_AFTER:
                    ctx = admit(request, credentials)
                refuse_unknown_parameters(request)
                if manages_transactions:
                    return render(function(ctx, **arguments), status_code, arguments)
                with ctx.installation.work(ctx.actor, ctx.now) as work:
                    ctx._work = work
                    stored = None
                    if idempotency_key is not None:
                        request_hash = fingerprint(ctx.installation, request, arguments)
                        stored = reserve_key(work, idempotency_key, request_hash)
                    if stored is not None:
                        response = replay(ctx, operation, arguments, stored)
                    else:
                        response = render(answer(ctx, **arguments), status_code, arguments)
                        if idempotency_key is not None:
                            store_response(work, idempotency_key, response)
                if ctx.afterwards is not None:
                    ctx.afterwards()
                return response

            endpoint: Route = wait_in_queue(serve) if hashes_password else serve
            extra = {"idempotency_key": IdempotencyKey} if keyed else {}
            set_signature(endpoint, function, self.prefix + path, {"credentials": Bearer, **extra})
            statuses = {401, 403, 422, 429, 503} | ({404} if "{" in self.prefix + path else set())
            statuses |= {412, 428} if "version" in parameters else set()
            common: list[type[Refusal]] = [TrainingLapsed, PracticeClosed, *([KeyReused] if keyed else [])]
            common += [SignInBusy] if hashes_password else []
            common += [ReasonMissing] if takes_reason and (record, f"{verb}_with_reason") in KNOWN else []
            self._add(
                method,
                path,
                endpoint,
                function,
                permission,
                status_code,
                [*errors, *common],
                statuses,
                admit,
                max_body_bytes,
            )
            return function

        return declare

    def _declare_public(
        self,
        method: str,
        path: str,
        *,
        status_code: int = 200,
        errors: Iterable[type[Refusal]] = (),
        rate_limited: bool = True,
        hashes_password: bool = False,
    ) -> Declare:
        """Declare a route for callers who are not signed in, counted by address since they have no account."""

        def declare(function: Route) -> Route:
            def admit(request: Request, _credentials: Any = None) -> RequestContext:
                installation: Installation = request.app.state.installation
                now = request.app.state.clock()
                if rate_limited:
                    limit_by_address(installation, request, now)
                return RequestContext(installation, Actor(request_id=request.scope["request_id"]), now)

            @wraps(function)
            def serve(request: Request, **arguments: Any) -> Response:
                ctx = request.scope.get(ADMITTED) or admit(request)
                refuse_unknown_parameters(request)
                response = render(function(ctx, **arguments), status_code, arguments)
                response.background = BackgroundTask(ctx.afterwards) if ctx.afterwards else None
                return response

            endpoint: Route = wait_in_queue(serve) if hashes_password else serve
            set_signature(endpoint, function, self.prefix + path, {})
            statuses = {422, 503} | ({429} if rate_limited else set())
            refusals = [*errors, *([SignInBusy] if hashes_password else [])]
            body_bytes = PUBLIC_BODY_BYTES if "body" in inspect.signature(function).parameters else None
            self._add(method, path, endpoint, function, "public", status_code, refusals, statuses, admit, body_bytes)
            return function

        return declare

    def _add(
        self,
        method: str,
        path: str,
        serve: Route,
        function: Route,
        permission: str,
        status_code: int,
        errors: Iterable[type[Refusal]],
        statuses: Iterable[int],
        admit: Admit,
        max_body_bytes: int | None = None,
    ) -> None:
        name = getattr(function, "__name__", "")
        summary, _, description = (inspect.getdoc(function) or name).partition("\n")
        model = response_model(function)
        serve.__doc__ = description.strip()  # FastAPI takes the description of the operation from here
        takes_body = max_body_bytes is not None or "body" in inspect.signature(function).parameters
        unreadable = {400, 408, 413} if takes_body else set()
        file = {status_code: {"description": "The file.", "content": FILE}} if model in (FileOut, StreamOut) else {}
        self.add_api_route(
            path,
            serve,
            methods=[method],
            status_code=status_code,
            response_model=None if file else model,
            response_class=Response if file else JSONResponse,
            responses=file | document_errors(errors, *statuses, *unreadable),
            summary=summary.removesuffix("."),
            operation_id=name,
            openapi_extra={"x-permission": permission}
            | ({"x-max-body-bytes": max_body_bytes} if max_body_bytes else {}),
            route_class_override=admit_first(admit) if takes_body else None,
        )


def refuse_unknown_parameters(request: Request) -> None:
    """Raise Invalid for query parameters that the route does not read."""
    problems = unknown_parameter_problems(request)
    if problems:
        raise Invalid(problems)


def wait_in_queue(serve: Route) -> Route:
    """Return a serving function that waits for its turn to hash a password, outside the threads of other requests."""

    @wraps(serve)
    async def serve_in_turn(request: Request, **arguments: Any) -> Response:
        queue: PasswordQueue = request.app.state.password_queue
        return await queue.run(read_address(request), partial(serve, request=request, **arguments))

    return serve_in_turn


def admit_first(admit: Admit) -> type[APIRoute]:
    """Return the class of a route whose body is read for admitted callers only.

    FastAPI reads a body before it calls the route.
    """

    class AdmittingRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            serve = super().get_route_handler()

            async def serve_admitted(request: Request) -> Response:
                request.scope[ADMITTED] = await run_in_threadpool(admit, request, await bearer(request))
                return await serve(request)

            return serve_admitted

    return AdmittingRoute


def refuse_undeclared(app: FastAPI) -> None:
    """Raise ConfigurationProblem when a route declares no permission: access is denied by default."""
    for context in iter_route_contexts(app.routes):  # `app.routes` itself shows included routers, not their routes
        route = context.original_route
        declared = isinstance(route, APIRoute) and "x-permission" in (route.openapi_extra or {})
        if not declared and context.path not in OPEN_TO_ALL:
            raise ConfigurationProblem(
                f"The route {context.path} declares no permission. Add it with a PermissionRouter."
            )


def response_model(function: Route) -> Any:
    """Return the model that a route function is annotated to return."""
    return inspect.signature(function).return_annotation


def set_signature(serve: Any, function: Route, path: str, extra: dict[str, Any]) -> None:
    """Give the serving function the signature that FastAPI reads: the route's own input and what serving needs.

    Parameters in the path are described here, since they mean the same in all routes.
    """
    parameters = list(inspect.signature(function).parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    needed = [inspect.Parameter("request", keyword, annotation=Request)]
    needed += [
        inspect.Parameter(
            name, keyword, annotation=kind, default=None if name == "idempotency_key" else inspect.Parameter.empty
        )
        for name, kind in extra.items()
    ]
    own = [
        parameter.replace(
            annotation=Annotated[parameter.annotation, Path(description=PATH_PARAMETERS.get(parameter.name))]
        )
        if f"{{{parameter.name}}}" in path
        else parameter
        for parameter in parameters
    ]
    serve.__signature__ = inspect.Signature([*needed, *(parameter.replace(kind=keyword) for parameter in own)])
