"""A bundle becomes a practice: all of it as it was written, or nothing at all."""

import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import text

from ingest.bundle import column_mapping, load
from ingest.bundle import format as form
from ingest.bundle.load import Imported
from ingest.bundle.problems import BundleRefused
from ingest.bundle.replacement import NotReplaceable, PracticeExists
from practice.people.models.practices import Practice
from practice.people.practices import create_practice
from practice.people.trainings import record_training
from practice.security.accounts import accept_invitation
from practice.security.doctor import examine
from practice.security.installation import Installation
from practice.security.keyring import sealed_columns
from practice.security.permissions import Scope
from practice.security.work import Actor
from tests.support.builders.bundles import (
    NOW,
    contents,
    move_in,
    move_out,
    named,
    read,
    rows_of_all_tables,
    small,
    write_folder,
    write_zip,
)
from tests.support.builders.people import PASSWORD

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "bundle", named(small()))


def all_of(installation: Installation, practice: Practice, query: str) -> list[tuple]:
    with installation.store.session_in(practice.id) as db:
        return [tuple(row) for row in db.execute(text(query))]


def test_what_goes_in_comes_out_byte_for_byte(installation: Installation, bundle: Path, tmp_path: Path) -> None:
    done = move_in(installation, bundle)
    assert done.rows == {
        name: text.count("\n") - 1 - 2 * (name == "notes.csv") for name, text in contents(bundle).items()
    }
    assert move_out(installation, done.practice, tmp_path / "out") == contents(bundle)


def test_references_between_portions_are_there_when_they_are_needed(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "PORTION", 2)
    rows = named(small())
    for place, to in ((0, "A4"), (1, "A7"), (3, "A2"), (6, "A5"), (4, "A6")):
        rows["appointments"][place]["rescheduled_to_id"] = to
    rows["staff"][0]["supervisor_id"] = "OLD"
    folder = write_folder(tmp_path / "b", rows)
    assert move_out(installation, move_in(installation, folder).practice, tmp_path / "out") == contents(folder)


