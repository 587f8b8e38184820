"""Verification finds every change of notes, versions and signatures, even by an owner of the database and the keys."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from practice.clinical import chart_audit
from practice.clinical.documents.rules.content import Section, canonical_json, parse
from practice.clinical.models.notes import Note
from practice.clinical.notes import locked_notes, verification
from practice.clinical.notes.drafts import void_note
from practice.clinical.notes.rules.signing import SignatureFacts, hash_content, hash_signature
from practice.clinical.notes.verification import examine_notes
from practice.security.doctor import Finding
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.sessions.completion import link_note
from practice.store.ids import new_id
from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW
from tests.support.builders.schedule import make_client
from tests.support.drivers.notes import NotesApi, import_note, set_license
from tests.support.harness import cluster


@dataclass
class Forger:
    """A superuser without triggers who has the practice's keys."""

    notes_api: NotesApi
    connection: psycopg.Connection[Any]
    note: UUID

    def run(self, statement: str, **parameters: Any) -> Any:
        return self.connection.execute(statement, {"note": self.note} | parameters)  # ty: ignore[invalid-argument-type]

    def load_row(self, table: str, number: int) -> dict[str, Any]:
        cursor = self.run(f"select * from {table} where note_id = %(note)s and number = %(n)s", n=number)
        names = [column.name for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))

    def seal(self, table: str, column: str, row_id: UUID, text: str) -> bytes | None:
        with self.notes_api.practice.work() as work:
            return work.seal(table, column, row_id, text)

    def unseal(self, table: str, column: str, row_id: UUID, sealed: bytes) -> str:
        with self.notes_api.practice.work() as work:
            return work.unseal(table, column, row_id, bytes(sealed)) or ""

    def reword(self, number: int) -> None:
        """Replace the text of a version, encrypted correctly and with its old salt."""
        version = self.load_row("note_versions", number)
        content = parse(self.unseal("note_versions", "content", version["id"], version["content"]))
        other = replace(
            content, sections=(replace(content.sections[0], text="Nothing of note."), *content.sections[1:])
        )
        sealed = self.seal("note_versions", "content", version["id"], canonical_json(other))
        self.run("update note_versions set content = %(c)s where id = %(id)s", c=sealed, id=version["id"])

    def swap_versions(self, first: int, second: int) -> None:
        rows = [self.load_row("note_versions", number) for number in (first, second)]
        for row, content in zip(rows, reversed([row["content"] for row in rows]), strict=True):
            self.run("update note_versions set content = %(c)s where id = %(id)s", c=content, id=row["id"])

    def change_reason(self, number: int) -> None:
        version = self.load_row("note_versions", number)
        sealed = self.seal("note_versions", "reason", version["id"], "Another reason")
        self.run("update note_versions set reason = %(r)s where id = %(id)s", r=sealed, id=version["id"])

    def add_version(self, kind: str) -> None:
        row_id = new_id()
        content = parse('{"diagnoses":[],"salt":"s","sections":[]}')
        content = replace(content, sections=(Section("subjective", "Subjective", "Slipped in."),))
        self.run(
            "insert into note_versions (tenant_id, id, note_id, number, kind, content, reason, written_at)"
            " values (%(t)s, %(id)s, %(note)s, 5, %(kind)s, %(c)s, %(r)s, now())",
            t=self.notes_api.practice.id, id=row_id, kind=kind,
            c=self.seal("note_versions", "content", row_id, canonical_json(content)),
            r=self.seal("note_versions", "reason", row_id, "Because") if kind != "CONTENT" else None,
        )  # fmt: skip

    def change_signature(self, number: int, change: str, **parameters: Any) -> None:
        statement = f"update note_signatures set {change} where note_id = %(note)s and number = %(n)s"
        self.run(statement, n=number, **parameters)

    def change_note(self, change: str, **parameters: Any) -> None:
        self.run(f"update notes set {change} where id = %(note)s", **parameters)

    def remove(self, table: str, *numbers: int) -> None:
        self.run(f"delete from {table} where note_id = %(note)s and number = any(%(n)s)", n=list(numbers))

    def resign(self) -> None:
        """Replace the text of the amendment and recompute all later hashes into a valid chain."""
        self.reword(3)
        version = self.load_row("note_versions", 3)
        text = self.unseal("note_versions", "content", version["id"], version["content"])
        reason = self.unseal("note_versions", "reason", version["id"], version["reason"])
        content, previous = hash_content(text, reason), bytes(self.load_row("note_signatures", 2)["hash"])
        for number in (3, 4):
            row = self.load_row("note_signatures", number)
            content = content if number == 3 else bytes(row["content_hash"])
            facts = SignatureFacts(
                row["tenant_id"], row["note_id"], number, row["version_number"], row["kind"],
                row["signed_by_id"], row["account_id"], row["signed_at"],
            )  # fmt: skip
            hashed = hash_signature(previous, content, facts)
            self.change_signature(number, "content_hash = %(c)s, previous_hash = %(p)s, hash = %(h)s",
                           c=content, p=previous, h=hashed)  # fmt: skip
            previous = hashed

    def change_text(self, text: str) -> None:
        self.change_note("text = %(s)s", s=self.seal("notes", "text", self.note, text))


