"""What clients consent to over HTTP: signed, revoked, taken back; and the practice's texts."""

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.people.consents import publish_agreement
from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_client, make_portal_client
from tests.support.drivers.clients import NEW, ask, good, problems, trail
from tests.support.drivers.http import V1, bearer, code_of
from tests.support.drivers.sign_in_flow import move
from tests.support.drivers.waiting import second_waits

CHILD = NEW | {"birth_date": "2012-05-17", "guardian_name": "Kin Example"}


@pytest.fixture
def path(client: TestClient, practice: PracticeFixture) -> str:
    practice.people["client"] = make_portal_client(practice, practice.add("clinician"))
    made = good(ask(client, practice, "POST", "/clients", None, NEW), 201)
    return f"/clients/{made['id']}/consents"


def sign(client: TestClient, practice: PracticeFixture, path: str, kind: str = "TELEHEALTH", **more: Any) -> Any:
    return ask(client, practice, "POST", path, practice.add("scheduler"), {"kind": kind, **more})


def test_a_consent_is_signed_by_the_client_now(client: TestClient, practice: PracticeFixture, path: str) -> None:
    made = good(sign(client, practice, path), 201)
    assert (made["signed_at"], made["signed_by_name"]) == ("2026-03-18T15:30:00Z", "Casey Example")
    assert (made["expires_on"], made["revoked_at"], made["agreement_id"]) == (None, None, None)
    earlier = {"signed_at": "2026-03-01T10:00:00-05:00", "signed_by_name": "C. Example", "expires_on": "2026-09-01"}
    paper = good(sign(client, practice, path, **earlier), 201)
    assert paper | earlier | {"signed_at": "2026-03-01T15:00:00Z"} == paper
    assert good(ask(client, practice, "GET", path))["items"] == [made, paper]
    (entry, _) = trail(client, practice, "consent.signed")
    assert "Example" not in str(entry["details"])


def test_the_days_of_a_consent_are_said_all_at_once(client: TestClient, practice: PracticeFixture, path: str) -> None:
    wrong = {"signed_at": "2026-03-18T15:30:01Z", "expires_on": "2026-03-18"}
    assert len(problems(sign(client, practice, path, **wrong))) == 2
    assert sign(client, practice, path, kind="OTHER").status_code == 422
    assert sign(client, practice, path, signed_at="2026-03-01T10:00:00").status_code == 422  # where?


def test_a_childs_guardian_signs_for_the_child(client: TestClient, practice: PracticeFixture) -> None:
    child = good(ask(client, practice, "POST", "/clients", None, CHILD), 201)
    path = f"/clients/{child['id']}/consents"
    assert good(sign(client, practice, path, "GUARDIAN"), 201)["signed_by_name"] == "Kin Example"
    good(sign(client, practice, path, "GUARDIAN", signed_by_name="KIN EXAMPLE"), 201)
    (said,) = problems(sign(client, practice, path, "GUARDIAN", signed_by_name="Casey Example"))
    assert "guardian whom the record names" in said
    assert good(sign(client, practice, path), 201)["signed_by_name"] == "Casey Example"
    unnamed = make_client(practice, birth_date=date(2012, 5, 17))
    assert "no guardian" in problems(sign(client, practice, f"/clients/{unnamed}/consents", "GUARDIAN"))[0]


def test_a_consent_changes_in_its_end_and_its_signer(client: TestClient, practice: PracticeFixture, path: str) -> None:
    made = good(sign(client, practice, path), 201)
    one = f"/consents/{made['id']}"
    body = {"expires_on": "2026-12-31", "signed_by_name": "Casey B. Example"}
    seen = good(ask(client, practice, "PATCH", one, None, body, If_Match='"1"'))
    assert seen == made | body | {"version": 2}
    assert ask(client, practice, "PATCH", one, None, body, If_Match='"1"').status_code == 412
    assert problems(ask(client, practice, "PATCH", one, None, {"expires_on": "2026-03-18"}, If_Match='"2"'))
    assert good(ask(client, practice, "PATCH", one, None, {"expires_on": None}, If_Match='"2"'))["expires_on"] is None
    for body in ({"kind": "GUARDIAN"}, {"signed_by_name": None}, {"revoked_at": None}):
        assert ask(client, practice, "PATCH", one, None, body, If_Match='"3"').status_code == 422


def test_a_consent_is_revoked_once(client: TestClient, practice: PracticeFixture, path: str) -> None:
    made = good(sign(client, practice, path, signed_at="2026-03-01T15:00:00Z"), 201)
    one = f"/consents/{made['id']}"
    for when in ("2026-03-18T15:30:01Z", "2026-03-01T14:59:59Z"):
        assert len(problems(ask(client, practice, "POST", f"{one}/revoke", None, {"revoked_at": when}))) == 1
    seen = good(ask(client, practice, "POST", f"{one}/revoke", None, {"revoked_at": "2026-03-10T12:00:00Z"}))
    assert (seen["revoked_at"], seen["version"]) == ("2026-03-10T12:00:00Z", 2)
    assert code_of(ask(client, practice, "POST", f"{one}/revoke", None, {})) == "ALREADY_REVOKED"
    other = good(sign(client, practice, path), 201)
    later = move(client, timedelta(minutes=1))
    seen = good(ask(client, practice, "POST", f"/consents/{other['id']}/revoke", None, {}))
    assert seen["revoked_at"] == later.isoformat().replace("+00:00", "Z")


