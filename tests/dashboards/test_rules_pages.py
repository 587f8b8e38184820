"""The pages of settings and of the audit log, as they are made of answers of the API."""

from zoneinfo import ZoneInfo

from dashboards.views import audit_log
from dashboards.views.settings import build_rows


def test_settings_are_searched_by_words() -> None:
    settings = [
        {"key": "note_alert_days", "value": 7, "meaning": "Days until a note is late.", "effective_on": None},
        {"key": "rebook_days", "value": 30, "meaning": "Days after a session.", "effective_on": "2026-03-01"},
    ]
    assert [row["id"] for row in build_rows(settings, "")] == ["note_alert_days", "rebook_days"]
    (found,) = build_rows(settings, "Session DAYS")
    assert (found["id"], found["value"], found["since"]) == ("rebook_days", "30", "March 1, 2026")
    assert build_rows(settings, "salary") == []


def test_entries_say_who_and_when_in_the_practice_s_time() -> None:
    entry = {
        "seq": 7,
        "at": "2026-03-09T03:30:00Z",
        "action": "client.read",
        "subject_kind": "client",
        "subject_id": None,
    }
    people = ({"name": "Ada Whitfield"}, None)
    rows = audit_log.build_rows([entry | {"person": person} for person in people], ZoneInfo("America/New_York"))
    assert [row["who"] for row in rows] == ["Ada Whitfield", "the system"]
    assert {row["when"] for row in rows} == {"March 8, 2026, 11:30 pm"}
