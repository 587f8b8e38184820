"""Routes of sign-in: passwords, the second factor, invitations, tokens, and the caller's own sessions."""

from datetime import datetime
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.context import RequestContext
from api.fields import EXAMPLE_ID, EXAMPLE_SECRET, Code, EmailText, Password, Secret, describe, example
from api.responses import Input
from api.routing import PermissionRouter
from practice.errors import NotFound
from practice.people import portal, practices
from practice.security import accounts, sign_in
from practice.security.accounts import PasswordRefused
from practice.security.attempts import SignInLocked
from practice.security.one_time_tokens import InvalidToken
from practice.security.permissions import STAFF_ROLES
from practice.security.sign_in import NotYourPractice, PracticeClosed, Step, Tokens, WrongCredentials
from practice.security.tokens import ACCESS_LIFETIME, NotSignedIn

router = PermissionRouter(prefix="/auth", tags=["auth"])


class LoginIn(Input):
    model_config = example(email="ada@oak.example", password=EXAMPLE_SECRET)

    email: Annotated[EmailText, describe("The email address of the account.")]
    password: Annotated[Password, describe("The password.")]


class StepIn(Input):
    model_config = example(token=EXAMPLE_SECRET)

    token: Annotated[Secret, describe("The token of the step before, or of an emailed link.")]


class CodeIn(StepIn):
    model_config = example(token=EXAMPLE_SECRET, code="123456")

    code: Annotated[Code, describe("The six digits that the authenticator shows, or a recovery code.")]


class AuthenticatorCodeIn(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "123456"}]})

    code: Annotated[Code, Field(description="A current code of your authenticator.")]


class PracticeChoiceIn(StepIn):
    model_config = example(token=EXAMPLE_SECRET, practice_id=EXAMPLE_ID)

    practice_id: Annotated[UUID, describe("One of the practices that the step before listed.")]


class RefreshIn(Input):
    model_config = example(refresh_token=EXAMPLE_SECRET)

    refresh_token: Annotated[Secret, describe("The token that a new access token is exchanged for; it works once.")]


class NewPasswordIn(StepIn):
    model_config = example(token=EXAMPLE_SECRET, password=EXAMPLE_SECRET)

    password: Annotated[Password, describe("The new password.")]


class ChangePasswordIn(Input):
    model_config = example(current=EXAMPLE_SECRET, new=EXAMPLE_SECRET)

    current: Annotated[Password, describe("The password until now.")]
    new: Annotated[Password, describe("The new password.")]


class ResetRequestIn(Input):
    model_config = example(email="ada@oak.example")

    email: Annotated[EmailText, describe("The email address of the account.")]


class TokensOut(BaseModel):
    access_token: Annotated[str, describe("Send it as `Authorization: Bearer ...`.")]
    token_type: Annotated[Literal["Bearer"], describe("Always `Bearer`.")] = "Bearer"  # noqa: S105 - a token type, not a token
    expires_in: Annotated[int, describe("Seconds until the access token expires.")]
    refresh_token: Annotated[str, describe("The token that a new access token is exchanged for; it works once.")]
    session_id: Annotated[UUID, describe("The sign-in session.")]
    restriction: Annotated[
        Literal["TRAINING_LAPSED"] | None,
        describe("`TRAINING_LAPSED` when only the recording of a training is possible."),
    ]

    @classmethod
    def of(cls, tokens: Tokens) -> "TokensOut":
        return cls(
            access_token=tokens.access,
            expires_in=int(ACCESS_LIFETIME.total_seconds()),
            refresh_token=tokens.refresh,
            session_id=tokens.session_id,
            restriction="TRAINING_LAPSED" if tokens.training_lapsed else None,
        )


class PracticeChoice(BaseModel):
    id: Annotated[UUID, describe("The id of the practice.")]
    name: Annotated[str, describe("The name of the practice.")]


class StepOut(BaseModel):
    """The next step: `code`, `enroll` an authenticator, choose a `practice`, set a `new_password`, or `done`."""

    next: Annotated[Literal["code", "enroll", "practice", "new_password", "done"], describe("What to do next.")]
    token: Annotated[str | None, describe("Send it with the next step; null when done.")]
    practices: Annotated[list[PracticeChoice] | None, describe("The practices to choose from.")]
    recovery_codes: Annotated[list[str] | None, describe("Codes for a lost authenticator, shown only once.")]
    tokens: Annotated[TokensOut | None, describe("The tokens, when done.")]

    @classmethod
    def of(cls, step: Step) -> "StepOut":
        return cls(
            next="enroll" if step.next == "enrol" else step.next,  # the stored purpose of the token is `enrol`
            token=step.token,
            practices=None
            if step.practices is None
            else [PracticeChoice(id=practice_id, name=name) for practice_id, name in step.practices],
            recovery_codes=step.recovery_codes,
            tokens=None if step.tokens is None else TokensOut.of(step.tokens),
        )


