"""Many people at one note at the same moment: what was acknowledged is there, in order, and nobody waits for ever."""

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
from practice.scheduling.appointments.lifecycle import lock_all
from practice.security.permissions import Scope
from practice.security.work import Work
from tests.support.builders.notes import SOAP, make_note
from tests.support.builders.people import Person
from tests.support.drivers.http import V1
from tests.support.drivers.notes import NotesApi, license_as
from tests.support.drivers.waiting import collide

AUTHORS, SUPERVISORS, OTHERS = 22, 16, 12
TURNS = 8
REFUSALS = {409, 412, 403, 404}


@dataclass
class Seat:
    """Somebody who does one thing after the other and remembers what was acknowledged."""

    number: int
    http: TestClient
    headers: dict[str, str]
    path: str
    verbs: tuple[str, ...]
    done: list[tuple[str, Any]] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)

    def sit(self) -> "Seat":
        chance = random.Random(self.number)  # noqa: S311
        for turn in range(TURNS):
            self.act(chance.choice(self.verbs), f"words {self.number} {turn}")
        return self

    def act(self, verb: str, words: str) -> None:
        headers = dict(self.headers)
        read = self.http.get(self.path, headers=headers)
        if read.status_code == 200:
            headers["If-Match"] = read.headers["ETag"]
        content = {"sections": SOAP | {"plan": words}}
        because = {"reason": words}
        bodies = {"amend": content | because, "addendum": because | {"text": words}, "return": because}
        bodies |= {"lock": because, "unlock": because}
        if verb == "save":
            answer = self.http.put(self.path, json=content, headers=headers)
        else:
            answer = self.http.post(f"{self.path}/{verb}", json=bodies.get(verb), headers=headers)
        if answer.status_code == 200:
            self.done.append((verb, words))
        else:
            assert answer.status_code in REFUSALS | {428}, answer.text
            self.refused[answer.status_code] += 1


def test_fifty_at_one_note_lose_no_version_and_no_signature(notes_api: NotesApi) -> None:
    license_as(notes_api.practice, notes_api.clinician, "LPC")
    notes_api.session(clinician=notes_api.colleague)
    note = notes_api.created(appointment_id=notes_api.session())

    def seats(count: int, by: Person, *verbs: str) -> list[Seat]:
        path = f"{V1}/notes/{note['id']}"
        return [Seat(number, notes_api.http, notes_api.headers(by), path, verbs) for number in range(count)]

    everybody = [
        *seats(AUTHORS, notes_api.clinician, "save", "save", "save", "submit", "withdraw", "sign", "amend", "addendum"),
        *seats(SUPERVISORS, notes_api.supervisor, "return", "return", "co-sign", "lock", "unlock"),
        *seats(OTHERS, notes_api.colleague, "save", "sign", "amend", "addendum"),
    ]
    for number, seat in enumerate(everybody):
        seat.number = number
    random.Random(1).shuffle(everybody)  # noqa: S311
    with ThreadPoolExecutor(len(everybody)) as pool:
        list(pool.map(Seat.sit, everybody))
    if notes_api.read(note)["status"] == "DRAFT":
        notes_api.step(note, "unlock", notes_api.supervisor, reason="To finish")
        note = notes_api.done(notes_api.read(note), "submit")
        everybody[0].done.append(("submit", ""))
    done = [one for seat in everybody for one in seat.done]
    counted = Counter(verb for verb, _ in done)
    assert not any(seat.done for seat in everybody if seat.headers == notes_api.headers(notes_api.colleague))

    history = notes_api.history(note)
    words = Counter(
        version["sections"][0]["text"] if version["kind"] == "ADDENDUM" else version["sections"][3]["text"]
        for version in history["versions"][1:]
    )
    assert words == Counter(said for verb, said in done if verb in ("save", "amend", "addendum"))
    assert [version["number"] for version in history["versions"]] == list(range(1, len(words) + 2))
    kinds = Counter(signature["kind"] for signature in history["signatures"])
    assert kinds == Counter(
        AUTHOR=counted["submit"],
        CO_SIGNATURE=counted["co-sign"],
        AMENDMENT=counted["amend"],
        ADDENDUM=counted["addendum"],
    )
    assert counted["co-sign"] <= 1
    assert Counter(one["reason"] for one in history["returns"]) == Counter(
        said for verb, said in done if verb == "return"
    )
    locks = notes_api.rows("select kind from session_locks where tenant_id = :tenant_id order by id")
    assert len(locks) >= counted["lock"] + counted["unlock"]
    changes = sum(number for verb, number in counted.items() if verb not in ("lock", "unlock"))
    assert history["note"]["version"] == 1 + changes
    assert notes_api.verification(note)["problems"] == []


def test_many_who_sign_many_in_any_order_never_wait_in_a_circle(notes_api: NotesApi) -> None:
    """Beside the front desk, which takes hold of the same appointments."""
    starts = [
        notes_api.practice.now - (number + 2) * (notes_api.practice.now - notes_api.practice.now.replace(minute=0))
        for number in range(12)
    ]
    random.Random(2).shuffle(starts)  # noqa: S311
    sessions = [notes_api.session(start) for start in starts]
    notes = [
        make_note(notes_api.practice, notes_api.clinician, notes_api.client, appointment_id=session)
        for session in (*sessions, None)
    ]

    def some(number: int) -> list[UUID]:
        chance = random.Random(number)  # noqa: S311
        if number % 3:
            with notes_api.practice.work(notes_api.clinician) as work:
                results = sign_many(work, chance.sample(notes, len(notes)))
            return [one.note_id for one in results if one.refusal is None]
        with notes_api.practice.work() as work:
            lock_all(work, chance.sample(sessions, len(sessions)), Scope.ALL)
        return []

    with ThreadPoolExecutor(8) as pool:
        signed = [note_id for ids in pool.map(some, range(24)) for note_id in ids]
    assert sorted(signed) == sorted(notes)
    assert notes_api.counts()["note_signatures"] == len(notes)


def put_to(session: UUID, note_id: UUID) -> Callable[[Work], None]:
    def put(work: Work) -> None:
        statement = "update notes set appointment_id = :session where tenant_id = :tenant and id = :id"
        work.db.execute(text(statement), {"session": session, "tenant": work.tenant_id, "id": note_id})

    return put


def test_a_note_that_is_just_put_to_a_session_is_signed_by_the_session_s_deadline(notes_api: NotesApi) -> None:
    """The signature waits for whoever puts it there, and then finds the session locked."""
    session = notes_api.session(notes_api.now - timedelta(days=30))
    one, other = (make_note(notes_api.practice, notes_api.clinician, notes_api.client) for _ in range(2))

    def signing(note_id: UUID) -> Callable[[Work], str | None]:
        def sign(work: Work) -> str | None:
            work.actor = notes_api.practice.actor(notes_api.clinician)
            (result,) = sign_many(work, [note_id])
            return result.refusal.code if result.refusal else None

        return sign

    assert collide(notes_api.practice, put_to(session, one), signing(one)).result() == "NOTE_LOCKED"
    with (
        notes_api.practice.work() as desk
    ):  # who has taken hold of the session: nobody waits for them with a note in hand
        lock_all(desk, [session], Scope.ALL)
        assert collide(notes_api.practice, put_to(session, other), signing(other)).result() == "STALE"
    assert notes_api.counts()["note_signatures"] == 0
