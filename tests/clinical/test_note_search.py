"""Looking for words in notes: what is found, by whom, how far one call looks, and that nothing of it is kept."""

from datetime import timedelta
from typing import Any

import pytest

from practice.clinical.documents.rules.search import BEFORE, places, snippet, words_of
from practice.clinical.notes import search as note_search
from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW, Person
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import refused
from tests.support.drivers.notes import NotesApi


def found(notes_api: NotesApi, query: str, by: Person | None = None, **more: Any) -> list[str]:
    return [one["note"]["id"] for one in search(notes_api, query, by, **more)["items"]]


def search(notes_api: NotesApi, query: str, by: Person | None = None, **more: Any) -> dict[str, Any]:
    answer = notes_api.post("/notes/search", by, query=query, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_words_are_found_without_regard_to_capitals_and_accents(notes_api: NotesApi) -> None:
    note = notes_api.created(sections=SOAP | {"subjective": "Besuchte das CAFÉ der Großmutter; naïve Träume."})
    for query in ("cafe", "CAFÉ", "gross", "traume naive", "großmutter", "naïve  diary"):
        assert found(notes_api, query) == [note["id"]], query
    for query in ("afe", "mutter", "cafe absent"):
        assert found(notes_api, query) == [], query
    (one,) = search(notes_api, "großmutter")["items"]
    assert "das CAFÉ der Großmutter; naïve Träume." in one["snippet"]


def test_only_what_one_may_read_is_looked_at(notes_api: NotesApi) -> None:
    notes_api.session(clinician=notes_api.colleague)
    draft, signed = notes_api.created(), notes_api.signed()
    other = notes_api.created(notes_api.colleague, client_id=make_client(notes_api.practice, notes_api.colleague))
    assert (
        set(found(notes_api, "sleep"))
        == set(found(notes_api, "sleep", notes_api.supervisor))
        == {draft["id"], signed["id"]}
    )
    assert set(found(notes_api, "sleep", notes_api.colleague)) == {signed["id"], other["id"]}
    assert search(notes_api, "sleep", notes_api.practice.add("clinician")) == {
        "items": [],
        "looked_at": 0,
        "next_cursor": None,
    }
    assert refused(notes_api.post("/notes/search", notes_api.practice.add("biller"), query="sleep"), "FORBIDDEN", 403)
    headers = notes_api.headers(notes_api.practice.admin, X_Reason="A complaint")
    answer = notes_api.http.post("/api/v1/notes/search", json={"query": "sleep"}, headers=headers).json()
    assert len(answer["items"]) == 3


def test_a_search_is_narrowed_by_client_type_and_day(notes_api: NotesApi) -> None:
    other = make_client(notes_api.practice, notes_api.clinician)
    first = notes_api.created()
    notes_api.now = NOW + timedelta(days=1)
    second = notes_api.created(client_id=other, type="PROGRESS_NOTE", sections={"focus": "Sleep."})
    assert found(notes_api, "sleep") == [second["id"], first["id"]]
    assert found(notes_api, "sleep", client_id=other) == [second["id"]]
    assert found(notes_api, "sleep", type="SOAP_NOTE") == [first["id"]]
    assert found(notes_api, "sleep", from_="2026-03-19") == [second["id"]]
    assert found(notes_api, "sleep", to="2026-03-18") == [first["id"]]


def test_one_call_looks_so_far_and_says_where_to_go_on(notes_api: NotesApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_search, "PORTION", 2)
    monkeypatch.setattr(note_search, "MOST_LOOKED_AT", 4)
    monkeypatch.setattr(note_search, "MOST_FOUND", 2)
    notes = []
    for number in range(7):
        notes_api.now = NOW + timedelta(minutes=number)
        words = "needle" if number in (0, 1, 5, 6) else "hay"
        notes.append(notes_api.created(sections=SOAP | {"plan": words})["id"])
    pages, cursor = [], None
    while cursor or not pages:
        page = search(notes_api, "needle", **({"cursor": cursor} if cursor else {}))
        pages.append(([one["note"]["id"] for one in page["items"]], page["looked_at"]))
        cursor = page["next_cursor"]
    assert pages == [([notes[6], notes[5]], 2), ([notes[1]], 4), ([notes[0]], 1)]
    assert notes_api.post("/notes/search", query="needle", cursor="of-nothing").status_code == 422


def test_of_long_notes_one_call_looks_at_fewer(notes_api: NotesApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_search, "MOST_LETTERS", 5000)
    notes = {notes_api.created(sections=SOAP | {"plan": "Again. " * 600})["id"] for _ in range(3)}
    first = search(notes_api, "again")
    assert (first["looked_at"], len(first["items"])) == (2, 2)
    rest = search(notes_api, "again", cursor=first["next_cursor"])
    assert (rest["looked_at"], rest["next_cursor"]) == (1, None)
    assert {one["note"]["id"] for one in first["items"] + rest["items"]} == notes


def test_what_was_looked_for_is_nowhere_and_whose_chart_was_shown_is(notes_api: NotesApi) -> None:
    note = notes_api.created(sections=SOAP | {"plan": "Zweistromland"})
    assert found(notes_api, "zweistromland") == [note["id"]]
    (searched,), (shown,) = notes_api.recorded("notes.searched"), notes_api.recorded("note.found")
    assert searched.details == {"found": 1, "looked_at": 1}
    assert (shown.subject_id, shown.details) == (notes_api.client, {"note_id": note["id"]})
    everything = notes_api.rows("select cast(details as text) as details from audit_log where tenant_id = :tenant_id")
    assert not any("zweistromland" in row.details.lower() for row in everything)


@pytest.mark.parametrize("query", ["", "  ", "...", "x" * 201, "a\nb"])
def test_something_has_to_be_looked_for(notes_api: NotesApi, query: str) -> None:
    assert notes_api.post("/notes/search", query=query).status_code == 422


@pytest.mark.parametrize("text", ["aaaa " * 100 + "needle" + " bbbb" * 100, "äöü " * 100 + "NÉÉDLE" + " ßßß" * 100,
                                  "needle", "ﬁne ﬁsh needle", "-needle-", "e\u0301cole neeDle"])  # fmt: skip
def test_a_snippet_holds_the_word_as_it_is_written(text: str) -> None:
    place = places(["needle"], text)
    assert place is not None
    shown = snippet(text, place[0])
    assert any(word in shown for word in ("needle", "NÉÉDLE", "neeDle"))
    assert len(shown) <= len(text) + 4
    if len(text) > 500:
        assert shown.startswith("… ")
        assert shown.endswith(" …")
        assert len(shown) <= BEFORE + 140 + 4


def test_words_are_taken_apart_as_people_write_them() -> None:
    assert words_of("Don't  panic-attack, DON'T") == ["don", "t", "panic", "attack"]
    assert len(words_of(" ".join(f"w{number}" for number in range(20)))) == 8