class EnrollmentOut(BaseModel):
    secret: Annotated[str, describe("The secret to type into an authenticator.")]
    uri: Annotated[str, describe("The same as a URI, for a QR code.")]


class RecoveryCodesOut(BaseModel):
    recovery_codes: Annotated[
        list[str], describe("Codes for a lost authenticator, each for one sign-in; shown only once.")
    ]


class Done(BaseModel):
    done: Annotated[Literal[True], describe("Always true.")] = True


class AccountSessionOut(BaseModel):
    id: Annotated[UUID, describe("The id of the session.")]
    practice_id: Annotated[UUID | None, describe("The practice; null for the operator of the installation.")]
    started_at: Annotated[datetime, describe("When the person signed in.")]
    last_seen_at: Annotated[datetime, describe("When it was last used.")]
    current: Annotated[bool, describe("Whether it is the session of this request.")]


class AccountSessionsOut(BaseModel):
    items: Annotated[list[AccountSessionOut], describe("The live sessions, newest first.")]


class MeOut(BaseModel):
    """The caller. `name` is null for a platform admin, as is everything about a practice."""

    account_id: Annotated[UUID, describe("The account of the person.")]
    name: Annotated[str | None, describe("Your first and last name, as on your staff or client record.")]
    practice_id: Annotated[UUID | None, describe("The practice; null for the operator of the installation.")]
    practice_name: Annotated[str | None, describe("The name of the practice you are signed in to.")]
    time_zone: Annotated[str | None, describe("Its time zone, in which local dates and times are given.")]
    staff_id: Annotated[UUID | None, describe("Your record as staff of the practice.")]
    client_id: Annotated[UUID | None, describe("Your record as a client of the practice.")]
    roles: Annotated[list[str], describe("What you may do.")]
    session_id: Annotated[UUID, describe("The sign-in session.")]
    restriction: Annotated[
        Literal["TRAINING_LAPSED"] | None,
        describe("`TRAINING_LAPSED` when only the recording of a training is possible."),
    ]


STEP_REFUSALS = (WrongCredentials, SignInLocked, InvalidToken, PracticeClosed)


@router.public_post("/login", errors=[WrongCredentials, SignInLocked], hashes_password=True)
def log_in(ctx: RequestContext, body: LoginIn) -> StepOut:
    """Sign in with email and password.

    The first step; the response names the next one.
    """
    return StepOut.of(sign_in.sign_in(ctx.installation, body.email, body.password, ctx.now, ctx.actor.request_id))


@router.public_post("/mfa/enroll", errors=[InvalidToken])
def enroll_authenticator(ctx: RequestContext, body: StepIn) -> EnrollmentOut:
    """Enroll an authenticator app.

    Returns the secret for an account that has no authenticator.
    """
    secret, uri = sign_in.begin_enrollment(ctx.installation, body.token, ctx.now)
    return EnrollmentOut(secret=secret, uri=uri)


@router.public_post("/mfa/confirm", errors=STEP_REFUSALS)
def confirm_authenticator(ctx: RequestContext, body: CodeIn) -> StepOut:
    """Confirm a new authenticator.

    Takes its first code and returns the recovery codes, which are shown only once.
    """
    step = sign_in.confirm_enrollment(ctx.installation, body.token, body.code, ctx.now, ctx.actor.request_id)
    return StepOut.of(step)


@router.public_post("/mfa/verify", errors=STEP_REFUSALS)
def verify_code(ctx: RequestContext, body: CodeIn) -> StepOut:
    """Verify the second factor.

    Takes a code of the authenticator or a recovery code.
    """
    return StepOut.of(sign_in.verify_code(ctx.installation, body.token, body.code, ctx.now, ctx.actor.request_id))


@router.public_post("/practice", errors=[InvalidToken, NotYourPractice, PracticeClosed])
def choose_practice(ctx: RequestContext, body: PracticeChoiceIn) -> StepOut:
    """Choose a practice.

    For people who belong to several.
    """
    step = sign_in.enter_practice(ctx.installation, body.token, body.practice_id, ctx.now, ctx.actor.request_id)
    return StepOut.of(step)


@router.public_post("/refresh", errors=[NotSignedIn], rate_limited=False)
def refresh_tokens(ctx: RequestContext, body: RefreshIn) -> TokensOut:
    """Refresh the tokens of a session.

    Reusing a refresh token ends the session.
    """
    return TokensOut.of(sign_in.refresh_session(ctx.installation, body.refresh_token, ctx.now, ctx.actor.request_id))


