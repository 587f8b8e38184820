"""Signing in and out of the pages, step by step, and the pages of mailed links."""

import re

import pytest

from dashboards.gate import COOKIE
from practice.people.staff import reinvite_staff
from practice.security import accounts
from practice.security.installation import Installation
from tests.support.builders.people import NOW, PracticeFixture, give_credentials
from tests.support.drivers.pages import OWN, Pages, enter_code, enter_password, post_form
from tests.support.drivers.sign_in_flow import generate_code, read_secret

TOKEN = re.compile(r"eyJ[\w-]+\.")


def test_a_person_signs_in_and_comes_back_to_the_page(pages: Pages, practice: PracticeFixture) -> None:
    secret = give_credentials(practice.installation, practice.admin.account_id)
    browser = pages.open_browser()
    away = browser.get("/payroll")
    assert (away.status_code, away.headers["location"]) == (303, "/sign-in?next=payroll")
    assert 'name="next" value="payroll"' in browser.get(away.headers["location"]).text
    step = enter_password(browser, practice.admin.email, next="payroll")
    assert (step.status_code, step.headers["location"]) == (303, "/sign-in/code")
    done = enter_code(browser, secret, NOW)
    assert (done.status_code, done.headers["location"]) == (303, "/payroll")
    (cookie,) = [value for value in done.headers.get_list("set-cookie") if value.startswith(f"{COOKIE}=")]
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    page = browser.get("/payroll")
    assert page.status_code == 200
    assert "Caseload" in page.text
    assert not any(TOKEN.search(str(answer.headers) + answer.text) for answer in (step, done, page))
    assert browser.get("/sign-in").headers["location"] == "/"


def test_what_is_wrong_is_said_on_the_form(pages: Pages, practice: PracticeFixture) -> None:
    give_credentials(practice.installation, practice.admin.account_id)
    browser = pages.open_browser()
    wrong = enter_password(browser, practice.admin.email, "Not-the-password 1")
    assert wrong.status_code == 401
    assert 'role="alert"' in wrong.text
    assert practice.admin.email in wrong.text
    assert "Not-the-password" not in wrong.text
    assert enter_password(browser, practice.admin.email).status_code == 303
    refused = post_form(browser, "/sign-in/code", code="000000")
    assert refused.status_code == 401
    assert 'role="alert"' in refused.text
    assert pages.open_browser().get("/sign-in/code").headers["location"] == "/sign-in?why=ended"
    assert browser.get("/my-practice").status_code == 303  # no step lets anybody in


@pytest.mark.parametrize("page", ["//evil.example", "https://evil.example", "no-such-page", "sign-out"])
def test_nobody_is_led_to_another_place(pages: Pages, practice: PracticeFixture, page: str) -> None:
    secret = give_credentials(practice.installation, practice.admin.account_id)
    browser = pages.open_browser()
    enter_password(browser, practice.admin.email, next=page)
    assert enter_code(browser, secret, NOW).headers["location"] == "/"


def test_a_new_person_sets_a_password_and_an_authenticator(pages: Pages, practice: PracticeFixture) -> None:
    person = practice.add("clinician")
    with practice.work() as work:
        reinvite_staff(work, person.staff_id)
    token = read_secret(practice.installation, person.email)
    browser = pages.open_browser()
    assert "New password" in browser.get("/invitation").text
    password = "Otters drift past 9 slow barges"  # pragma: allowlist secret
    differing = post_form(browser, "/invitation", token=token, password=password, again="something else")
    assert (differing.status_code, "differ" in differing.text) == (422, True)
    accepted = post_form(browser, "/invitation", token=token, password=password, again=password)
    assert accepted.headers["location"] == "/sign-in?why=accepted"
    assert enter_password(browser, person.email, password).headers["location"] == "/sign-in/enrollment"
    form = browser.get("/sign-in/enrollment").text
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", form)
    assert secret is not None
    codes = post_form(browser, "/sign-in/enrollment", code=generate_code(secret[1].replace(" ", ""), NOW))
    assert len(re.findall(r"<li><code>", codes.text)) >= 8
    done = post_form(browser, "/sign-in/go-on")
    assert done.headers["location"] == "/"
    assert browser.get("/my-practice").status_code == 200


def test_a_forgotten_password_is_replaced(pages: Pages, practice: PracticeFixture, installation: Installation) -> None:
    give_credentials(practice.installation, practice.admin.account_id)
    browser = pages.open_browser()
    answers = [
        post_form(browser, "/sign-in/forgotten", email=email) for email in (practice.admin.email, "no@x.example")
    ]
    assert answers[0].text == answers[1].text
    accounts.request_password_reset(installation, practice.admin.email, NOW)
    token, password = read_secret(installation, practice.admin.email, "reset"), "Seven quiet lanterns 3 above"
    saved = post_form(browser, "/reset", token=token, password=password, again=password)
    assert saved.headers["location"] == "/sign-in?why=accepted"
    assert enter_password(browser, practice.admin.email, password).headers["location"] == "/sign-in/code"
    again = post_form(browser, "/reset", token=token, password=password, again=password)
    assert again.status_code in (401, 404, 409, 410, 422)
    assert 'role="alert"' in again.text


def test_signing_out_ends_the_session_everywhere(pages: Pages, practice: PracticeFixture) -> None:
    browser = pages.sign_in(practice)
    cookie = browser.cookies[COOKIE]
    assert browser.get("/session").json() == {"open": True, "left": 900, "who": str(practice.admin.account_id)}
    token = pages.sessions.get_access_token(pages.sessions.by_key[next(iter(pages.sessions.by_key))])
    out = browser.post("/sign-out", headers=OWN)
    assert out.headers["location"] == "/sign-in?why=out"
    assert f'{COOKIE}=""; ' in out.headers["set-cookie"]
    stolen = pages.open_browser(cookie)
    assert stolen.get("/overview").status_code == 303
    assert stolen.get("/session").json() == {"open": False, "why": "out"}
    answer = pages.client.request("GET", "/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