def test_a_consent_of_somebody_else_is_taken_back(client: TestClient, practice: PracticeFixture, path: str) -> None:
    made = good(sign(client, practice, path), 201)
    assert ask(client, practice, "DELETE", f"/consents/{made['id']}?reason=Wrong+client").status_code == 204
    assert good(ask(client, practice, "GET", path))["items"] == []
    (kept,) = good(ask(client, practice, "GET", f"{path}?voided=true"))["items"]
    assert (kept["id"], kept["void_reason"]) == (made["id"], "Wrong client")
    for method, rest, body in (("POST", "/revoke", {}), ("DELETE", "?reason=Again", None)):
        assert ask(client, practice, method, f"/consents/{made['id']}{rest}", None, body).status_code == 404


# The practice's texts


def publish(
    client: TestClient, practice: PracticeFixture, kind: str = "CONFIDENTIALITY", text: str = "We keep\nsilent."
) -> Any:
    return good(ask(client, practice, "POST", "/agreements", None, {"kind": kind, "title": "Ours", "text": text}), 201)


def test_a_new_text_is_a_new_number_and_the_old_ones_stay(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    first, second = publish(client, practice), publish(client, practice, text="We keep quite silent.")
    other = publish(client, practice, "TELEHEALTH")
    assert [one["number"] for one in (first, second, other)] == [1, 2, 1]
    for who in (practice.people["client"], practice.people["clinician"], practice.admin):
        assert good(ask(client, practice, "GET", "/agreements", who))["items"] == [second, other]
    assert good(ask(client, practice, "GET", "/agreements?kind=CONFIDENTIALITY"))["items"] == [second, first]
    body = {"kind": "TELEHEALTH", "title": "Ours", "text": "x"}
    assert ask(client, practice, "POST", "/agreements", practice.add("scheduler"), body).status_code == 403
    assert first["published_by"] == str(practice.admin.account_id)


def test_of_two_texts_published_at_once_the_second_waits_for_its_number(practice: PracticeFixture) -> None:
    second_waits(practice, lambda work: publish_agreement(work, "TELEHEALTH", "Ours", "Text"))


def test_clients_sign_the_newest_text_themselves(client: TestClient, practice: PracticeFixture, path: str) -> None:
    me = practice.people["client"]
    here = f"/clients/{me.staff_id}/agreements/CONFIDENTIALITY/sign"
    assert code_of(ask(client, practice, "POST", here, me, {})) == "NO_AGREEMENT"
    publish(client, practice)
    newest = publish(client, practice, text="Newer.")
    before = len(good(ask(client, practice, "GET", f"/clients/{me.staff_id}/consents", me))["items"])
    signed = good(ask(client, practice, "POST", here, me, {}), 201)
    assert (signed["kind"], signed["agreement_id"], signed["signed_at"]) == (
        *("CONFIDENTIALITY", newest["id"]),
        "2026-03-18T15:30:00Z",
    )
    assert signed["signed_by_name"].startswith("Casey Example")
    assert len(good(ask(client, practice, "GET", f"/clients/{me.staff_id}/consents", me))["items"]) == before + 1
    assert trail(client, practice, "consent.signed")[0]["details"]["by_client"] is True
    desk = good(ask(client, practice, "POST", here, practice.add("scheduler"), {"signed_by_name": "C. E."}), 201)
    assert desk["signed_by_name"] == "C. E."
    assert ask(client, practice, "POST", here, practice.people["clinician"], {}).status_code == 403


def test_clients_sign_for_themselves_and_not_as_their_guardian(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    me = practice.people["client"]
    publish(client, practice, "GUARDIAN")
    publish(client, practice)
    mine = f"/clients/{me.staff_id}/agreements/GUARDIAN/sign"
    assert code_of(ask(client, practice, "POST", mine, me, {"signed_by_name": "Kin"})) == "SIGNED_BY_GUARDIAN"
    other = path.replace("/consents", "/agreements/CONFIDENTIALITY/sign")
    assert ask(client, practice, "POST", other, me, {}).status_code == 404
    assert ask(client, practice, "POST", path, me, {"kind": "CONFIDENTIALITY"}).status_code == 403
    assert ask(client, practice, "POST", mine.replace("GUARDIAN", "NOTHING"), me, {}).status_code == 404


def test_a_text_is_signed_once_for_a_repeated_request(client: TestClient, practice: PracticeFixture, path: str) -> None:
    publish(client, practice)
    here = f"{V1}{path.replace('/consents', '/agreements/CONFIDENTIALITY/sign')}"
    headers = bearer(practice, practice.add("scheduler")) | {"Idempotency-Key": "sign-once-please"}
    one, two = (client.post(here, json={}, headers=headers) for _ in range(2))
    assert good(one, 201) == good(two, 201)
    assert len(good(ask(client, practice, "GET", path))["items"]) == 1
