"""The first signature of a session's note on its appointment: the same however the note came to be signed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from ingest.bundle.load import import_bundle
from practice.security.installation import Installation
from tests.support.builders.bundles import OAK_STREET
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.http import assert_ok
from tests.support.drivers.sessions import LOCKED_TUESDAY, TUESDAY, SessionsApi

DIFFERENT = text("""
    select a.id from appointments as a
    left join lateral (
        select min(n.signed_at) as signed_at from notes as n
        where n.tenant_id = a.tenant_id and n.appointment_id = a.id
            and n.entered_in_error_at is null and n.type not in ('TREATMENT_PLAN', 'SAFETY_PLAN', 'DISCHARGE_SUMMARY')
    ) as s on true
    where a.tenant_id = :tenant_id and a.note_signed_at is distinct from s.signed_at
""")


@pytest.fixture
def api(client: TestClient, practice: PracticeFixture) -> SessionsApi:
    return SessionsApi(client, practice)


def find_differences(installation: Installation, tenant_id: UUID) -> list[UUID]:
    """Return the appointments whose signature differs from that of their notes."""
    with installation.store.begin_session(tenant_id) as db:
        return list(db.scalars(DIFFERENT, {"tenant_id": tenant_id}))


def sign(api: SessionsApi, path: str, note: UUID, by: Any) -> None:
    headers = {"If-Match": f'"{api.load_note(note).version}"'}
    assert_ok(api.request("POST", f"/notes/{note}/{path}", by, headers=headers))


def test_a_signed_session_leaves_the_unsigned_and_the_locked_ones(api: SessionsApi) -> None:
    session, other = api.add_session(), api.add_session(TUESDAY - timedelta(hours=2))
    locked = api.add_session(LOCKED_TUESDAY)
    assert set(api.list_ids(signed="false")) == {session, other, locked}
    assert api.list_ids(locked="true") == [locked]
    sign(api, "sign", api.write_note(session), api.clinician)
    assert set(api.list_ids(signed="false")) == {other, locked}
    assert api.list_ids(signed="true") == [session]
    assert find_differences(api.practice.installation, api.practice.id) == []


def test_a_note_in_review_is_not_signed_before_the_supervisor_signs(api: SessionsApi) -> None:
    api.require_review(api.clinician)
    session = api.add_session()
    note = api.write_note(session, submit=True)
    assert api.list_ids(signed="true") == []
    sign(api, "co-sign", note, api.supervisor)
    assert api.list_ids(signed="true") == [session]
    assert find_differences(api.practice.installation, api.practice.id) == []


def test_a_note_that_is_linked_later_signs_its_session(api: SessionsApi) -> None:
    session = api.add_session()
    note = api.sessions.add_note(None, signed_at=TUESDAY + timedelta(hours=3))
    version = api.read(session)["version"]
    assert_ok(api.put(session, version, noteId=note))
    assert api.list_ids(signed="true") == [session]
    assert find_differences(api.practice.installation, api.practice.id) == []


def test_a_note_struck_as_entered_in_error_leaves_its_session_unsigned(api: SessionsApi) -> None:
    session = api.add_session()
    note = api.write_note(session)
    sign(api, "sign", note, api.clinician)
    assert api.list_ids(signed="true") == [session]
    body = {"reason": "Written for the wrong client"}
    assert_ok(api.request("POST", f"/notes/{note}/entered-in-error", api.clinician, json=body))
    assert api.list_ids(signed="false") == [session]
    assert find_differences(api.practice.installation, api.practice.id) == []


def test_a_plan_linked_to_a_session_does_not_sign_it(api: SessionsApi) -> None:
    session = api.add_session()
    api.sessions.add_note(session, signed_at=TUESDAY + timedelta(hours=3), type="TREATMENT_PLAN")
    assert api.list_ids(signed="false") == [session]
    assert find_differences(api.practice.installation, api.practice.id) == []


def test_an_imported_history_is_signed_as_its_notes_are(own_installation: Installation) -> None:
    now = datetime(2026, 3, 18, tzinfo=UTC)
    practice = import_bundle(own_installation, Path(OAK_STREET), now, lambda _message: None).practice
    with own_installation.store.begin_session(practice.id) as db:
        signed = db.scalar(text("select count(*) from appointments where note_signed_at is not null"))
    assert signed
    assert find_differences(own_installation, practice.id) == []


def test_the_list_of_locked_sessions_agrees_with_each_session(api: SessionsApi) -> None:
    sessions = [api.add_session(TUESDAY - timedelta(days=days)) for days in (0, 7, 14, 21)]
    sign(api, "sign", api.write_note(sessions[0]), api.clinician)
    assert_ok(api.post(f"/{sessions[1]}/supervisor-override", api.supervisor, reason="Was ill", hours=24))
    shown = {session: api.read(session)["isLocked"] for session in sessions}
    assert set(api.list_ids(locked="true")) == {session for session, locked in shown.items() if locked}
    assert set(api.list_ids(locked="false")) == {session for session, locked in shown.items() if not locked}
    assert api.get("", locked="true", count="true").json()["total"] == sum(shown.values())