EARLIER = NOW - timedelta(days=3)
# Manipulations of a note with two drafts, submitted, co-signed, amended (version 3) and extended (version 4), and where
# they must be found.
CASES: dict[str, tuple[Callable[[Forger], None], set[str]]] = {
    "a draft reworded": (lambda f: f.reword(1), {"version 1"}),
    "what was signed reworded": (lambda f: f.reword(2), {"version 2", "signature 1", "signature 2"}),
    "the amendment reworded": (lambda f: f.reword(3), {"version 3", "signature 3", "text"}),
    "the addendum reworded": (lambda f: f.reword(4), {"version 4", "signature 4", "text"}),
    "two versions swapped": (
        lambda f: f.swap_versions(1, 2),
        {"version 1", "version 2", "signature 1", "signature 2"},
    ),
    "rubbish for a version": (
        lambda f: f.run("update note_versions set content = 'x' where note_id = %(note)s and number = 1"),
        {"version 1"},
    ),
    "another reason": (lambda f: f.change_reason(3), {"version 3", "signature 3"}),
    "a draft removed": (lambda f: f.remove("note_versions", 1), {"version 1"}),
    "the addendum removed": (lambda f: f.remove("note_versions", 4), {"version 4", "signature 4", "text"}),
    "a version slipped in": (lambda f: f.add_version("CONTENT"), {"version 5", "text"}),
    "an addendum slipped in": (lambda f: f.add_version("ADDENDUM"), {"version 5", "text"}),
    "another day of signing": (
        lambda f: f.change_signature(2, "signed_at = %(at)s", at=EARLIER),
        {"signature 2", "note"},
    ),
    "another signer": (
        lambda f: f.change_signature(2, "signed_by_id = %(who)s", who=f.notes_api.colleague.staff_id),
        {"signature 2", "note"},
    ),
    "another account": (
        lambda f: f.change_signature(1, "account_id = %(who)s", who=f.notes_api.colleague.account_id),
        {"signature 1"},
    ),
    "under another version": (lambda f: f.change_signature(1, "version_number = 1"), {"signature 1"}),
    "another hash": (lambda f: f.change_signature(4, "hash = sha256('x')"), {"signature 4"}),
    "another link": (lambda f: f.change_signature(3, "previous_hash = sha256('x')"), {"signature 3"}),
    "everything re-signed": (lambda f: f.resign(), {"version 3", "signature 3", "signature 4", "text"}),
    "the first signature removed": (
        lambda f: f.remove("note_signatures", 1),
        {"signature 1", "signature 2"},
    ),
    "the last signature removed": (lambda f: f.remove("note_signatures", 4), {"signature 4", "version 4"}),
    "the last signature and its version removed": (
        lambda f: (f.remove("note_signatures", 4), f.remove("note_versions", 4), f.change_text("x"))[0],
        {"signature 4", "version 4", "text"},
    ),
    "back to a draft": (
        lambda f: (
            f.remove("note_signatures", 1, 2, 3, 4),
            f.change_note("status = 'DRAFT', signed_at = null, signed_by_id = null"),
        )[0],
        {"signature 1", "signature 2", "signature 3", "signature 4", "version 3", "version 4", "note"},
    ),
    "nothing left of it": (
        lambda f: (f.remove("note_signatures", 1, 2, 3, 4), f.remove("note_versions", 1, 2, 3, 4))[0],
        {*(f"{what} {number}" for what in ("signature", "version") for number in (1, 2, 3, 4)), "note"},
    ),
    "never amended": (lambda f: f.change_note("status = 'SIGNED'"), {"note"}),
    "signed earlier": (lambda f: f.change_note("signed_at = %(at)s", at=EARLIER), {"note"}),
    "signed by another": (
        lambda f: f.change_note("signed_by_id = %(who)s", who=f.notes_api.clinician.staff_id),
        {"note"},
    ),
    "another text shown": (lambda f: f.change_text("Nothing of note."), {"text"}),
    "no text shown": (lambda f: f.change_note("text = null"), {"text"}),
    "rubbish shown": (lambda f: f.change_note("text = 'x'"), {"text"}),
    "under another session": (
        lambda f: f.change_note("appointment_id = %(s)s", s=f.notes_api.make_session()),
        {"note"},
    ),
    "of another kind": (lambda f: f.change_note("type = 'SAFETY_PLAN'"), {"note"}),
    "another author": (
        lambda f: f.change_note("clinician_id = %(who)s", who=f.notes_api.supervisor.staff_id),
        {"note"},
    ),
}


