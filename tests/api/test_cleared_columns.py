"""Columns that a redaction clears in records that are otherwise never changed."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from practice.scheduling.models.appointments import AppointmentStep
from practice.store.ids import new_id
from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service, put


@pytest.mark.parametrize("column", ["status", "at", "account_id", "appointment_id"])
def test_only_the_note_of_a_step_can_be_cleared(practice: PracticeFixture, column: str) -> None:
    visit = make_appointment(
        practice, practice.add("clinician"), make_client(practice), make_service(practice), practice.now
    )
    put(practice, AppointmentStep(id=new_id(), appointment_id=visit, status="SCHEDULED", at=practice.now, note=b"x"))
    with practice.installation.store.open_owner_connection("owner") as db:
        db.execute(text("select set_config('app.tenant_id', :id, false)"), {"id": str(practice.id)})
        cleared = "update appointment_steps set note = null, consent_override_reason = null"
        assert db.execute(text(cleared)).rowcount == 1
        with pytest.raises(DBAPIError, match="never changed or removed"):
            db.execute(text(f"update appointment_steps set {column} = {column}"))


@pytest.mark.parametrize(
    "statement",
    ["delete from client_statuses", "truncate client_statuses", "update client_statuses set reason = 'Another'"]
    + [f"update client_statuses set {column} = {column}" for column in ("status", "effective_on", "set_at", "set_by")],
)
def test_only_the_reason_in_the_status_history_can_be_cleared(practice: PracticeFixture, statement: str) -> None:
    patient = make_client(practice)
    with practice.installation.store.open_owner_connection("owner") as db:
        db.execute(text("select set_config('app.tenant_id', :id, false)"), {"id": str(practice.id)})
        assert db.execute(text("update client_statuses set reason = null")).rowcount == 1
        with pytest.raises(DBAPIError, match="never changed or removed"):
            db.execute(text(statement))
    with practice.installation.store.begin_session(practice.id) as db:
        query = text("select count(*) from client_statuses where client_id = :id")
        assert db.scalar(query, {"id": patient}) == 1
