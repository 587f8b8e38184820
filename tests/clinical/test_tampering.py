"""Whoever owns the database, and even the keys, cannot change a note, its versions or its signatures unseen."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from practice.clinical.documents.rules.content import Section, kept, read
from practice.clinical.notes import verification
from practice.clinical.notes.drafts import void_note
from practice.clinical.notes.rules.signing import Facts, content_hash, signature_hash
from practice.clinical.notes.verification import examine_notes
from practice.security.doctor import Finding
from practice.security.permissions import Scope
from practice.sessions.completion import link_note
from practice.store.ids import new_id
from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW
from tests.support.builders.schedule import make_client
from tests.support.drivers.notes import NotesApi, license_as
from tests.support.harness import cluster


@dataclass
class Forger:
    """A superuser for whom no trigger fires, with the practice's keys at hand."""

    notes_api: NotesApi
    connection: psycopg.Connection[Any]
    note: UUID

    def run(self, statement: str, **given: Any) -> Any:
        return self.connection.execute(statement, {"note": self.note} | given)  # ty: ignore[invalid-argument-type]

    def row(self, table: str, number: int) -> dict[str, Any]:
        found = self.run(f"select * from {table} where note_id = %(note)s and number = %(n)s", n=number)
        names = [column.name for column in found.description]
        return dict(zip(names, found.fetchone(), strict=True))

    def seal(self, table: str, column: str, row_id: UUID, said: str) -> bytes | None:
        with self.notes_api.practice.work() as work:
            return work.seal(table, column, row_id, said)

    def unseal(self, table: str, column: str, row_id: UUID, sealed: bytes) -> str:
        with self.notes_api.practice.work() as work:
            return work.unseal(table, column, row_id, bytes(sealed)) or ""

    def reword(self, number: int) -> None:
        """Another text in a version, sealed as it should be, with the salt that it had."""
        version = self.row("note_versions", number)
        content = read(self.unseal("note_versions", "content", version["id"], version["content"]))
        other = replace(
            content, sections=(replace(content.sections[0], text="Nothing of note."), *content.sections[1:])
        )
        sealed = self.seal("note_versions", "content", version["id"], kept(other))
        self.run("update note_versions set content = %(c)s where id = %(id)s", c=sealed, id=version["id"])

    def swap_versions(self, one: int, other: int) -> None:
        rows = [self.row("note_versions", number) for number in (one, other)]
        for row, content in zip(rows, reversed([row["content"] for row in rows]), strict=True):
            self.run("update note_versions set content = %(c)s where id = %(id)s", c=content, id=row["id"])

    def reason(self, number: int) -> None:
        version = self.row("note_versions", number)
        sealed = self.seal("note_versions", "reason", version["id"], "Another reason")
        self.run("update note_versions set reason = %(r)s where id = %(id)s", r=sealed, id=version["id"])

    def add_version(self, kind: str) -> None:
        row_id = new_id()
        content = read('{"diagnoses":[],"salt":"s","sections":[]}')
        content = replace(content, sections=(Section("subjective", "Subjective", "Slipped in."),))
        self.run(
            "insert into note_versions (tenant_id, id, note_id, number, kind, content, reason, written_at)"
            " values (%(t)s, %(id)s, %(note)s, 5, %(kind)s, %(c)s, %(r)s, now())",
            t=self.notes_api.practice.id, id=row_id, kind=kind,
            c=self.seal("note_versions", "content", row_id, kept(content)),
            r=self.seal("note_versions", "reason", row_id, "Because") if kind != "CONTENT" else None,
        )  # fmt: skip

    def signature(self, number: int, change: str, **given: Any) -> None:
        statement = f"update note_signatures set {change} where note_id = %(note)s and number = %(n)s"
        self.run(statement, n=number, **given)

    def note_is(self, change: str, **given: Any) -> None:
        self.run(f"update notes set {change} where id = %(note)s", **given)

    def remove(self, table: str, *numbers: int) -> None:
        self.run(f"delete from {table} where note_id = %(note)s and number = any(%(n)s)", n=list(numbers))

    def resign(self) -> None:
        """Another text under the amendment, with all hashes from there on made anew: a chain in good order."""
        self.reword(3)
        version = self.row("note_versions", 3)
        said = self.unseal("note_versions", "content", version["id"], version["content"])
        reason = self.unseal("note_versions", "reason", version["id"], version["reason"])
        content, previous = content_hash(said, reason), bytes(self.row("note_signatures", 2)["hash"])
        for number in (3, 4):
            row = self.row("note_signatures", number)
            content = content if number == 3 else bytes(row["content_hash"])
            facts = Facts(
                row["tenant_id"], row["note_id"], number, row["version_number"], row["kind"],
                row["signed_by_id"], row["account_id"], row["signed_at"],
            )  # fmt: skip
            hashed = signature_hash(previous, content, facts)
            self.signature(number, "content_hash = %(c)s, previous_hash = %(p)s, hash = %(h)s",
                           c=content, p=previous, h=hashed)  # fmt: skip
            previous = hashed

    def show(self, said: str) -> None:
        self.note_is("text = %(s)s", s=self.seal("notes", "text", self.note, said))