def test_what_came_out_goes_into_another_installation(
    installation: Installation, own_installation: Installation, bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = move_out(installation, move_in(installation, bundle).practice, out)
    again = move_in(own_installation, write_zip(tmp_path / "out.zip", out)).practice
    assert move_out(own_installation, again, tmp_path / "again") == first


def test_an_installation_with_an_imported_practice_is_as_it_should_be(
    own_installation: Installation, bundle: Path
) -> None:
    move_in(own_installation, bundle)
    own_installation.anchor_audit(NOW)
    findings = examine(own_installation, NOW)
    assert [finding.sentence for finding in findings if not finding.ok] == []
    fields = next(f.facts["fields"] for f in findings if f.area == "encryption" and "Practice" in f.sentence)
    assert fields == 6  # the tax id, a client's notes, an incident's summary and three notes


def test_the_sealed_columns_are_all_of_the_databases_that_a_bundle_carries() -> None:
    carried = {
        (column_mapping.table_of(of), column_mapping.column_of(of, one))
        for of in form.TABLES.values()
        for one in of.columns
    }
    sealed = {(table.name, column) for table, column in sealed_columns()}
    assert {
        (column_mapping.TABLES.get(table, table), column) for table, column in column_mapping.SEALED
    } == sealed & carried


def test_texts_are_sealed_under_their_own_rows(installation: Installation, bundle: Path) -> None:
    practice = move_in(installation, bundle).practice
    with installation.work(Actor(practice.id), NOW) as work:
        rows = work.db.execute(text("select id, text from notes where tenant_id = :t order by id"), {"t": practice.id})
        found = [work.unseal("notes", "text", row.id, row.text) for row in rows]
    assert found == ['Said "better", slept.\n\nPlan: go on.', "Begun.", None, "Äöü ≤ 5"]


def test_ids_are_of_version_7_and_sort_as_the_rows_do(installation: Installation, bundle: Path) -> None:
    practice = move_in(installation, bundle).practice
    rows = all_of(installation, practice, "select id, external_id from appointments order by id")
    assert [source for _, source in rows] == ["A1", "A2", "A3", "A4", "A5", "A6", "A7"]
    assert {UUID(str(row_id)).version for row_id, _ in rows} == {7}


def test_references_are_numbered_by_the_local_year_of_booking(installation: Installation, tmp_path: Path) -> None:
    rows = named(small())
    rows["appointments"][0]["created_at"] = "2025-01-01T04:59:59Z"  # the year before, in New York
    practice = move_in(installation, write_folder(tmp_path / "b", rows)).practice
    found = all_of(installation, practice, "select reference, external_id from appointments order by external_id")
    assert [reference for reference, _ in found] == [
        "BK-2024-000001",
        "BK-2025-000001",
        "BK-2025-000004",
        "BK-2025-000002",
        "BK-2025-000003",
        "BK-2026-000001",
        "BK-2026-000002",
    ]


def test_what_lies_ahead_is_taken_and_the_past_is_not_kept_twice(installation: Installation, bundle: Path) -> None:
    practice = move_in(installation, bundle).practice
    guarded = all_of(installation, practice, "select external_id from appointments where guarded order by 1")
    assert guarded == [("A6",), ("A7",)]
    taken = all_of(installation, practice, "select kind, count(*) from occupancies group by 1 order by 1")
    assert taken == [("client", 2), ("clinician", 2), ("room", 2)]


def test_seats_of_a_group_share_one_booking(installation: Installation, bundle: Path) -> None:
    practice = move_in(installation, bundle).practice
    query = """
        select g.external_id, count(*), bool_and(a.clinician_id = g.clinician_id and a.starts_at = g.starts_at)
        from appointments as a join group_sessions as g on g.id = a.group_session_id group by g.id, g.external_id
    """
    assert all_of(installation, practice, query) == [("G1", 2, True)]


def test_overlaps_of_the_past_come_in_marked(installation: Installation, tmp_path: Path) -> None:
    rows = named(small())
    rows["appointments"].append(rows["appointments"][0] | {"id": "A8", "client_id": "K2"})
    folder = write_folder(tmp_path / "b", rows)
    with pytest.raises(BundleRefused):
        move_in(installation, folder)
    practice = move_in(installation, folder, allow_overlaps=True).practice
    marked = all_of(installation, practice, "select external_id from appointments where overlap_allowed order by 1")
    assert marked == [("A1",), ("A8",)]


def test_histories_begin_with_what_came_along(installation: Installation, bundle: Path) -> None:
    practice = move_in(installation, bundle).practice
    statuses = """
        select c.external_id, s.status, s.effective_on from client_statuses as s
        join clients as c on c.id = s.client_id order by 1, 3
    """
    assert all_of(installation, practice, statuses) == [
        ("K1", "ACTIVE", date(2025, 1, 10)),
        ("K2", "ACTIVE", date(2025, 2, 10)),
        ("K3", "ACTIVE", date(2024, 3, 1)),
        ("K3", "DISCHARGED", date(2025, 3, 1)),
    ]
    assert all_of(installation, practice, "select count(*) from primary_clinicians") == [(2,)]
    rates = "select rate_cents, effective_on from pay_rates order by 1"
    assert all_of(installation, practice, rates) == [(5000, None), (6050, None), (9500, None)]


def test_an_admin_comes_in_by_the_link_and_nobody_else_is_let_in(installation: Installation, bundle: Path) -> None:
    done = move_in(installation, bundle)
    ((email, secret),) = done.invitations
    assert email.startswith("ada-")
    members = """
        select s.external_id, m.accepted_at is not null, m.ended_at is not null, s.deactivated_at is not null
        from staff as s join memberships as m on m.account_id = s.account_id and m.tenant_id = s.tenant_id order by 1
    """
    assert all_of(installation, done.practice, members) == [
        ("ADM", False, False, False),
        ("BOS", False, False, False),
        ("CLI", False, False, False),
        ("OLD", False, True, True),
    ]
    accept_invitation(installation, secret, PASSWORD, NOW)
    assert all_of(installation, done.practice, members)[0] == ("ADM", True, False, False)


def test_an_address_written_in_capitals_is_one_account(installation: Installation, tmp_path: Path) -> None:
    rows = named(small())
    rows["staff"][1]["email"] = "Sue@OAK.example"
    practice = move_in(installation, write_folder(tmp_path / "b", rows)).practice
    assert all_of(installation, practice, "select email from staff where external_id = 'BOS'") == [("sue@oak.example",)]


def test_a_practice_of_nothing_but_a_name_comes_in(installation: Installation, tmp_path: Path) -> None:
    done = move_in(installation, write_folder(tmp_path / "b", {"practice": named(small())["practice"]}))
    assert (sum(done.rows.values()), done.invitations) == (1, [])


def test_text_of_every_kind_survives(installation: Installation, tmp_path: Path) -> None:
    rows = named(small())
    nasty = [
        'a"b',
        "a,b",
        "a\\b",
        "\\N",
        "\\.",
        "{a}",
        "a\r\nb",
        "tab\there",
        "  ",
        "'",
        "null",
        "%s %(x)s",
        "𝔘𝔫𝔦",
        "{",
        '"',
    ]
    rows["clients"] += [
        rows["clients"][1] | {"id": f"Z{n:02}", "last_name": word, "address": word, "medical_notes": word, "sex": word}
        for n, word in enumerate(nasty)
    ]
    rows["rooms"][0]["equipment"] = "|".join(word for word in nasty)
    folder = write_folder(tmp_path / "b", rows)
    practice = move_in(installation, folder).practice
    assert move_out(installation, practice, tmp_path / "out") == contents(folder)


def test_a_lone_carriage_return_comes_out_as_every_reader_takes_it(installation: Installation, tmp_path: Path) -> None:
    rows = named(small())
    rows["clients"][0] |= {"address": "one\rtwo", "medical_notes": "one\rtwo"}
    folder = write_folder(tmp_path / "b", rows, end="\r\n")
    move_out(installation, move_in(installation, folder).practice, tmp_path / "out")
    assert read(tmp_path / "out").frames["clients"].equals(read(folder).frames["clients"])


BROKEN = {
    "value": lambda rows: rows["adjustments"][1].update(amount="1.005"),
    "reference": lambda rows: rows["claims"][0].update(charge_ids="H9"),
    "overlap": lambda rows: rows["appointments"].append(rows["appointments"][6] | {"id": "A8", "client_id": "K2"}),
    "money": lambda rows: rows["refunds"][0].update(amount="999.00"),
    "column": lambda rows: [row.update(colour="red") for row in rows["rooms"]],
    "practice": lambda rows: rows["practice"].append(rows["practice"][0]),
}


@pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN)
def test_a_broken_bundle_writes_nothing(installation: Installation, tmp_path: Path, spoil) -> None:
    rows = named(small())
    spoil(rows)
    folder = write_folder(tmp_path / "b", rows)
    before = rows_of_all_tables(installation)
    for more in ({}, {"replace": True}):
        with pytest.raises(BundleRefused):
            move_in(installation, folder, **more)
    assert rows_of_all_tables(installation) == before


