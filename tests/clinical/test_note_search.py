"""Full-text search in notes: matches, access, limits per call, and audit entries without the query."""

from datetime import timedelta
from typing import Any

import pytest

from practice.clinical.documents.rules.search import BEFORE, extract_snippet, find_words, split_words
from practice.clinical.notes import search as note_search
from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW, Person
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import assert_error
from tests.support.drivers.notes import NotesApi


def search_ids(notes_api: NotesApi, query: str, by: Person | None = None, **filters: Any) -> list[str]:
    return [item["note"]["id"] for item in search(notes_api, query, by, **filters)["items"]]


def search(notes_api: NotesApi, query: str, by: Person | None = None, **filters: Any) -> dict[str, Any]:
    answer = notes_api.post("/notes/search", by, query=query, **filters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_search_ignores_case_and_accents(notes_api: NotesApi) -> None:
    note = notes_api.create_note(sections=SOAP | {"subjective": "Besuchte das CAFÉ der Großmutter; naïve Träume."})
    for query in ("cafe", "CAFÉ", "gross", "traume naive", "großmutter", "naïve  diary"):
        assert search_ids(notes_api, query) == [note["id"]], query
    for query in ("afe", "mutter", "cafe absent"):
        assert search_ids(notes_api, query) == [], query
    (match,) = search(notes_api, "großmutter")["items"]
    assert "das CAFÉ der Großmutter; naïve Träume." in match["snippet"]


def test_search_covers_only_readable_notes(notes_api: NotesApi) -> None:
    notes_api.make_session(clinician=notes_api.colleague)
    draft, signed = notes_api.create_note(), notes_api.create_signed_note()
    other = notes_api.create_note(notes_api.colleague, client_id=make_client(notes_api.practice, notes_api.colleague))
    assert (
        set(search_ids(notes_api, "sleep"))
        == set(search_ids(notes_api, "sleep", notes_api.supervisor))
        == {draft["id"], signed["id"]}
    )
    assert set(search_ids(notes_api, "sleep", notes_api.colleague)) == {signed["id"], other["id"]}
    assert search(notes_api, "sleep", notes_api.practice.add("clinician")) == {
        "items": [],
        "scanned_count": 0,
        "next_cursor": None,
    }
    assert assert_error(
        notes_api.post("/notes/search", notes_api.practice.add("biller"), query="sleep"), "FORBIDDEN", 403
    )
    headers = notes_api.build_headers(notes_api.practice.admin, X_Reason="A complaint")
    answer = notes_api.http.post("/api/v1/notes/search", json={"query": "sleep"}, headers=headers).json()
    assert len(answer["items"]) == 3


def test_search_is_filtered_by_client_type_and_day(notes_api: NotesApi) -> None:
    other = make_client(notes_api.practice, notes_api.clinician)
    first = notes_api.create_note()
    notes_api.now = NOW + timedelta(days=1)
    second = notes_api.create_note(client_id=other, type="PROGRESS_NOTE", sections={"focus": "Sleep."})
    assert search_ids(notes_api, "sleep") == [second["id"], first["id"]]
    assert search_ids(notes_api, "sleep", client_id=other) == [second["id"]]
    assert search_ids(notes_api, "sleep", type="SOAP_NOTE") == [first["id"]]
    assert search_ids(notes_api, "sleep", from_="2026-03-19") == [second["id"]]
    assert search_ids(notes_api, "sleep", to="2026-03-18") == [first["id"]]


def test_search_stops_at_its_limit_and_returns_a_cursor(notes_api: NotesApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_search, "BATCH_SIZE", 2)
    monkeypatch.setattr(note_search, "MAX_SCANNED", 4)
    monkeypatch.setattr(note_search, "MAX_MATCHES", 2)
    notes = []
    for number in range(7):
        notes_api.now = NOW + timedelta(minutes=number)
        plan = "needle" if number in (0, 1, 5, 6) else "hay"
        notes.append(notes_api.create_note(sections=SOAP | {"plan": plan})["id"])
    pages, cursor = [], None
    while cursor or not pages:
        page = search(notes_api, "needle", **({"cursor": cursor} if cursor else {}))
        pages.append(([item["note"]["id"] for item in page["items"]], page["scanned_count"]))
        cursor = page["next_cursor"]
    assert pages == [([notes[6], notes[5]], 2), ([notes[1]], 4), ([notes[0]], 1)]
    assert notes_api.post("/notes/search", query="needle", cursor="of-nothing").status_code == 422


def test_search_scans_fewer_long_notes(notes_api: NotesApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_search, "MAX_CHARACTERS", 5000)
    notes = {notes_api.create_note(sections=SOAP | {"plan": "Again. " * 600})["id"] for _ in range(3)}
    first = search(notes_api, "again")
    assert (first["scanned_count"], len(first["items"])) == (2, 2)
    rest = search(notes_api, "again", cursor=first["next_cursor"])
    assert (rest["scanned_count"], rest["next_cursor"]) == (1, None)
    assert {item["note"]["id"] for item in first["items"] + rest["items"]} == notes


def test_search_records_the_charts_shown_and_never_the_query(notes_api: NotesApi) -> None:
    note = notes_api.create_note(sections=SOAP | {"plan": "Zweistromland"})
    assert search_ids(notes_api, "zweistromland") == [note["id"]]
    (searched,), (shown,) = notes_api.load_audit_entries("notes.searched"), notes_api.load_audit_entries("note.found")
    assert searched.details == {"found": 1, "scanned_count": 1}
    assert (shown.subject_id, shown.details) == (notes_api.client, {"note_id": note["id"]})
    everything = notes_api.load_rows(
        "select cast(details as text) as details from audit_log where tenant_id = :tenant_id"
    )
    assert not any("zweistromland" in row.details.lower() for row in everything)


@pytest.mark.parametrize("query", ["", "  ", "...", "x" * 201, "a\nb"])
def test_search_needs_a_word(notes_api: NotesApi, query: str) -> None:
    assert notes_api.post("/notes/search", query=query).status_code == 422


@pytest.mark.parametrize("text", ["aaaa " * 100 + "needle" + " bbbb" * 100, "äöü " * 100 + "NÉÉDLE" + " ßßß" * 100,
                                  "needle", "ﬁne ﬁsh needle", "-needle-", "e\u0301cole neeDle"])  # fmt: skip
def test_a_snippet_contains_the_original_word(text: str) -> None:
    positions = find_words(["needle"], text)
    assert positions is not None
    extract = extract_snippet(text, positions[0])
    assert any(word in extract for word in ("needle", "NÉÉDLE", "neeDle"))
    assert len(extract) <= len(text) + 4
    if len(text) > 500:
        assert extract.startswith("… ")
        assert extract.endswith(" …")
        assert len(extract) <= BEFORE + 140 + 4


def test_queries_are_split_into_words() -> None:
    assert split_words("Don't  panic-attack, DON'T") == ["don", "t", "panic", "attack"]
    assert len(split_words(" ".join(f"w{number}" for number in range(20)))) == 8
