"""Concurrent work on one note: every acknowledged change is stored in order, and nothing deadlocks."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient
from sqlalchemy import text

from practice.clinical.notes.signing import sign_many
from practice.scheduling.appointments.lifecycle import lock_with_resources
from practice.security.permissions import Scope
from practice.security.work import Work
from tests.support.builders.notes import SOAP, make_note
from tests.support.builders.people import Person
from tests.support.drivers.http import V1
from tests.support.drivers.notes import NotesApi, set_license
from tests.support.drivers.waiting import collide

AUTHORS, SUPERVISORS, OTHERS = 22, 16, 12
TURNS = 8
REFUSALS = {409, 412, 403, 404}


@dataclass
class Participant:
    """A person who takes random steps and remembers which were acknowledged."""

    number: int
    http: TestClient
    headers: dict[str, str]
    path: str
    steps: tuple[str, ...]
    done: list[tuple[str, Any]] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)

    def run(self) -> "Participant":
        chance = random.Random(self.number)  # noqa: S311
        for turn in range(TURNS):
            self.act(chance.choice(self.steps), f"text {self.number} {turn}")
        return self

    def act(self, step: str, text: str) -> None:
        headers = dict(self.headers)
        read = self.http.get(self.path, headers=headers)
        if read.status_code == 200:
            headers["If-Match"] = read.headers["ETag"]
        content = {"sections": SOAP | {"plan": text}}
        reason = {"reason": text}
        bodies = {"amend": content | reason, "addendum": reason | {"text": text}, "return": reason}
        bodies |= {"lock": reason, "unlock": reason}
        if step == "save":
            answer = self.http.put(self.path, json=content, headers=headers)
        else:
            answer = self.http.post(f"{self.path}/{step}", json=bodies.get(step), headers=headers)
        if answer.status_code == 200:
            self.done.append((step, text))
        else:
            assert answer.status_code in REFUSALS | {428}, answer.text
            self.refused[answer.status_code] += 1


def test_fifty_people_at_one_note_lose_no_version_and_no_signature(notes_api: NotesApi) -> None:
    set_license(notes_api.practice, notes_api.clinician, "LPC")
    notes_api.make_session(clinician=notes_api.colleague)
    note = notes_api.create_note(appointment_id=notes_api.make_session())

    def make_participants(count: int, by: Person, *steps: str) -> list[Participant]:
        path = f"{V1}/notes/{note['id']}"
        headers = notes_api.build_headers(by)
        return [Participant(number, notes_api.http, headers, path, steps) for number in range(count)]

    everyone = [
        *make_participants(
            AUTHORS, notes_api.clinician, "save", "save", "save", "submit", "withdraw", "sign", "amend", "addendum"
        ),
        *make_participants(SUPERVISORS, notes_api.supervisor, "return", "return", "co-sign", "lock", "unlock"),
        *make_participants(OTHERS, notes_api.colleague, "save", "sign", "amend", "addendum"),
    ]
    for number, participant in enumerate(everyone):
        participant.number = number
    random.Random(1).shuffle(everyone)  # noqa: S311
    with ThreadPoolExecutor(len(everyone)) as pool:
        list(pool.map(Participant.run, everyone))
    if notes_api.read(note)["status"] == "DRAFT":
        notes_api.post_step(note, "unlock", notes_api.supervisor, reason="To finish")
        note = notes_api.take_step(notes_api.read(note), "submit")
        everyone[0].done.append(("submit", ""))
    done = [action for participant in everyone for action in participant.done]
    counted = Counter(verb for verb, _ in done)
    colleague_headers = notes_api.build_headers(notes_api.colleague)
    assert not any(participant.done for participant in everyone if participant.headers == colleague_headers)

    history = notes_api.read_history(note)
    texts = Counter(
        version["sections"][0]["text"] if version["kind"] == "ADDENDUM" else version["sections"][3]["text"]
        for version in history["versions"][1:]
    )
    assert texts == Counter(text for verb, text in done if verb in ("save", "amend", "addendum"))
    assert [version["number"] for version in history["versions"]] == list(range(1, len(texts) + 2))
    kinds = Counter(signature["kind"] for signature in history["signatures"])
    assert kinds == Counter(
        AUTHOR=counted["submit"],
        CO_SIGNATURE=counted["co-sign"],
        AMENDMENT=counted["amend"],
        ADDENDUM=counted["addendum"],
    )
    assert counted["co-sign"] <= 1 + counted["amend"] + counted["addendum"]
    assert Counter(item["reason"] for item in history["review_returns"]) == Counter(
        text for verb, text in done if verb == "return"
    )
    locks = notes_api.load_rows("select kind from session_locks where tenant_id = :tenant_id order by id")
    assert len(locks) >= counted["lock"] + counted["unlock"]
    changes = sum(number for verb, number in counted.items() if verb not in ("lock", "unlock"))
    assert history["note"]["version"] == 1 + changes
    assert notes_api.verify(note)["problems"] == []


def test_bulk_signing_in_any_order_never_deadlocks(notes_api: NotesApi) -> None:
    """Other transactions lock the same appointments meanwhile."""
    starts = [
        notes_api.practice.now - (number + 2) * (notes_api.practice.now - notes_api.practice.now.replace(minute=0))
        for number in range(12)
    ]
    random.Random(2).shuffle(starts)  # noqa: S311
    sessions = [notes_api.make_session(start) for start in starts]
    notes = [
        make_note(notes_api.practice, notes_api.clinician, notes_api.client, appointment_id=session)
        for session in (*sessions, None)
    ]

    def sign_or_lock(number: int) -> list[UUID]:
        chance = random.Random(number)  # noqa: S311
        if number % 3:
            with notes_api.practice.work(notes_api.clinician) as work:
                results = sign_many(work, chance.sample(notes, len(notes)))
            return [result.note_id for result in results if result.refusal is None]
        with notes_api.practice.work() as work:
            lock_with_resources(work, Scope.ALL, chance.sample(sessions, len(sessions)))
        return []

    with ThreadPoolExecutor(8) as pool:
        signed = [note_id for ids in pool.map(sign_or_lock, range(24)) for note_id in ids]
    assert sorted(signed) == sorted(notes)
    assert notes_api.count_rows()["note_signatures"] == len(notes)


def link_to(session: UUID, note_id: UUID) -> Callable[[Work], None]:
    def put(work: Work) -> None:
        statement = "update notes set appointment_id = :session where tenant_id = :tenant and id = :id"
        work.db.execute(text(statement), {"session": session, "tenant": work.tenant_id, "id": note_id})

    return put


def test_a_note_linked_while_being_signed_follows_the_session_deadline(notes_api: NotesApi) -> None:
    """The signature waits for the transaction that links the note, and then finds the session locked."""
    session = notes_api.make_session(notes_api.now - timedelta(days=30))
    first, second = (make_note(notes_api.practice, notes_api.clinician, notes_api.client) for _ in range(2))

    def make_sign(note_id: UUID) -> Callable[[Work], str | None]:
        def sign(work: Work) -> str | None:
            work.actor = notes_api.practice.actor(notes_api.clinician)
            (result,) = sign_many(work, [note_id])
            return result.refusal.code if result.refusal else None

        return sign

    assert collide(notes_api.practice, link_to(session, first), make_sign(first)).result() == "NOTE_LOCKED"
    # another transaction has locked the session: nobody waits for it while holding a note
    with notes_api.practice.work() as scheduler:
        lock_with_resources(scheduler, Scope.ALL, [session])
        assert collide(notes_api.practice, link_to(session, second), make_sign(second)).result() == "STALE"
    assert notes_api.count_rows()["note_signatures"] == 0
