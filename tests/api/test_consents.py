"""Consents over HTTP: signed, revoked, voided; and agreement texts."""

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.people.consents import publish_agreement
from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_client, make_portal_client
from tests.support.drivers.clients import NEW_CLIENT, load_audit_entries, send_request
from tests.support.drivers.http import V1, assert_invalid, assert_ok, auth_headers, error_code
from tests.support.drivers.sign_in_flow import set_clock
from tests.support.drivers.waiting import assert_second_waits

CHILD = NEW_CLIENT | {"birth_date": "2012-05-17", "guardian_name": "Kin Example"}


@pytest.fixture
def path(client: TestClient, practice: PracticeFixture) -> str:
    practice.people["client"] = make_portal_client(practice, practice.add("clinician"))
    created = assert_ok(send_request(client, practice, "POST", "/clients", None, NEW_CLIENT), 201)
    return f"/clients/{created['id']}/consents"


def sign(client: TestClient, practice: PracticeFixture, path: str, kind: str = "TELEHEALTH", **fields: Any) -> Any:
    return send_request(client, practice, "POST", path, practice.add("scheduler"), {"kind": kind, **fields})


def test_a_consent_is_signed_by_the_client_now_by_default(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    created = assert_ok(sign(client, practice, path), 201)
    assert (created["signed_at"], created["signed_by_name"]) == ("2026-03-18T15:30:00Z", "Casey Example")
    assert (created["expires_on"], created["revoked_at"], created["agreement_id"]) == (None, None, None)
    earlier = {"signed_at": "2026-03-01T10:00:00-05:00", "signed_by_name": "CASEY Example", "expires_on": "2026-09-01"}
    imported = assert_ok(sign(client, practice, path, **earlier), 201)
    assert imported | earlier | {"signed_at": "2026-03-01T15:00:00Z"} == imported
    assert assert_ok(send_request(client, practice, "GET", path))["items"] == [created, imported]
    (entry, _) = load_audit_entries(client, practice, "consent.signed")
    assert "Example" not in str(entry["details"])


def test_all_problems_of_a_consent_are_reported_together(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    wrong = {"signed_at": "2026-03-18T15:30:01Z", "expires_on": "2026-03-18"}
    assert len(assert_invalid(sign(client, practice, path, **wrong))) == 2
    assert sign(client, practice, path, kind="OTHER").status_code == 422
    assert sign(client, practice, path, signed_at="2026-03-01T10:00:00").status_code == 422  # no UTC offset


def test_nobody_else_signs_for_an_adult(client: TestClient, practice: PracticeFixture, path: str) -> None:
    other = {"signed_by_name": "Kin Example"}
    publish(client, practice)
    agreement = path.replace("/consents", "/agreements/CONFIDENTIALITY/sign")
    consent = assert_ok(sign(client, practice, path), 201)
    for answer in (
        sign(client, practice, path, **other),
        send_request(client, practice, "POST", agreement, practice.admin, other),
        send_request(client, practice, "PATCH", f"/consents/{consent['id']}", None, other, If_Match='"1"'),
    ):
        (problem,) = assert_invalid(answer)
        assert "not the client, who signs for themselves" in problem


def test_a_childs_guardian_signs_for_the_child(client: TestClient, practice: PracticeFixture) -> None:
    child = assert_ok(send_request(client, practice, "POST", "/clients", None, CHILD), 201)
    path = f"/clients/{child['id']}/consents"
    assert assert_ok(sign(client, practice, path, "GUARDIAN"), 201)["signed_by_name"] == "Kin Example"
    assert_ok(sign(client, practice, path, "GUARDIAN", signed_by_name="KIN EXAMPLE"), 201)
    (problem,) = assert_invalid(sign(client, practice, path, "GUARDIAN", signed_by_name="Casey Example"))
    assert "not the guardian in the client's record" in problem
    without_guardian = make_client(practice, birth_date=date(2012, 5, 17))
    assert (
        "no guardian" in assert_invalid(sign(client, practice, f"/clients/{without_guardian}/consents", "GUARDIAN"))[0]
    )


@pytest.mark.parametrize("kind", ["INFORMED_TREATMENT", "TELEHEALTH", "CONFIDENTIALITY", "DATA_PROCESSING"])
def test_every_consent_for_a_child_is_signed_by_the_guardian(
    client: TestClient, practice: PracticeFixture, kind: str
) -> None:
    child = assert_ok(send_request(client, practice, "POST", "/clients", None, CHILD), 201)
    path = f"/clients/{child['id']}/consents"
    signed = assert_ok(sign(client, practice, path, kind), 201)
    assert signed["signed_by_name"] == "Kin Example"
    assert assert_invalid(sign(client, practice, path, kind, signed_by_name="Casey Example"))
    renamed = {"signed_by_name": "Casey Example"}
    answer = send_request(client, practice, "PATCH", f"/consents/{signed['id']}", None, renamed, If_Match='"1"')
    assert assert_invalid(answer)
    for fields in ({"emancipated": True}, {"birth_date": "2008-03-01"}):
        created = assert_ok(send_request(client, practice, "POST", "/clients", None, CHILD | fields), 201)
        path = f"/clients/{created['id']}/consents"
        assert assert_ok(sign(client, practice, path, kind), 201)["signed_by_name"] == "Casey Example"
    before_majority = {"signed_at": "2026-02-27T15:00:00Z"}
    assert assert_ok(sign(client, practice, path, kind, **before_majority), 201)["signed_by_name"] == "Kin Example"


@pytest.mark.parametrize("kind", ["INFORMED_TREATMENT", "GUARDIAN"])
def test_in_a_minors_portal_account_the_guardian_signs(
    client: TestClient, practice: PracticeFixture, kind: str
) -> None:
    minor = make_portal_client(practice, birth_date=date(2012, 5, 17), guardian_name="Kin Example")
    publish(client, practice, kind)
    sign_path = f"/clients/{minor.staff_id}/agreements/{kind}/sign"
    assert assert_ok(send_request(client, practice, "POST", sign_path, minor, {}), 201)["signed_by_name"] == (
        "Kin Example"
    )
    typed = {"signed_by_name": "kin example"}
    assert assert_ok(send_request(client, practice, "POST", sign_path, minor, typed), 201)["signed_by_name"] == (
        "kin example"
    )
    child = {"signed_by_name": "Casey Example"}
    assert "guardian" in assert_invalid(send_request(client, practice, "POST", sign_path, minor, child))[0]


@pytest.mark.parametrize("kind", ["INFORMED_TREATMENT", "GUARDIAN"])
@pytest.mark.parametrize("recorded", [{}, {"guardian_email": "kin@example.com"}, {"guardian_phone": "404-555-0102"}])
def test_a_child_with_an_account_signs_nothing_in_the_guardians_name(
    client: TestClient, practice: PracticeFixture, kind: str, recorded: dict[str, str]
) -> None:
    guardian = {"guardian_email": None, "guardian_name": "Kin Example"} | recorded
    child = make_portal_client(practice, birth_date=date(2012, 5, 17), **guardian)
    publish(client, practice, kind)
    sign_path = f"/clients/{child.staff_id}/agreements/{kind}/sign"
    for body in ({}, {"signed_by_name": "Kin Example"}):
        refused = send_request(client, practice, "POST", sign_path, child, body)
        assert (refused.status_code, error_code(refused)) == (409, "GUARDIAN_SIGNS")
        assert "call the practice" in refused.json()["error"]["message"]
    assert load_audit_entries(client, practice, "consent.signed", child.staff_id) == []
    at_the_practice = send_request(client, practice, "POST", sign_path, practice.add("scheduler"), {})
    assert assert_ok(at_the_practice, 201)["signed_by_name"] == "Kin Example"


@pytest.mark.parametrize("fields", [{}, {"birth_date": "2012-05-17", "emancipated": True}])
def test_no_guardian_consents_for_a_client_who_signs_themselves(
    client: TestClient, practice: PracticeFixture, fields: dict[str, Any]
) -> None:
    created = assert_ok(send_request(client, practice, "POST", "/clients", None, NEW_CLIENT | fields), 201)
    publish(client, practice, "GUARDIAN")
    consents, agreement = f"/clients/{created['id']}/consents", f"/clients/{created['id']}/agreements/GUARDIAN/sign"
    for refused in (
        sign(client, practice, consents, "GUARDIAN", signed_by_name="Kin Example"),
        send_request(client, practice, "POST", agreement, None, {"signed_by_name": "Kin Example"}),
    ):
        assert (refused.status_code, error_code(refused)) == (422, "GUARDIAN_NOT_NEEDED")
        assert "informed consent" in refused.json()["error"]["message"]
    assert assert_ok(send_request(client, practice, "GET", consents))["items"] == []


def test_a_guardians_consent_from_before_the_18th_birthday_is_recorded_later(
    client: TestClient, practice: PracticeFixture
) -> None:
    adult = NEW_CLIENT | {"birth_date": "2008-03-01", "guardian_name": "Kin Example"}
    created = assert_ok(send_request(client, practice, "POST", "/clients", None, adult), 201)
    path = f"/clients/{created['id']}/consents"
    assert error_code(sign(client, practice, path, "GUARDIAN")) == "GUARDIAN_NOT_NEEDED"
    assert_ok(sign(client, practice, path, "GUARDIAN", signed_at="2026-02-27T15:00:00Z"), 201)


def test_the_expiry_and_signer_of_a_consent_can_be_changed(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    created = assert_ok(sign(client, practice, path), 201)
    consent_path = f"/consents/{created['id']}"
    body = {"expires_on": "2026-12-31", "signed_by_name": "CASEY EXAMPLE"}
    updated = assert_ok(send_request(client, practice, "PATCH", consent_path, None, body, If_Match='"1"'))
    assert updated == created | body | {"version": 2}
    assert send_request(client, practice, "PATCH", consent_path, None, body, If_Match='"1"').status_code == 412
    assert assert_invalid(
        send_request(client, practice, "PATCH", consent_path, None, {"expires_on": "2026-03-18"}, If_Match='"2"')
    )
    assert (
        assert_ok(send_request(client, practice, "PATCH", consent_path, None, {"expires_on": None}, If_Match='"2"'))[
            "expires_on"
        ]
        is None
    )
    for body in ({"kind": "GUARDIAN"}, {"signed_by_name": None}, {"revoked_at": None}):
        assert send_request(client, practice, "PATCH", consent_path, None, body, If_Match='"3"').status_code == 422


def test_a_consent_expires_at_most_a_year_after_its_signature(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    (problem,) = assert_invalid(sign(client, practice, path, expires_on="2099-11-01"))
    assert problem.startswith("expires_on: A consent expires at most a year")
    earlier = {"signed_at": "2026-03-01T10:00:00-05:00"}
    assert assert_invalid(sign(client, practice, path, expires_on="2027-03-02", **earlier))
    consent = assert_ok(sign(client, practice, path, expires_on="2027-03-01", **earlier), 201)
    assert len(assert_ok(send_request(client, practice, "GET", path))["items"]) == 1
    consent_path = f"/consents/{consent['id']}"
    change = {"expires_on": "2027-03-02"}
    assert assert_invalid(send_request(client, practice, "PATCH", consent_path, None, change, If_Match='"1"'))


def test_a_consent_is_revoked_once(client: TestClient, practice: PracticeFixture, path: str) -> None:
    created = assert_ok(sign(client, practice, path, signed_at="2026-03-01T15:00:00Z"), 201)
    consent_path = f"/consents/{created['id']}"
    for revoked_at in ("2026-03-18T15:30:01Z", "2026-03-01T14:59:59Z"):
        assert (
            len(
                assert_invalid(
                    send_request(client, practice, "POST", f"{consent_path}/revoke", None, {"revoked_at": revoked_at})
                )
            )
            == 1
        )
    updated = assert_ok(
        send_request(client, practice, "POST", f"{consent_path}/revoke", None, {"revoked_at": "2026-03-10T12:00:00Z"})
    )
    assert (updated["revoked_at"], updated["version"]) == ("2026-03-10T12:00:00Z", 2)
    assert error_code(send_request(client, practice, "POST", f"{consent_path}/revoke", None, {})) == "ALREADY_REVOKED"
    other = assert_ok(sign(client, practice, path), 201)
    later = set_clock(client, timedelta(minutes=1))
    updated = assert_ok(send_request(client, practice, "POST", f"/consents/{other['id']}/revoke", None, {}))
    assert updated["revoked_at"] == later.isoformat().replace("+00:00", "Z")


def test_a_consent_entered_by_mistake_is_voided(client: TestClient, practice: PracticeFixture, path: str) -> None:
    created = assert_ok(sign(client, practice, path), 201)
    consent_path, reason = f"/consents/{created['id']}", {"reason": "Wrong client"}
    assert send_request(client, practice, "DELETE", consent_path, None, reason).status_code == 204
    assert assert_ok(send_request(client, practice, "GET", path))["items"] == []
    (voided,) = assert_ok(send_request(client, practice, "GET", f"{path}?voided=true"))["items"]
    assert (voided["id"], voided["void_reason"]) == (created["id"], "Wrong client")
    for method, rest, body in (("POST", "/revoke", {}), ("DELETE", "", reason)):
        assert send_request(client, practice, method, f"{consent_path}{rest}", None, body).status_code == 404


# Agreement texts


def publish(
    client: TestClient, practice: PracticeFixture, kind: str = "CONFIDENTIALITY", text: str = "We keep\nsilent."
) -> Any:
    return assert_ok(
        send_request(client, practice, "POST", "/agreements", None, {"kind": kind, "title": "Ours", "text": text}), 201
    )


def test_a_new_text_gets_a_new_number_and_old_texts_stay(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    first, second = publish(client, practice), publish(client, practice, text="We keep quite silent.")
    other = publish(client, practice, "TELEHEALTH")
    assert [consent_path["number"] for consent_path in (first, second, other)] == [1, 2, 1]
    for person in (practice.people["client"], practice.people["clinician"], practice.admin):
        items = assert_ok(send_request(client, practice, "GET", "/agreements", person))["items"]
        names = {} if person is not practice.people["client"] else {"published_by_person": None}
        assert items == [second | names, other | names]  # clients get no names of staff
    assert assert_ok(send_request(client, practice, "GET", "/agreements?kind=CONFIDENTIALITY"))["items"] == [
        second,
        first,
    ]
    body = {"kind": "TELEHEALTH", "title": "Ours", "text": "x"}
    assert send_request(client, practice, "POST", "/agreements", practice.add("scheduler"), body).status_code == 403
    assert first["published_by"] == str(practice.admin.account_id)


def test_concurrent_publications_get_distinct_numbers(practice: PracticeFixture) -> None:
    assert_second_waits(practice, lambda work: publish_agreement(work, "TELEHEALTH", "Ours", "Text"))


def test_clients_sign_the_newest_text_themselves(client: TestClient, practice: PracticeFixture, path: str) -> None:
    patient = practice.people["client"]
    sign_path = f"/clients/{patient.staff_id}/agreements/CONFIDENTIALITY/sign"
    for by, words in ((patient, "Please call the practice"), (None, "Publish one")):
        answer = send_request(client, practice, "POST", sign_path, by, {})
        assert (error_code(answer), words in answer.json()["error"]["message"]) == ("NO_AGREEMENT", True)
    publish(client, practice)
    newest = publish(client, practice, text="Newer.")
    before = len(
        assert_ok(send_request(client, practice, "GET", f"/clients/{patient.staff_id}/consents", patient))["items"]
    )
    signed = assert_ok(send_request(client, practice, "POST", sign_path, patient, {}), 201)
    assert (signed["kind"], signed["agreement_id"], signed["signed_at"]) == (
        *("CONFIDENTIALITY", newest["id"]),
        "2026-03-18T15:30:00Z",
    )
    assert signed["signed_by_name"].startswith("Casey Example")
    typed = assert_ok(send_request(client, practice, "POST", sign_path, patient, {"signed_by_name": "Kin"}), 201)
    assert typed["signed_by_name"] == signed["signed_by_name"]
    assert (
        len(assert_ok(send_request(client, practice, "GET", f"/clients/{patient.staff_id}/consents", patient))["items"])
        == before + 2
    )
    assert load_audit_entries(client, practice, "consent.signed")[0]["details"]["by_client"] is True
    in_person = {"signed_by_name": signed["signed_by_name"].upper()}
    signed_in_person = assert_ok(
        send_request(client, practice, "POST", sign_path, practice.add("scheduler"), in_person), 201
    )
    assert signed_in_person["signed_by_name"] == in_person["signed_by_name"]
    assert send_request(client, practice, "POST", sign_path, practice.people["clinician"], {}).status_code == 403


def test_clients_sign_for_themselves_and_not_as_their_guardian(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    patient = practice.people["client"]
    publish(client, practice, "GUARDIAN")
    publish(client, practice)
    sign_path = f"/clients/{patient.staff_id}/agreements/GUARDIAN/sign"
    assert (
        error_code(send_request(client, practice, "POST", sign_path, patient, {"signed_by_name": "Kin"}))
        == "GUARDIAN_NOT_NEEDED"
    )
    other = path.replace("/consents", "/agreements/CONFIDENTIALITY/sign")
    assert send_request(client, practice, "POST", other, patient, {}).status_code == 404
    assert send_request(client, practice, "POST", path, patient, {"kind": "CONFIDENTIALITY"}).status_code == 403
    assert (
        send_request(client, practice, "POST", sign_path.replace("GUARDIAN", "NOTHING"), patient, {}).status_code == 404
    )


def test_a_repeated_request_signs_once(client: TestClient, practice: PracticeFixture, path: str) -> None:
    publish(client, practice)
    sign_path = f"{V1}{path.replace('/consents', '/agreements/CONFIDENTIALITY/sign')}"
    headers = auth_headers(practice, practice.add("scheduler")) | {"Idempotency-Key": "sign-once-please"}
    first, second = (client.post(sign_path, json={}, headers=headers) for _ in range(2))
    assert assert_ok(first, 201) == assert_ok(second, 201)
    assert len(assert_ok(send_request(client, practice, "GET", path))["items"]) == 1