EARLIER = NOW - timedelta(days=3)
# Of a note with two drafts, handed in, co-signed, amended (version 3) and added to (version 4): what is done to it, and
# where it must show.
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
    "another reason": (lambda f: f.reason(3), {"version 3", "signature 3"}),
    "a draft removed": (lambda f: f.remove("note_versions", 1), {"version 1"}),
    "the addendum removed": (lambda f: f.remove("note_versions", 4), {"version 4", "signature 4", "text"}),
    "a version slipped in": (lambda f: f.add_version("CONTENT"), {"version 5", "text"}),
    "an addendum slipped in": (lambda f: f.add_version("ADDENDUM"), {"version 5", "text"}),
    "another day of signing": (
        lambda f: f.signature(2, "signed_at = %(at)s", at=EARLIER),
        {"signature 2", "note"},
    ),
    "another signer": (
        lambda f: f.signature(2, "signed_by_id = %(who)s", who=f.notes_api.colleague.staff_id),
        {"signature 2", "note"},
    ),
    "another account": (
        lambda f: f.signature(1, "account_id = %(who)s", who=f.notes_api.colleague.account_id),
        {"signature 1"},
    ),
    "under another version": (lambda f: f.signature(1, "version_number = 1"), {"signature 1"}),
    "another hash": (lambda f: f.signature(4, "hash = sha256('x')"), {"signature 4"}),
    "another link": (lambda f: f.signature(3, "previous_hash = sha256('x')"), {"signature 3"}),
    "all signed anew": (lambda f: f.resign(), {"version 3", "signature 3", "signature 4", "text"}),
    "the first signature removed": (
        lambda f: f.remove("note_signatures", 1),
        {"signature 1", "signature 2"},
    ),
    "the last signature removed": (lambda f: f.remove("note_signatures", 4), {"signature 4", "version 4"}),
    "the last signature and its version removed": (
        lambda f: (f.remove("note_signatures", 4), f.remove("note_versions", 4), f.show("x"))[0],
        {"signature 4", "version 4", "text"},
    ),
    "back to a draft": (
        lambda f: (
            f.remove("note_signatures", 1, 2, 3, 4),
            f.note_is("status = 'DRAFT', signed_at = null, signed_by_id = null"),
        )[0],
        {"signature 1", "signature 2", "signature 3", "signature 4", "version 3", "version 4", "note"},
    ),
    "nothing left of it": (
        lambda f: (f.remove("note_signatures", 1, 2, 3, 4), f.remove("note_versions", 1, 2, 3, 4))[0],
        {*(f"{what} {number}" for what in ("signature", "version") for number in (1, 2, 3, 4)), "note"},
    ),
    "never amended": (lambda f: f.note_is("status = 'SIGNED'"), {"note"}),
    "signed earlier": (lambda f: f.note_is("signed_at = %(at)s", at=EARLIER), {"note"}),
    "signed by another": (
        lambda f: f.note_is("signed_by_id = %(who)s", who=f.notes_api.clinician.staff_id),
        {"note"},
    ),
    "another text shown": (lambda f: f.show("Nothing of note."), {"text"}),
    "no text shown": (lambda f: f.note_is("text = null"), {"text"}),
    "rubbish shown": (lambda f: f.note_is("text = 'x'"), {"text"}),
    "under another session": (lambda f: f.note_is("appointment_id = %(s)s", s=f.notes_api.session()), {"note"}),
    "of another kind": (lambda f: f.note_is("type = 'SAFETY_PLAN'"), {"note"}),
    "another author": (lambda f: f.note_is("clinician_id = %(who)s", who=f.notes_api.supervisor.staff_id), {"note"}),
}


def with_a_history(notes_api: NotesApi) -> UUID:
    note = notes_api.save(notes_api.created(), sections=SOAP | {"plan": "Weekly."}).json()
    note = notes_api.done(notes_api.done(note, "submit"), "co-sign", notes_api.supervisor)
    note = notes_api.done(note, "amend", sections=SOAP, reason="A slip")
    return UUID(notes_api.done(note, "addendum", text="The lab called.", reason="Came later")["id"])