def test_the_same_bundle_again_says_that_the_practice_exists_and_changes_nothing(
    installation: Installation, bundle: Path
) -> None:
    move_in(installation, bundle)
    before = rows_of_all_tables(installation)
    with pytest.raises(PracticeExists, match="exists"):
        move_in(installation, bundle)
    assert rows_of_all_tables(installation) == before


def practices_called(installation: Installation, name: str) -> list[tuple[str, str]]:
    with installation.store.system_session() as db:
        query = text("select name, status from practices where name like :name || '%' order by created_at, name")
        return [tuple(row) for row in db.execute(query, {"name": name})]


def test_a_practice_that_nobody_has_worked_in_is_set_aside_for_another(
    installation: Installation, tmp_path: Path
) -> None:
    rows = named(small())
    name = rows["practice"][0]["name"]
    folder = write_folder(tmp_path / "b", rows)
    first = move_in(installation, folder)
    with installation.work(Actor(first.practice.id), NOW) as work:
        for action in ("client.read", "note.found", "note.history_read", "progress_report.printed"):
            work.record(action, "client", first.practice.id)
        work.record("session.started", "account", first.practice.id)
        work.record("deadlines.kept", locked=1, told=0)
    move_out(installation, first.practice, tmp_path / "out")
    rows["rooms"][0]["name"] = "Room of the second"
    second = move_in(installation, write_folder(folder, rows), replace=True)
    third = move_in(installation, folder, replace=True)
    assert set(practices_called(installation, name)) == {
        (name, "ACTIVE"),
        (f"{name} (replaced 2026-03-18)", "SUSPENDED"),
        (f"{name} (replaced 2026-03-18) 2", "SUSPENDED"),
    }
    rooms = "select name from rooms where external_id = 'R1'"
    assert [all_of(installation, one.practice, rooms) for one in (first, second, third)] == [
        [("Room 1",)],
        [("Room of the second",)],
        [("Room of the second",)],
    ]
    places = (
        "select count(*) from memberships where ended_at is null and tenant_id = (select tenant_id from rooms limit 1)"
    )
    assert [all_of(installation, one.practice, places) for one in (first, second, third)] == [[(0,)], [(0,)], [(3,)]]


