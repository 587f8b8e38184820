"""The steps of a sign-in, and the pages of mailed links. Step tokens stay here; the browser gets a handle to them."""

import secrets
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpx2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboards import forms
from dashboards.bodies import read_form
from dashboards.gate import COOKIE
from dashboards.sessions import ApiUnavailable, SessionEnded, Sessions

STEP_COOKIE = "__Host-caseload-step"
STEP_SECONDS = 600
MAX_STEPS = 10_000
UNAVAILABLE = "Caseload cannot be reached now. Try again in a minute."
HINTS = {
    "idle": "You were away for a while, so your session was ended. What was saved is kept.",
    "out": "You are signed out.",
    "ended": "Your session has ended. Sign in again.",
    "accepted": "Your password is saved. Sign in with it.",
    "confirmed": "Your email address is confirmed.",
}


@dataclass
class PendingStep:
    """A sign-in between two steps."""

    expires_at: float
    next_page: str
    answer: dict[str, Any]


class SignIn:
    """The routes of signing in and out."""

    def __init__(self, sessions: Sessions, pages: frozenset[str]) -> None:
        self.sessions, self.pages = sessions, pages
        self.pending: dict[str, PendingStep] = {}
        self.lock = threading.Lock()

    def list_routes(self) -> list[Route]:
        both = ["GET", "POST"]
        return [
            Route("/sign-in", self.take_password, methods=both),
            Route("/sign-in/code", self.take_code, methods=both),
            Route("/sign-in/enrollment", self.take_first_code, methods=both),
            Route("/sign-in/practice", self.take_practice, methods=both),
            Route("/sign-in/new-password", self.take_new_password, methods=both),
            Route("/sign-in/go-on", self.go_on, methods=["POST"]),
            Route("/sign-in/forgotten", self.take_forgotten, methods=both),
            Route("/invitation", self.take_invitation, methods=both),
            Route("/reset", self.take_reset, methods=both),
            Route("/email-change", self.take_email_change, methods=both),
            Route("/sign-out", self.sign_out, methods=["POST"]),
        ]

    # Steps

    async def take_password(self, request: Request) -> Response:
        hint = HINTS.get(request.query_params.get("why", ""), "")
        next_page = self.read_next_page(request.query_params.get("next"))
        if request.method != "POST":
            if self.sessions.find(request.cookies.get(COOKIE)):
                return RedirectResponse(f"/{next_page}", 303)
            return forms.show_password_form(next_page, hint=hint)
        form = await read_form(request)
        next_page, email = self.read_next_page(form.get("next")), read_text(form, "email", 254)
        body = {"email": email, "password": read_text(form, "password", 128)}
        answer = await self.ask_api("/auth/login", body, request)
        if answer.status_code != 200:
            problem = read_message(answer)
            return forms.show_password_form(next_page, email, problem=problem, status=answer.status_code)
        return self.lead_on(answer.json(), next_page)

    async def take_code(self, request: Request) -> Response:
        step = self.find_step(request, "code")
        if step is None:
            return start_over()
        if request.method != "POST":
            return forms.show_code_form()
        code = read_text(await read_form(request), "code", 40)
        answer = await self.ask_api("/auth/mfa/verify", {"token": step.answer["token"], "code": code}, request)
        if answer.status_code != 200:
            return forms.show_code_form(problem=read_message(answer), status=answer.status_code)
        return self.lead_on(answer.json(), step.next_page, request)

    async def take_first_code(self, request: Request) -> Response:
        step = self.find_step(request, "enroll")
        if step is None:
            return start_over()
        if "secret" not in step.answer:
            answer = await self.ask_api("/auth/mfa/enroll", {"token": step.answer["token"]}, request)
            if answer.status_code != 200:
                return start_over() if answer.status_code < 500 else forms.show_page("Sign in", "", problem=UNAVAILABLE)
            step.answer |= answer.json()
        enrollment = (step.answer["secret"], step.answer["uri"])
        if request.method != "POST":
            return forms.show_enrollment_form(*enrollment)
        code = read_text(await read_form(request), "code", 10)
        answer = await self.ask_api("/auth/mfa/confirm", {"token": step.answer["token"], "code": code}, request)
        if answer.status_code != 200:
            problem = read_message(answer)
            return forms.show_enrollment_form(*enrollment, problem=problem, status=answer.status_code)
        document = answer.json()
        if not document.get("recovery_codes"):
            return self.lead_on(document, step.next_page, request)
        step.answer = document
        return forms.show_recovery_codes(document["recovery_codes"])

    async def go_on(self, request: Request) -> Response:
        """Go on to the next step once the recovery codes were shown."""
        step = self.find_step(request)
        return start_over() if step is None else self.lead_on(step.answer, step.next_page, request)

    async def take_practice(self, request: Request) -> Response:
        step = self.find_step(request, "practice")
        if step is None:
            return start_over()
        practices = step.answer["practices"]
        if request.method != "POST":
            return forms.show_practice_form(practices)
        practice_id = read_text(await read_form(request), "practice_id", 40)
        body = {"token": step.answer["token"], "practice_id": practice_id}
        answer = await self.ask_api("/auth/practice", body, request)
        if answer.status_code != 200:
            return forms.show_practice_form(practices, problem=read_message(answer), status=answer.status_code)
        return self.lead_on(answer.json(), step.next_page, request)

    async def take_new_password(self, request: Request) -> Response:
        step = self.find_step(request, "new_password")
        if step is None:
            return start_over()
        return await self.save_password(
            request, "/sign-in/new-password", "Your password is due to change", "/auth/password/reset", step
        )

    def lead_on(self, answer: dict[str, Any], next_page: str, request: Request | None = None) -> Response:
        """Return the way to the next step, or into the pages once the sign-in is done."""
        if request is not None:
            with self.lock:
                self.pending.pop(request.cookies.get(STEP_COOKIE, ""), None)
        if answer["next"] == "done":
            cookie, _ = self.sessions.open(answer["tokens"])
            response = RedirectResponse(f"/{next_page}", 303)
            response.set_cookie(COOKIE, cookie, httponly=True, secure=True, samesite="lax", path="/")
            response.delete_cookie(STEP_COOKIE, path="/", secure=True, httponly=True, samesite="strict")
            return response
        handle = secrets.token_urlsafe(32)
        with self.lock:
            now = time.monotonic()
            self.pending = {key: step for key, step in self.pending.items() if step.expires_at > now}
            while len(self.pending) >= MAX_STEPS:
                self.pending.pop(next(iter(self.pending)))
            self.pending[handle] = PendingStep(now + STEP_SECONDS, next_page, answer)
        path = "enrollment" if answer["next"] == "enroll" else answer["next"].replace("_", "-")
        response = RedirectResponse(f"/sign-in/{path}", 303)
        response.set_cookie(
            STEP_COOKIE, handle, httponly=True, secure=True, samesite="strict", path="/", max_age=STEP_SECONDS
        )
        return response

    def find_step(self, request: Request, kind: str | None = None) -> PendingStep | None:
        """Return the pending step of the browser, if it is of this kind and has not expired."""
        step = self.pending.get(request.cookies.get(STEP_COOKIE, ""))
        if step is None or step.expires_at < time.monotonic() or (kind is not None and step.answer["next"] != kind):
            return None
        return step

    # Mailed links

    async def take_forgotten(self, request: Request) -> Response:
        if request.method != "POST":
            return forms.show_forgotten_form()
        email = read_text(await read_form(request), "email", 254)
        answer = await self.ask_api("/auth/password/reset-request", {"email": email}, request)
        if answer.status_code != 202:
            return forms.show_forgotten_form(problem=read_message(answer), status=answer.status_code)
        return forms.show_forgotten_form(hint="If there is an account with this address, a link is on its way to it.")

    async def take_invitation(self, request: Request) -> Response:
        return await self.save_password(request, "/invitation", "Welcome to Caseload", "/auth/invitations/accept")

    async def take_reset(self, request: Request) -> Response:
        return await self.save_password(request, "/reset", "A new password", "/auth/password/reset")

    async def take_email_change(self, request: Request) -> Response:
        title, button = "Confirm your email address", "Confirm"
        if request.method != "POST":
            return forms.show_confirmation_form("/email-change", title, button)
        token = read_text(await read_form(request), "token", 200)
        answer = await self.ask_api("/auth/email-changes/confirm", {"token": token}, request)
        if answer.status_code != 200:
            problem = read_message(answer)
            return forms.show_confirmation_form("/email-change", title, button, problem=problem)
        return RedirectResponse("/sign-in?why=confirmed", 303)

    async def save_password(
        self, request: Request, action: str, title: str, path: str, step: PendingStep | None = None
    ) -> Response:
        """Show the form of a new password, or save it by the token of the link or step."""
        if request.method != "POST":
            return forms.show_new_password_form(action, title)
        form = await read_form(request)
        password = read_text(form, "password", 128)
        if password != read_text(form, "again", 128):
            problem = "The two passwords differ. Type the same one twice."
            return forms.show_new_password_form(action, title, problem=problem, status=422)
        token = read_text(form, "token", 200) if step is None else step.answer["token"]
        answer = await self.ask_api(path, {"token": token, "password": password}, request)
        if answer.status_code != 200:
            return forms.show_new_password_form(action, title, problem=read_message(answer), status=answer.status_code)
        return RedirectResponse("/sign-in?why=accepted", 303)

    # Signing out

    async def sign_out(self, request: Request) -> Response:
        session = self.sessions.find(request.cookies.get(COOKIE))
        if session is not None:
            with suppress(SessionEnded, ApiUnavailable):  # it ends here in any case, and there by itself
                await run_in_threadpool(self.sessions.call, session, "POST", "/auth/logout")
            self.sessions.end(session, "out")
        response = RedirectResponse("/sign-in?why=out", 303)
        response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
        response.headers["clear-site-data"] = '"cache"'
        return response

    async def ask_api(self, path: str, body: dict[str, Any], request: Request) -> httpx2.Response:
        """Call a public operation for the browser's address, by which the API counts sign-ins."""
        address = {"X-Forwarded-For": request.client.host} if request.client and is_address(request.client.host) else {}
        try:
            return await run_in_threadpool(self.sessions.send, "POST", path, json=body, headers=address)
        except ApiUnavailable:
            return httpx2.Response(503, json={"error": {"message": UNAVAILABLE}})

    def read_next_page(self, value: object) -> str:
        """Return a page of ours to go to after the sign-in."""
        return value if isinstance(value, str) and value in self.pages else ""


def is_address(text: str) -> bool:
    """Return whether the text is an IP address; a proxy passes on what a client claims."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def start_over() -> Response:
    return RedirectResponse("/sign-in?why=ended", 303)


def read_text(form: dict[str, str], name: str, length: int) -> str:
    return form.get(name, "")[:length]


def read_message(answer: httpx2.Response) -> str:
    """Return what the API says is wrong, with what it says of each field."""
    try:
        error = answer.json()["error"]
        details = error.get("details")
        fields = [detail["message"] for detail in details if detail["message"]] if isinstance(details, list) else []
        return " ".join(fields) or error["message"]
    except (ValueError, KeyError, TypeError):
        return "Something went wrong. Try again."