def examined(notes_api: NotesApi) -> Finding:
    (finding,) = examine_notes(notes_api.practice.installation, NOW, notes_api.practice.id, "Practice Elm Street")
    return finding


def test_whatever_is_changed_behind_the_back_shows_and_where(notes_api: NotesApi) -> None:
    license_as(notes_api.practice, notes_api.clinician, "LPC")
    notes = {name: with_a_history(notes_api) for name in CASES}
    untouched = with_a_history(notes_api)
    assert examined(notes_api).ok
    with cluster.superuser(notes_api.practice.installation.store.database) as connection:
        connection.execute("set session_replication_role = replica")
        for name, (forge, _) in CASES.items():
            forge(Forger(notes_api, connection, notes[name]))
    found = {name: verified(notes_api, note_id) for name, note_id in notes.items()}
    assert found == {name: where for name, (_, where) in CASES.items()}
    assert verified(notes_api, untouched) == set()
    finding = examined(notes_api)
    assert not finding.ok
    assert set(finding.facts["wrong"]) == {str(note_id) for note_id in notes.values()}
    assert f"{len(CASES)} notes are not what was written and signed" in finding.sentence


def verified(notes_api: NotesApi, note_id: UUID) -> set[str]:
    found = notes_api.verification({"id": str(note_id)})
    assert found["intact"] is (found["problems"] == [])
    return {problem["where"] for problem in found["problems"]}


def test_a_draft_that_is_marked_as_signed_is_not_signed(notes_api: NotesApi) -> None:
    draft, handed_in = notes_api.created(), notes_api.done(notes_api.created(), "submit")
    with cluster.superuser(notes_api.practice.installation.store.database) as connection:
        connection.execute("set session_replication_role = replica")
        for note in (draft, handed_in):
            Forger(notes_api, connection, UUID(note["id"])).note_is(
                "status = 'SIGNED', signed_at = %(at)s, signed_by_id = clinician_id", at=NOW
            )
    for note in (draft, handed_in):
        sentences = {problem["sentence"] for problem in notes_api.verification(note)["problems"]}
        assert "The note is marked as signed, but nobody has signed it." in sentences


def test_all_notes_of_a_practice_are_examined_in_portions(notes_api: NotesApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "PORTION", 2)
    for _ in range(5):
        notes_api.signed()
    finding = examined(notes_api)
    assert (finding.ok, finding.facts["notes"], finding.facts["signatures"]) == (True, 5, 5)
    assert finding.sentence.startswith("Practice Elm Street: 5 notes with 5 signatures")


def test_a_note_in_another_chart_shows_though_both_charts_are_read_at_once(notes_api: NotesApi) -> None:
    other = make_client(notes_api.practice, notes_api.clinician)
    note, _, theirs = notes_api.signed(), notes_api.signed(), notes_api.signed(client_id=other)
    with cluster.superuser(notes_api.practice.installation.store.database) as connection:
        connection.execute("set session_replication_role = replica")
        Forger(notes_api, connection, UUID(note["id"])).note_is("client_id = %(c)s", c=other)
    finding = examined(notes_api)
    assert finding.facts.get("wrong") == [note["id"]]
    assert verified(notes_api, UUID(theirs["id"])) == set()


def test_a_note_that_is_hidden_or_gone_altogether_is_missed(notes_api: NotesApi) -> None:
    note, hidden, _ = notes_api.created(), notes_api.signed(), notes_api.signed()
    with cluster.superuser(notes_api.practice.installation.store.database) as connection:
        connection.execute("set session_replication_role = replica")
        forger = Forger(notes_api, connection, UUID(note["id"]))
        forger.run("delete from note_versions where note_id = %(note)s")
        forger.run("delete from notes where id = %(note)s")
        Forger(notes_api, connection, UUID(hidden["id"])).note_is("voided_at = %(at)s, void_reason = 'Away'", at=NOW)
    finding = examined(notes_api)
    assert not finding.ok
    assert set(finding.facts["wrong"]) == {note["id"], hidden["id"]}
    assert f"{note['id']}, note: It is gone" in finding.sentence


def test_a_note_that_is_put_to_a_session_or_taken_back_is_still_what_was_written(notes_api: NotesApi) -> None:
    session = notes_api.session(status="COMPLETED", status_at=NOW)
    note, draft = notes_api.signed(), notes_api.created()
    with notes_api.practice.work(notes_api.clinician) as work:
        link_note(work, Scope.OWN, session, 0, UUID(note["id"]))
        void_note(work, UUID(draft["id"]), "Begun twice")
    assert verified(notes_api, UUID(note["id"])) == set()
    assert examined(notes_api).ok