def make_note_with_history(notes_api: NotesApi) -> UUID:
    set_license(notes_api.practice, notes_api.clinician, "LPC")
    note = notes_api.save(notes_api.create_note(), sections=SOAP | {"plan": "Weekly."}).json()
    note = notes_api.take_step(notes_api.take_step(note, "submit"), "co-sign", notes_api.supervisor)
    set_license(notes_api.practice, notes_api.clinician, None)
    note = notes_api.take_step(note, "amend", sections=SOAP, reason="A slip")
    return UUID(notes_api.take_step(note, "addendum", text="The lab called.", reason="Came later")["id"])


def examine(notes_api: NotesApi) -> Finding:
    (finding,) = examine_notes(notes_api.practice.installation, NOW, notes_api.practice.id, "Practice Elm Street")
    return finding


def test_every_manipulation_is_found_and_located(notes_api: NotesApi) -> None:
    notes = {name: make_note_with_history(notes_api) for name in CASES}
    untouched = make_note_with_history(notes_api)
    assert examine(notes_api).ok
    with cluster.connect_as_superuser(notes_api.practice.installation.store.database) as connection:
        connection.execute("set session_replication_role = replica")
        for name, (forge, _) in CASES.items():
            forge(Forger(notes_api, connection, notes[name]))
    found_at = {name: verify(notes_api, note_id) for name, note_id in notes.items()}
    assert found_at == {name: where for name, (_, where) in CASES.items()}
    assert verify(notes_api, untouched) == set()
    finding = examine(notes_api)
    assert not finding.ok
    assert set(finding.facts["wrong"]) == {str(note_id) for note_id in notes.values()}
    assert f"{len(CASES)} notes not as written and signed" in finding.message


def verify(notes_api: NotesApi, note_id: UUID) -> set[str]:
    result = notes_api.verify({"id": str(note_id)})
    assert result["intact"] is (result["problems"] == [])
    return {problem["where"] for problem in result["problems"]}


def test_a_manipulated_review_of_an_amendment_is_found(notes_api: NotesApi) -> None:
    """An amendment that was returned (version 2) or is in review (version 3) must not come into force unnoticed."""
    set_license(notes_api.practice, notes_api.clinician, "LPC")

    def make_reviewed_note() -> UUID:
        note = notes_api.take_step(notes_api.create_note(), "submit")
        note = notes_api.take_step(note, "co-sign", notes_api.supervisor)
        note = notes_api.take_step(note, "amend", sections=SOAP | {"plan": "Weekly."}, reason="A slip")
        note = notes_api.take_step(note, "return", notes_api.supervisor, reason="Not so")
        note = notes_api.take_step(note, "addendum", text="The lab called.", reason="Came later")
        return UUID(note["id"])

    cases: dict[str, tuple[Callable[[Forger], None], set[str]]] = {
        "returned, and in force": (
            lambda f: f.run("update note_versions set needs_review = false where note_id = %(note)s and number = 2"),
            {"version 2", "text"},
        ),
        "in force without review": (
            lambda f: f.run("update note_versions set needs_review = false where note_id = %(note)s and number = 3"),
            {"version 3", "text"},
        ),
        "taken out of review": (lambda f: f.change_note("version_in_review = null"), {"note"}),
        "another one in review": (lambda f: f.change_note("version_in_review = 2"), {"note"}),
        "struck": (
            lambda f: f.change_note(
                "status = 'ENTERED_IN_ERROR', version_in_review = null, entered_in_error_at = now(),"
                " entered_in_error_by_id = clinician_id, error_reason = 'x'"
            ),
            {"note"},
        ),
    }
    notes = {name: make_reviewed_note() for name in cases}
    struck = make_reviewed_note()
    notes_api.take_step(notes_api.read({"id": str(struck)}), "entered-in-error", reason="Another client")
    assert examine(notes_api).ok
    with cluster.connect_as_superuser(notes_api.practice.installation.store.database) as connection:
        connection.execute("set session_replication_role = replica")
        for name, (forge, _) in cases.items():
            forge(Forger(notes_api, connection, notes[name]))
        Forger(notes_api, connection, struck).change_note(
            "status = 'SIGNED', entered_in_error_at = null, entered_in_error_by_id = null, error_reason = null"
        )
    assert {name: verify(notes_api, note_id) for name, note_id in notes.items()} == {
        name: where for name, (_, where) in cases.items()
    }
    assert verify(notes_api, struck) == {"note"}


