"""The context of a request: the caller, the scope of their permission, and the open transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BeforeValidator, StringConstraints

from api.errors import PreconditionRequired, ReasonMissing
from api.fields import PLAIN, VISIBLE
from api.responses import ListQuery
from practice.errors import Stale
from practice.security.admission import RateLimited, admit
from practice.security.installation import Installation
from practice.security.permissions import Forbidden, Scope, find_scope, require
from practice.security.sign_in import PracticeClosed
from practice.security.tokens import AccessClaims, NotSignedIn
from practice.security.work import Actor, Work
from practice.store.ids import SYSTEM_TENANT

bearer = HTTPBearer(auto_error=False, description="The access token of a sign-in.")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=8, max_length=100, description="Repeat it to repeat a request safely."),
]


def decode_header(value: str) -> str:
    """Return a header that was sent in UTF-8 as it was meant; servers read headers as Latin-1."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


HeaderText = Annotated[
    str, StringConstraints(min_length=3, max_length=200, pattern=PLAIN), VISIBLE, BeforeValidator(decode_header)
]
Reason = Annotated[HeaderText | None, Header(alias="X-Reason", description="The reason, for the audit log.")]
Paging = Annotated[ListQuery, Query()]


@dataclass(slots=True)
class RequestContext:
    """The installation, the caller, the scope of their permission, and the open transaction of one request."""

    installation: Installation
    actor: Actor
    now: datetime
    scope: Scope = Scope.OWN
    training_lapsed: bool = False
    # runs once the transaction is committed or, on a public route, the response is sent
    afterwards: Callable[[], None] | None = None
    _work: Work | None = None

    @property
    def account_id(self) -> UUID:
        assert self.actor.account_id is not None  # noqa: S101 - authenticated callers have an account
        return self.actor.account_id

    @property
    def session_id(self) -> UUID:
        assert self.actor.session_id is not None  # noqa: S101 - and a session
        return self.actor.session_id

    @property
    def own_staff_id(self) -> UUID:
        assert self.actor.staff_id is not None  # noqa: S101 - clinicians and supervisors are staff
        return self.actor.staff_id

    @property
    def work(self) -> Work:
        assert self._work is not None, "a public route opens its own transactions"  # noqa: S101
        return self._work


def authenticate(request: Request, credentials: HTTPAuthorizationCredentials | None) -> RequestContext:
    """Resolve the access token to a live session, or raise NotSignedIn."""
    installation: Installation = request.app.state.installation
    now = request.app.state.clock()
    claims = read_claims(installation, credentials, now)
    active = request.headers.get("x-background") is None  # automatic polling is not a sign of presence
    admitted = admit(installation, claims.session_id, now, active=active)
    if admitted.verdict == "limited":
        raise RateLimited.until_next_minute(now)
    if admitted.verdict == "suspended":
        raise PracticeClosed("This practice is suspended. Contact the operator of this installation.")
    if admitted.verdict != "welcome" or admitted.account_id != claims.account_id:
        raise NotSignedIn("Your session has ended. Sign in again.")
    roles = frozenset(admitted.roles) | ({"platform_admin"} if admitted.platform_admin else set())
    request.scope["actor"] = actor = Actor(
        admitted.tenant_id or SYSTEM_TENANT,
        admitted.account_id,
        admitted.staff_id,
        roles,
        claims.session_id,
        request.scope["request_id"],
        admitted.client_id,
    )
    return RequestContext(installation, actor, now, training_lapsed=admitted.training_lapsed)


def read_claims(
    installation: Installation, credentials: HTTPAuthorizationCredentials | None, now: datetime
) -> AccessClaims:
    """Return the claims of a valid access token, or raise NotSignedIn."""
    if credentials is None:
        raise NotSignedIn("Not signed in. Send the access token as `Authorization: Bearer ...`.")
    return installation.tokens.read(credentials.credentials, now)


def authorize(ctx: RequestContext, permission: str, *, takes_reason: bool, has_reason: bool) -> None:
    """Set the scope of the caller's permission, or raise Forbidden.

    A route that takes a `Reason` is also open to roles with `<verb>_with_reason`, once they send one.
    """
    if permission == "platform":
        if "platform_admin" not in ctx.actor.roles:
            raise Forbidden("Only the operator of this installation may do this.")
        ctx.scope = Scope.ALL
    elif permission != "signed_in":
        record, _, verb = permission.partition(".")
        roles = ctx.actor.roles
        with_reason = find_scope(roles, record, f"{verb}_with_reason") if takes_reason else None
        if with_reason is not None and not has_reason and find_scope(roles, record, verb) is None:
            raise ReasonMissing("Missing reason. State it in the X-Reason header; it goes into the audit log.")
        ctx.scope = with_reason if with_reason and has_reason else require(roles, record, verb)


def limit_by_address(installation: Installation, request: Request, now: datetime) -> None:
    """Raise RateLimited when a network address has made too many attempts in this minute."""
    counted = (f"address:{read_address(request)}", now, installation.settings.sign_ins_per_minute)
    if not installation.store.execute_autocommit("select count_request(%s, %s, %s)", counted)[0]:
        raise RateLimited("Too many attempts from this address. Wait a minute.", retry_after=60 - now.second)


def read_address(request: Request) -> str:
    """Return the network address that the request is counted by."""
    return find_network(request.client.host if request.client else "unknown")


def find_network(host: str) -> str:
    """Return the address to count by: for IPv6 its /64 network, since one caller owns all of it."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else host


async def read_if_match(
    if_match: Annotated[str | None, Header(alias="If-Match", description="The ETag that you read.")] = None,
) -> int:
    """Return the version that the caller read, or raise PreconditionRequired."""
    if if_match is None:
        raise PreconditionRequired("Missing If-Match. Send the ETag that you read, so that no change is overwritten.")
    try:
        return int(if_match.removeprefix("W/").strip('"'))
    except ValueError:
        raise Stale from None


Version = Annotated[int, Depends(read_if_match)]