@router.public_post(
    "/invitations/accept",
    errors=[InvalidToken, WrongCredentials, SignInLocked, PasswordRefused],
    hashes_password=True,
)
def accept_invitation(ctx: RequestContext, body: NewPasswordIn) -> Done:
    """Accept an invitation.

    Sets the password of a new account; an existing account sends its own.
    """
    accounts.accept_invitation(ctx.installation, body.token, body.password, ctx.now, ctx.actor.request_id)
    return Done()


@router.public_post("/email-changes/confirm", errors=[InvalidToken])
def confirm_email_change(ctx: RequestContext, body: StepIn) -> Done:
    """Confirm a client's new email address.

    Takes the token of the link that was sent to the address of their portal account.
    """
    portal.confirm_email_by_link(ctx.installation, body.token, ctx.now, ctx.actor.request_id)
    return Done()


@router.public_post("/password/reset-request", status_code=202)
def request_password_reset(ctx: RequestContext, body: ResetRequestIn) -> Done:
    """Request a password reset.

    Emails a link if the account exists. The response is the same if it does not.
    """
    # after the response, so that its timing does not reveal whether the account exists
    ctx.afterwards = partial(accounts.request_password_reset, ctx.installation, body.email, ctx.now)
    return Done()


@router.public_post("/password/reset", errors=[InvalidToken, PasswordRefused], hashes_password=True)
def reset_password(ctx: RequestContext, body: NewPasswordIn) -> Done:
    """Reset a password.

    Takes the token of the emailed link and ends every session of the account.
    """
    accounts.reset_password(ctx.installation, body.token, body.password, ctx.now, ctx.actor.request_id)
    return Done()


@router.post(
    "/password",
    permission="signed_in",
    errors=[WrongCredentials, SignInLocked, PasswordRefused],
    manages_transactions=True,
    hashes_password=True,
)
def change_password(ctx: RequestContext, body: ChangePasswordIn) -> Done:
    """Change your password.

    Ends every other session of the account.
    """
    accounts.change_password(ctx.installation, ctx.actor, body.current, body.new, ctx.now)
    return Done()


@router.post(
    "/mfa/recovery-codes",
    permission="signed_in",
    errors=[WrongCredentials, SignInLocked],
    manages_transactions=True,
)
def renew_recovery_codes(ctx: RequestContext, body: AuthenticatorCodeIn) -> RecoveryCodesOut:
    """Renew your recovery codes.

    Takes a current code of your authenticator. The codes are shown only once, and the old ones no longer work.
    """
    codes = sign_in.renew_recovery_codes(ctx.installation, ctx.actor, body.code, ctx.now)
    return RecoveryCodesOut(recovery_codes=codes)


@router.get("/me", permission="signed_in", allow_lapsed_training=True)
def get_me(ctx: RequestContext) -> MeOut:
    """Get the signed-in account.

    Its name, practice, time zone, roles, session and restriction.
    """
    actor, identity = ctx.actor, practices.load_identity(ctx.work)
    return MeOut(
        account_id=ctx.account_id,
        name=identity.name,
        practice_name=identity.practice_name,
        time_zone=identity.time_zone,
        practice_id=actor.tenant_id if actor.tenant_id.int else None,
        staff_id=actor.staff_id,
        client_id=actor.client_id,
        roles=sorted(actor.roles, key=[*STAFF_ROLES, "client", "platform_admin"].index),
        session_id=ctx.session_id,
        restriction="TRAINING_LAPSED" if ctx.training_lapsed else None,
    )


@router.post("/logout", permission="signed_in", status_code=204, allow_lapsed_training=True)
def log_out(ctx: RequestContext) -> None:
    """Sign out.

    Ends this session immediately.
    """
    end_own_session(ctx, ctx.session_id)


@router.get("/sessions", permission="signed_in")
def list_sessions(ctx: RequestContext) -> AccountSessionsOut:
    """List your open sessions.

    Includes sessions in every practice.
    """
    return AccountSessionsOut(
        items=[
            AccountSessionOut(
                id=session.id,
                practice_id=session.tenant_id,
                started_at=session.started_at,
                last_seen_at=session.last_seen_at,
                current=session.id == ctx.actor.session_id,
            )
            for session in accounts.list_sessions(ctx.work.db, ctx.account_id, ctx.now)
        ]
    )


@router.delete("/sessions/{session_id}", permission="signed_in", status_code=204)
def end_session(ctx: RequestContext, session_id: UUID) -> None:
    """End one of your sessions.

    Takes effect immediately.
    """
    end_own_session(ctx, session_id)


def end_own_session(ctx: RequestContext, session_id: UUID) -> None:
    """End a session of the caller, or raise NotFound."""
    own_ids = {session.id for session in accounts.list_sessions(ctx.work.db, ctx.account_id, ctx.now)}
    if session_id not in own_ids:
        raise NotFound
    sign_in.end_session(ctx.work.db, session_id, "signed out", ctx.now)
    ctx.work.record("session.ended", "session", session_id)
