"""Audit entries about the notes in a client's chart."""

from typing import Any

from practice.clinical.models.notes import Note
from practice.people.clients import reason_detail
from practice.security.work import Work


def audit_chart_access(work: Work, note: Note, action: str, reason: str | None = None, **details: Any) -> None:
    """Record an action on a note as access to its client's chart."""
    work.record(action, "client", note.client_id, note_id=str(note.id), **details, **reason_detail(reason))
