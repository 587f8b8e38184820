"""The HTML of the pages before Streamlit: plain forms, which need no script."""

from html import escape
from string import Template

from starlette.responses import HTMLResponse

PAGE = Template("""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>$title · Caseload</title>
<link rel="icon" href="/assets/mark.svg"><link rel="stylesheet" href="/assets/sign-in.css">
<script src="/assets/sign-in.js" defer></script></head><body>
<aside><div class="brand"><img src="/assets/mark.svg" alt="">Caseload</div>
<div><h2>Sessions kept, notes signed in time, <em>money that arrives.</em></h2>
<p>One place for the schedule, the notes and the money of your practice.</p></div>
<p>Everything you do here is on the practice's audit log.</p></aside>
<main><div class="card"><h1>$title</h1>$message$body</div></main></body></html>""")


def show_page(title: str, body: str, *, problem: str = "", hint: str = "", status: int = 200) -> HTMLResponse:
    """Return a page with a problem or a hint above its body. Both are texts, the body is HTML."""
    message = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    message += f'<p class="hint" role="status">{escape(hint)}</p>' if hint else ""
    return HTMLResponse(PAGE.substitute(title=escape(title), message=message, body=body), status)


def show_password_form(next_page: str, email: str = "", **message: str | int) -> HTMLResponse:
    body = f"""<form method="post" action="/sign-in"><input type="hidden" name="next" value="{escape(next_page)}">
<label for="email">Email address</label>
<input id="email" name="email" type="email" autocomplete="username" required maxlength="254" value="{escape(email)}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="128">
<button>Continue</button></form><p class="more"><a href="/sign-in/forgotten">I forgot my password</a></p>"""
    return show_page("Sign in", body, **message)  # ty: ignore[invalid-argument-type]


def show_code_form(**message: str | int) -> HTMLResponse:
    body = """<form method="post" action="/sign-in/code">
<label for="code">The six digits of your authenticator</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="40">
<button>Sign in</button></form><p class="more">No authenticator at hand? A recovery code works too.</p>"""
    return show_page("One more step", body, **message)  # ty: ignore[invalid-argument-type]


def show_enrollment_form(secret: str, uri: str, **message: str | int) -> HTMLResponse:
    groups = " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
    body = f"""<p>Add an account to your authenticator app with this key, then type the code that it shows.</p>
<p class="secret"><code>{escape(groups)}</code></p>
<p class="more"><a href="{escape(uri)}">Open the authenticator on this device</a></p>
<form method="post" action="/sign-in/enrollment">
<label for="code">The six digits that it shows</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="10">
<button>Continue</button></form>"""
    return show_page("Set up your authenticator", body, **message)  # ty: ignore[invalid-argument-type]


def show_recovery_codes(codes: list[str]) -> HTMLResponse:
    listed = "".join(f"<li><code>{escape(code)}</code></li>" for code in codes)
    body = f"""<p>Each of these codes signs you in once if you lose your authenticator. They are shown only now: print
them, or write them down.</p><ul class="codes">{listed}</ul>
<form method="post" action="/sign-in/go-on"><button>I have kept them</button></form>"""
    return show_page("Your recovery codes", body)


def show_practice_form(practices: list[dict[str, str]], **message: str | int) -> HTMLResponse:
    choices = "".join(
        f'<button name="practice_id" value="{escape(practice["id"])}">{escape(practice["name"])}</button>'
        for practice in practices
    )
    body = f'<form method="post" action="/sign-in/practice" class="choices">{choices}</form>'
    return show_page("Choose a practice", body, **message)  # ty: ignore[invalid-argument-type]


def show_new_password_form(action: str, title: str, **message: str | int) -> HTMLResponse:
    """Return the form of a new password. The token of a link is in its fragment; the script puts it into the form."""
    body = f"""<form method="post" action="{action}"><input type="hidden" name="token" id="token">
<label for="password">New password</label>
<input id="password" name="password" type="password" autocomplete="new-password" required maxlength="128">
<label for="again">The same again</label>
<input id="again" name="again" type="password" autocomplete="new-password" required maxlength="128">
<button>Save</button></form><p class="more">A sentence of four words is easy to remember and hard to guess.</p>"""
    return show_page(title, body, **message)  # ty: ignore[invalid-argument-type]


def show_forgotten_form(**message: str | int) -> HTMLResponse:
    body = """<form method="post" action="/sign-in/forgotten"><label for="email">Email address</label>
<input id="email" name="email" type="email" autocomplete="username" required maxlength="254">
<button>Send me a link</button></form><p class="more"><a href="/sign-in">Back to the sign-in</a></p>"""
    return show_page("A new password", body, **message)  # ty: ignore[invalid-argument-type]


def show_confirmation_form(action: str, title: str, button: str, **message: str | int) -> HTMLResponse:
    body = f"""<form method="post" action="{action}"><input type="hidden" name="token" id="token">
<button>{escape(button)}</button></form>"""
    return show_page(title, body, **message)  # ty: ignore[invalid-argument-type]