def worked_in(installation: Installation, done: Imported) -> None:
    (staff_id,) = all_of(installation, done.practice, "select id from staff where external_id = 'CLI'")[0]
    with installation.work(Actor(done.practice.id), NOW) as work:
        record_training(work, staff_id, Scope.ALL, "HIPAA", date(2026, 3, 1))


def test_a_practice_that_somebody_has_worked_in_is_not_replaced(installation: Installation, bundle: Path) -> None:
    worked_in(installation, move_in(installation, bundle))
    before = rows_of_all_tables(installation)
    with pytest.raises(NotReplaceable, match="worked in it"):
        move_in(installation, bundle, replace=True)
    assert rows_of_all_tables(installation) == before


def test_a_practice_that_was_not_imported_is_not_replaced(installation: Installation, tmp_path: Path) -> None:
    rows = named(small())
    with installation.work(Actor(), NOW) as work:
        admin = {"email": "someone@example.com", "first_name": "Ada", "last_name": "Admin"}
        create_practice(work, name=rows["practice"][0]["name"], time_zone="UTC", admin=admin)
    before = rows_of_all_tables(installation)
    with pytest.raises(NotReplaceable, match="not made by an import"):
        move_in(installation, write_folder(tmp_path / "b", rows), replace=True)
    assert rows_of_all_tables(installation) == before


def test_one_entry_tells_of_the_import_in_both_logs(installation: Installation, bundle: Path) -> None:
    practice = move_in(installation, bundle).practice
    log = "select action, details->'rows'->>'clients.csv', length(details->>'digest') from audit_log"
    assert all_of(installation, practice, log) == [("practice.imported", "3", 64)]


KILLED = """
import sys
from pathlib import Path
from caseload.console import read_settings
from ingest.bundle.load import import_bundle
from practice.security.installation import open_installation
from tests.support.bundles import NOW
installation = open_installation(read_settings())
def say(words):
    if words.startswith("Writing charges"):
        print("writing", flush=True)
        sys.stdin.read()
import_bundle(installation, Path(sys.argv[1]), NOW, say)
"""


def test_a_killed_import_leaves_nothing(own_installation: Installation, bundle: Path) -> None:
    before = rows_of_all_tables(own_installation)
    to = own_installation.store.parameters("app")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"postgresql://{to['user']}:{quote(to['password'])}@/{own_installation.store.database}?host={quote(to['host'])}",
        "CASELOAD_MASTER_KEY": own_installation.master.to_text(),
        "CASELOAD_DATA_DIR": str(own_installation.settings.data_dir),
    }
    command = [sys.executable, "-c", KILLED, str(bundle)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        process.send_signal(signal.SIGKILL)
    # keys are kept before they are used, so that no text is ever sealed under a key that is lost
    assert {t: n for t, n in rows_of_all_tables(own_installation).items() if t != "data_keys"} == {
        t: n for t, n in before.items() if t != "data_keys"
    }
    assert move_in(own_installation, bundle).rows["clients.csv"] == 3


@pytest.mark.parametrize(("seats", "capacity"), [("1", 2), ("8", 8)])
def test_a_group_to_come_has_as_many_seats_as_its_room_or_as_are_taken(
    installation: Installation, tmp_path: Path, seats: str, capacity: int
) -> None:
    rows = named(small())
    rows["rooms"][0]["capacity"] = seats
    ahead = {"starts_at": "2026-04-08T13:00:00Z", "ends_at": "2026-04-08T14:30:00Z", "group_id": "G9"}
    ahead |= {"status": "SCHEDULED", "status_at": ""}
    rows["appointments"] += [
        rows["appointments"][3] | ahead | {"id": "A8"},
        rows["appointments"][4] | ahead | {"id": "A9"},
        rows["appointments"][4]
        | ahead
        | {"id": "A10", "client_id": "K1", "status": "CANCELLED", "status_at": "2026-03-01T12:00:00Z"},
    ]
    practice = move_in(installation, write_folder(tmp_path / "b", rows)).practice
    found = all_of(installation, practice, "select external_id, capacity from group_sessions order by 1")
    assert found == [("G1", None), ("G9", capacity)]