def test_a_draft_marked_as_signed_is_found(notes_api: NotesApi) -> None:
    draft, handed_in = notes_api.create_note(), notes_api.take_step(notes_api.create_note(), "submit")
    with cluster.connect_as_superuser(notes_api.practice.installation.store.database) as connection:
        connection.execute("set session_replication_role = replica")
        for note in (draft, handed_in):
            Forger(notes_api, connection, UUID(note["id"])).change_note(
                "status = 'SIGNED', signed_at = %(at)s, signed_by_id = clinician_id", at=NOW
            )
    for note in (draft, handed_in):
        sentences = {problem["message"] for problem in notes_api.verify(note)["problems"]}
        assert "The note is marked as signed, but nobody has signed it." in sentences


def test_all_notes_of_a_practice_are_examined_in_batches(notes_api: NotesApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "BATCH_SIZE", 2)
    for _ in range(5):
        notes_api.create_signed_note()
    finding = examine(notes_api)
    assert (finding.ok, finding.facts["notes"], finding.facts["signatures"]) == (True, 5, 5)
    assert finding.message.startswith("Practice Elm Street: 5 notes with 5 signatures")


def test_a_note_moved_to_another_chart_is_found_in_the_same_batch(notes_api: NotesApi) -> None:
    other = make_client(notes_api.practice, notes_api.clinician)
    note, _, theirs = (
        notes_api.create_signed_note(),
        notes_api.create_signed_note(),
        notes_api.create_signed_note(client_id=other),
    )
    with cluster.connect_as_superuser(notes_api.practice.installation.store.database) as connection:
        connection.execute("set session_replication_role = replica")
        Forger(notes_api, connection, UUID(note["id"])).change_note("client_id = %(c)s", c=other)
    finding = examine(notes_api)
    assert finding.facts.get("wrong") == [note["id"]]
    assert verify(notes_api, UUID(theirs["id"])) == set()


def test_voided_and_deleted_notes_are_found(notes_api: NotesApi) -> None:
    note, hidden, _ = notes_api.create_note(), notes_api.create_signed_note(), notes_api.create_signed_note()
    with cluster.connect_as_superuser(notes_api.practice.installation.store.database) as connection:
        connection.execute("set session_replication_role = replica")
        forger = Forger(notes_api, connection, UUID(note["id"]))
        forger.run("delete from note_versions where note_id = %(note)s")
        forger.run("delete from notes where id = %(note)s")
        Forger(notes_api, connection, UUID(hidden["id"])).change_note(
            "voided_at = %(at)s, void_reason = 'Away'", at=NOW
        )
    finding = examine(notes_api)
    assert not finding.ok
    assert set(finding.facts["wrong"]) == {note["id"], hidden["id"]}
    assert f"{note['id']}, note: The note was deleted" in finding.message


def test_an_imported_note_amended_under_a_retired_action_name_is_intact(
    notes_api: NotesApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record_under_retired_name(work: Work, note: Note, action: str, **details: Any) -> None:
        assert action == "note.import_stored"
        chart_audit.audit_chart_access(work, note, "note.kept_as_it_came", **details)

    monkeypatch.setattr(locked_notes, "audit_chart_access", record_under_retired_name)
    signed = {"status": "SIGNED", "signed_at": EARLIER, "signed_by_id": notes_api.clinician.staff_id}
    note = notes_api.get(f"/notes/{import_note(notes_api, 'As it came.', **signed)}").json()
    amended = notes_api.take_step(note, "amend", sections=SOAP, reason="A slip")
    assert verify(notes_api, UUID(amended["id"])) == set()
    assert examine(notes_api).ok


def test_linking_and_voiding_keep_a_note_intact(notes_api: NotesApi) -> None:
    session = notes_api.make_session(status="COMPLETED", status_at=NOW)
    note, draft = notes_api.create_signed_note(), notes_api.create_note()
    with notes_api.practice.work(notes_api.clinician) as work:
        link_note(work, Scope.OWN, session, 0, UUID(note["id"]))
        void_note(work, UUID(draft["id"]), "Begun twice")
    assert verify(notes_api, UUID(note["id"])) == set()
    assert examine(notes_api).ok
