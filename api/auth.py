"""Signing in and out, the second factor, passwords, invitations, and a person's own sessions."""

from datetime import datetime
from functools import partial
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from api.context import RequestContext
from api.fields import Code, EmailText, Password, Secret
from api.responses import Input
from api.routing import PermissionRouter
from practice.errors import NotFound
from practice.security import accounts, sign_in
from practice.security.accounts import PasswordRefused
from practice.security.one_time_tokens import NotValid
from practice.security.permissions import STAFF_ROLES
from practice.security.sign_in import NotYourPractice, PracticeClosed, SignInLocked, Step, Tokens, WrongCredentials
from practice.security.tokens import ACCESS_LIFETIME, NotSignedIn

router = PermissionRouter(prefix="/auth", tags=["auth"])


class LoginIn(Input):
    email: EmailText
    password: Password


class StepIn(Input):
    token: Secret


class CodeIn(StepIn):
    code: Code


class PracticeIn(StepIn):
    practice_id: UUID


class RefreshIn(Input):
    refresh_token: Secret


class NewPasswordIn(StepIn):
    password: Password


class ChangePasswordIn(Input):
    current: Password
    new: Password


class ResetAskIn(Input):
    email: EmailText


class TokensOut(BaseModel):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the kind, not a token
    expires_in: int
    refresh_token: str
    session_id: UUID
    suspended: Literal["TRAINING_LAPSED"] | None

    @classmethod
    def of(cls, tokens: Tokens) -> "TokensOut":
        return cls(
            access_token=tokens.access,
            expires_in=int(ACCESS_LIFETIME.total_seconds()),
            refresh_token=tokens.refresh,
            session_id=tokens.session_id,
            suspended="TRAINING_LAPSED" if tokens.training_lapsed else None,
        )


class PracticeChoice(BaseModel):
    id: UUID
    name: str


class StepOut(BaseModel):
    """What comes next: a `code`, `enrol` an authenticator, choose a `practice`, set a `new_password`, or `done`."""

    next: Literal["code", "enrol", "practice", "new_password", "done"]
    token: str | None
    practices: list[PracticeChoice] | None
    recovery_codes: list[str] | None
    tokens: TokensOut | None

    @classmethod
    def of(cls, step: Step) -> "StepOut":
        return cls(
            next=step.next,
            token=step.token,
            practices=None if step.practices is None else [PracticeChoice(id=i, name=n) for i, n in step.practices],
            recovery_codes=step.recovery_codes,
            tokens=None if step.tokens is None else TokensOut.of(step.tokens),
        )


class EnrolmentOut(BaseModel):
    secret: str
    uri: str


class Done(BaseModel):
    done: Literal[True] = True


class SessionOut(BaseModel):
    id: UUID
    practice_id: UUID | None
    started_at: datetime
    last_seen_at: datetime
    current: bool


class SessionsOut(BaseModel):
    items: list[SessionOut]


class MeOut(BaseModel):
    account_id: UUID
    practice_id: UUID | None
    staff_id: UUID | None
    client_id: UUID | None
    roles: list[str]
    session_id: UUID
    suspended: Literal["TRAINING_LAPSED"] | None


STEP_REFUSALS = (WrongCredentials, SignInLocked, NotValid, PracticeClosed)


@router.public_post("/login", errors=[WrongCredentials, SignInLocked])
def login(ctx: RequestContext, body: LoginIn) -> StepOut:
    """The first step: address and password."""
    return StepOut.of(sign_in.sign_in(ctx.installation, body.email, body.password, ctx.now, ctx.actor.request_id))


@router.public_post("/mfa/enrol", errors=[NotValid])
def enrol_authenticator(ctx: RequestContext, body: StepIn) -> EnrolmentOut:
    """A secret for an authenticator app, for an account that has none."""
    secret, uri = sign_in.begin_enrolment(ctx.installation, body.token, ctx.now)
    return EnrolmentOut(secret=secret, uri=uri)


@router.public_post("/mfa/confirm", errors=STEP_REFUSALS)
def confirm_authenticator(ctx: RequestContext, body: CodeIn) -> StepOut:
    """The first code of the new authenticator. Answers with the recovery codes, this once."""
    step = sign_in.confirm_enrolment(ctx.installation, body.token, body.code, ctx.now, ctx.actor.request_id)
    return StepOut.of(step)


