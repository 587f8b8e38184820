"""Signing in and out, the second factor, passwords, invitations, and a person's own sessions."""

from datetime import datetime
from functools import partial
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from api.deps import Desk, NotFound, endpoint, public
from api.fields import Code, EmailText, Password, Secret
from api.responses import Input
from practice.security import accounts, sign_in
from practice.security.accounts import PasswordRefused
from practice.security.one_time_tokens import NotValid
from practice.security.permissions import STAFF_ROLES
from practice.security.sign_in import NotYourPractice, PracticeClosed, SignInLocked, Step, Tokens, WrongCredentials
from practice.security.tokens import ACCESS_LIFETIME, NotSignedIn

router = APIRouter(prefix="/auth", tags=["auth"])


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


@public(router, "POST", "/login", refusals=[WrongCredentials, SignInLocked])
def login(desk: Desk, body: LoginIn) -> StepOut:
    """The first step: address and password."""
    return StepOut.of(sign_in.sign_in(desk.house, body.email, body.password, desk.now, desk.actor.request_id))


@public(router, "POST", "/mfa/enrol", refusals=[NotValid])
def enrol_authenticator(desk: Desk, body: StepIn) -> EnrolmentOut:
    """A secret for an authenticator app, for an account that has none."""
    secret, uri = sign_in.begin_enrolment(desk.house, body.token, desk.now)
    return EnrolmentOut(secret=secret, uri=uri)


@public(router, "POST", "/mfa/confirm", refusals=STEP_REFUSALS)
def confirm_authenticator(desk: Desk, body: CodeIn) -> StepOut:
    """The first code of the new authenticator. Answers with the recovery codes, this once."""
    step = sign_in.confirm_enrolment(desk.house, body.token, body.code, desk.now, desk.actor.request_id)
    return StepOut.of(step)


@public(router, "POST", "/mfa/verify", refusals=STEP_REFUSALS)
def verify_code(desk: Desk, body: CodeIn) -> StepOut:
    """The second step: a code of the authenticator, or a recovery code."""
    return StepOut.of(sign_in.verify_code(desk.house, body.token, body.code, desk.now, desk.actor.request_id))


@public(router, "POST", "/practice", refusals=[NotValid, NotYourPractice, PracticeClosed])
def choose_practice(desk: Desk, body: PracticeIn) -> StepOut:
    """Which practice to act in, for somebody who belongs to several."""
    step = sign_in.enter_practice(desk.house, body.token, body.practice_id, desk.now, desk.actor.request_id)
    return StepOut.of(step)


@public(router, "POST", "/refresh", refusals=[NotSignedIn], counted=False)
def refresh_tokens(desk: Desk, body: RefreshIn) -> TokensOut:
    """A new pair of tokens. A refresh token that was used before ends the session."""
    return TokensOut.of(sign_in.refresh(desk.house, body.refresh_token, desk.now, desk.actor.request_id))


@public(router, "POST", "/invitations/accept", refusals=[NotValid, WrongCredentials, SignInLocked, PasswordRefused])
def accept_invitation(desk: Desk, body: NewPasswordIn) -> Done:
    """Take a place in a practice: with a first password, or with the one that the account has."""
    accounts.accept_invitation(desk.house, body.token, body.password, desk.now, desk.actor.request_id)
    return Done()


@public(router, "POST", "/password/reset-request", status=202)
def ask_password_reset(desk: Desk, body: ResetAskIn) -> Done:
    """Have a link posted to the address, if it is known here. The answer is the same if it is not."""
    # after the answer, so that its time does not tell either
    desk.afterwards = partial(accounts.ask_reset, desk.house, body.email, desk.now)
    return Done()


@public(router, "POST", "/password/reset", refusals=[NotValid, PasswordRefused])
def reset_password(desk: Desk, body: NewPasswordIn) -> Done:
    """A new password by the link that was posted. Every session of the account ends."""
    accounts.reset_password(desk.house, body.token, body.password, desk.now, desk.actor.request_id)
    return Done()


@endpoint(
    router,
    "POST",
    "/password",
    may="signed_in",
    refusals=[WrongCredentials, SignInLocked, PasswordRefused],
    own_transactions=True,
)
def change_password(desk: Desk, body: ChangePasswordIn) -> Done:
    """Change the own password. Every other session of the account ends."""
    accounts.change_password(desk.house, desk.actor, body.current, body.new, desk.now)
    return Done()


@endpoint(router, "GET", "/me", may="signed_in", while_lapsed=True)
def me(desk: Desk) -> MeOut:
    """Who is signed in, where, and as what."""
    actor = desk.actor
    return MeOut(
        account_id=desk.account_id,
        practice_id=actor.tenant_id if actor.tenant_id.int else None,
        staff_id=actor.staff_id,
        client_id=actor.client_id,
        roles=sorted(actor.roles, key=[*STAFF_ROLES, "client", "platform_admin"].index),
        session_id=desk.session_id,
        suspended="TRAINING_LAPSED" if desk.training_lapsed else None,
    )


@endpoint(router, "POST", "/logout", may="signed_in", status=204, while_lapsed=True)
def logout(desk: Desk) -> None:
    """End this session, at once."""
    revoke(desk, desk.session_id)


@endpoint(router, "GET", "/sessions", may="signed_in")
def list_sessions(desk: Desk) -> SessionsOut:
    """The own sessions that are open, in every practice."""
    return SessionsOut(
        items=[
            SessionOut(
                id=session.id,
                practice_id=session.tenant_id,
                started_at=session.started_at,
                last_seen_at=session.last_seen_at,
                current=session.id == desk.actor.session_id,
            )
            for session in accounts.sessions_of(desk.work.db, desk.account_id, desk.now)
        ]
    )


@endpoint(router, "DELETE", "/sessions/{session_id}", may="signed_in", status=204)
def end_session(desk: Desk, session_id: UUID) -> None:
    """End one of the own sessions, at once."""
    revoke(desk, session_id)


def revoke(desk: Desk, session_id: UUID) -> None:
    own = {session.id for session in accounts.sessions_of(desk.work.db, desk.account_id, desk.now)}
    if session_id not in own:
        raise NotFound
    sign_in.end_session(desk.work.db, session_id, "signed out", desk.now)
    desk.work.record("session.ended", "session", session_id)