@router.public_post("/mfa/verify", errors=STEP_REFUSALS)
def verify_code(ctx: RequestContext, body: CodeIn) -> StepOut:
    """The second step: a code of the authenticator, or a recovery code."""
    return StepOut.of(sign_in.verify_code(ctx.installation, body.token, body.code, ctx.now, ctx.actor.request_id))


@router.public_post("/practice", errors=[NotValid, NotYourPractice, PracticeClosed])
def choose_practice(ctx: RequestContext, body: PracticeIn) -> StepOut:
    """Which practice to act in, for somebody who belongs to several."""
    step = sign_in.enter_practice(ctx.installation, body.token, body.practice_id, ctx.now, ctx.actor.request_id)
    return StepOut.of(step)


@router.public_post("/refresh", errors=[NotSignedIn], rate_limited=False)
def refresh_tokens(ctx: RequestContext, body: RefreshIn) -> TokensOut:
    """A new pair of tokens. A refresh token that was used before ends the session."""
    return TokensOut.of(sign_in.refresh(ctx.installation, body.refresh_token, ctx.now, ctx.actor.request_id))


@router.public_post("/invitations/accept", errors=[NotValid, WrongCredentials, SignInLocked, PasswordRefused])
def accept_invitation(ctx: RequestContext, body: NewPasswordIn) -> Done:
    """Take a place in a practice: with a first password, or with the one that the account has."""
    accounts.accept_invitation(ctx.installation, body.token, body.password, ctx.now, ctx.actor.request_id)
    return Done()


@router.public_post("/password/reset-request", status_code=202)
def ask_password_reset(ctx: RequestContext, body: ResetAskIn) -> Done:
    """Have a link posted to the address, if it is known here. The answer is the same if it is not."""
    # after the answer, so that its time does not tell either
    ctx.afterwards = partial(accounts.ask_reset, ctx.installation, body.email, ctx.now)
    return Done()


@router.public_post("/password/reset", errors=[NotValid, PasswordRefused])
def reset_password(ctx: RequestContext, body: NewPasswordIn) -> Done:
    """A new password by the link that was posted. Every session of the account ends."""
    accounts.reset_password(ctx.installation, body.token, body.password, ctx.now, ctx.actor.request_id)
    return Done()


@router.post(
    "/password",
    permission="signed_in",
    errors=[WrongCredentials, SignInLocked, PasswordRefused],
    manages_transactions=True,
)
def change_password(ctx: RequestContext, body: ChangePasswordIn) -> Done:
    """Change the own password. Every other session of the account ends."""
    accounts.change_password(ctx.installation, ctx.actor, body.current, body.new, ctx.now)
    return Done()


@router.get("/me", permission="signed_in", allow_lapsed_training=True)
def me(ctx: RequestContext) -> MeOut:
    """Who is signed in, where, and as what."""
    actor = ctx.actor
    return MeOut(
        account_id=ctx.account_id,
        practice_id=actor.tenant_id if actor.tenant_id.int else None,
        staff_id=actor.staff_id,
        client_id=actor.client_id,
        roles=sorted(actor.roles, key=[*STAFF_ROLES, "client", "platform_admin"].index),
        session_id=ctx.session_id,
        suspended="TRAINING_LAPSED" if ctx.training_lapsed else None,
    )


@router.post("/logout", permission="signed_in", status_code=204, allow_lapsed_training=True)
def logout(ctx: RequestContext) -> None:
    """End this session, at once."""
    revoke(ctx, ctx.session_id)


@router.get("/sessions", permission="signed_in")
def list_sessions(ctx: RequestContext) -> SessionsOut:
    """The own sessions that are open, in every practice."""
    return SessionsOut(
        items=[
            SessionOut(
                id=session.id,
                practice_id=session.tenant_id,
                started_at=session.started_at,
                last_seen_at=session.last_seen_at,
                current=session.id == ctx.actor.session_id,
            )
            for session in accounts.sessions_of(ctx.work.db, ctx.account_id, ctx.now)
        ]
    )


@router.delete("/sessions/{session_id}", permission="signed_in", status_code=204)
def end_session(ctx: RequestContext, session_id: UUID) -> None:
    """End one of the own sessions, at once."""
    revoke(ctx, session_id)


def revoke(ctx: RequestContext, session_id: UUID) -> None:
    own = {session.id for session in accounts.sessions_of(ctx.work.db, ctx.account_id, ctx.now)}
    if session_id not in own:
        raise NotFound
    sign_in.end_session(ctx.work.db, session_id, "signed out", ctx.now)
    ctx.work.record("session.ended", "session", session_id)
