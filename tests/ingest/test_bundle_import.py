"""Importing a bundle as a practice: unchanged and complete, or not at all."""

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
from ingest.bundle.problems import BundleRefused
from practice.security.accounts import accept_invitation
from practice.security.doctor import examine
from practice.security.installation import Installation
from practice.security.keyring import list_sealed_columns
from practice.security.work import Actor
from tests.support.builders.bundles import (
    NOW,
    count_all_rows,
    export_files,
    import_practice,
    load_sample_rows,
    make_unique,
    query_rows,
    read,
    read_files,
    write_folder,
    write_zip,
)
from tests.support.builders.people import PASSWORD

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "bundle", make_unique(load_sample_rows()))


def test_an_imported_bundle_is_exported_byte_for_byte(installation: Installation, bundle: Path, tmp_path: Path) -> None:
    imported = import_practice(installation, bundle)
    assert imported.rows == {
        name: text.count("\n") - 1 - 2 * (name == "notes.csv") for name, text in read_files(bundle).items()
    }
    assert export_files(installation, imported.practice, tmp_path / "out") == read_files(bundle)


def test_references_between_chunks_are_resolved(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "CHUNK_ROWS", 2)
    rows = make_unique(load_sample_rows())
    for row, target in ((0, "A4"), (1, "A7"), (3, "A2"), (6, "A5"), (4, "A6")):
        rows["appointments"][row]["rescheduled_to_id"] = target
    rows["staff"][0]["supervisor_id"] = "OLD"
    folder = write_folder(tmp_path / "b", rows)
    assert export_files(installation, import_practice(installation, folder).practice, tmp_path / "out") == read_files(
        folder
    )


def test_an_export_can_be_imported_into_another_installation(
    installation: Installation, own_installation: Installation, bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = export_files(installation, import_practice(installation, bundle).practice, out)
    again = import_practice(own_installation, write_zip(tmp_path / "out.zip", out)).practice
    assert export_files(own_installation, again, tmp_path / "again") == first


def test_doctor_finds_no_problem_after_an_import(own_installation: Installation, bundle: Path) -> None:
    import_practice(own_installation, bundle)
    own_installation.anchor_audit(NOW)
    findings = examine(own_installation, NOW)
    assert [finding.message for finding in findings if not finding.ok] == []
    fields = next(f.facts["fields"] for f in findings if f.area == "encryption" and "Practice" in f.message)
    assert fields == 6  # the tax id, a client's notes, an incident's summary and three notes


def test_all_sealed_columns_of_the_bundle_are_sealed_in_the_database() -> None:
    carried = {
        (column_mapping.get_table_name(table), column_mapping.get_column_name(table, column))
        for table in form.TABLES.values()
        for column in table.columns
    }
    sealed = {(table.name, column) for table, column in list_sealed_columns()}
    assert {
        (column_mapping.TABLES.get(table, table), column) for table, column in column_mapping.SEALED
    } == sealed & carried


def test_texts_are_sealed_under_the_ids_of_their_rows(installation: Installation, bundle: Path) -> None:
    practice = import_practice(installation, bundle).practice
    with installation.work(Actor(practice.id), NOW) as work:
        rows = work.db.execute(text("select id, text from notes where tenant_id = :t order by id"), {"t": practice.id})
        texts = [work.unseal("notes", "text", row.id, row.text) for row in rows]
    assert texts == ['Said "better", slept.\n\nPlan: go on.', "Begun.", None, "Äöü ≤ 5"]


def test_ids_have_version_7_and_sort_like_the_rows(installation: Installation, bundle: Path) -> None:
    practice = import_practice(installation, bundle).practice
    rows = query_rows(installation, practice, "select id, external_id from appointments order by id")
    assert [source for _, source in rows] == ["A1", "A2", "A3", "A4", "A5", "A6", "A7"]
    assert {UUID(str(row_id)).version for row_id, _ in rows} == {7}


def test_booking_references_are_numbered_by_local_year(installation: Installation, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    rows["appointments"][0]["created_at"] = "2025-01-01T04:59:59Z"  # the year before, in New York
    practice = import_practice(installation, write_folder(tmp_path / "b", rows)).practice
    references = query_rows(
        installation, practice, "select reference, external_id from appointments order by external_id"
    )
    assert [reference for reference, _ in references] == [
        "BK-2024-000001",
        "BK-2025-000001",
        "BK-2025-000004",
        "BK-2025-000002",
        "BK-2025-000003",
        "BK-2026-000001",
        "BK-2026-000002",
    ]


def test_only_future_appointments_occupy_their_resources(installation: Installation, bundle: Path) -> None:
    practice = import_practice(installation, bundle).practice
    guarded = query_rows(installation, practice, "select external_id from appointments where guarded order by 1")
    assert guarded == [("A6",), ("A7",)]
    occupied = query_rows(installation, practice, "select kind, count(*) from occupancies group by 1 order by 1")
    assert occupied == [("client", 2), ("clinician", 2), ("room", 2)]


def test_seats_of_a_group_share_one_booking(installation: Installation, bundle: Path) -> None:
    practice = import_practice(installation, bundle).practice
    query = """
        select g.external_id, count(*), bool_and(a.clinician_id = g.clinician_id and a.starts_at = g.starts_at)
        from appointments as a join group_sessions as g on g.id = a.group_session_id group by g.id, g.external_id
    """
    assert query_rows(installation, practice, query) == [("G1", 2, True)]


def test_past_overlaps_are_imported_and_marked(installation: Installation, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    rows["appointments"].append(rows["appointments"][0] | {"id": "A8", "client_id": "K2"})
    folder = write_folder(tmp_path / "b", rows)
    with pytest.raises(BundleRefused):
        import_practice(installation, folder)
    practice = import_practice(installation, folder, allow_overlaps=True).practice
    marked = query_rows(installation, practice, "select external_id from appointments where overlap_allowed order by 1")
    assert marked == [("A1",), ("A8",)]


def test_histories_begin_with_the_imported_values(installation: Installation, bundle: Path) -> None:
    practice = import_practice(installation, bundle).practice
    statuses = """
        select c.external_id, s.status, s.effective_on from client_statuses as s
        join clients as c on c.id = s.client_id order by 1, 3
    """
    assert query_rows(installation, practice, statuses) == [
        ("K1", "ACTIVE", date(2025, 1, 10)),
        ("K2", "ACTIVE", date(2025, 2, 10)),
        ("K3", "ACTIVE", date(2024, 3, 1)),
        ("K3", "DISCHARGED", date(2025, 3, 1)),
    ]
    assert query_rows(installation, practice, "select count(*) from primary_clinicians") == [(2,)]
    rates = "select rate_cents, effective_on from pay_rates order by 1"
    assert query_rows(installation, practice, rates) == [(5000, None), (6050, None), (9500, None)]


def test_only_admins_are_invited(installation: Installation, bundle: Path) -> None:
    imported = import_practice(installation, bundle)
    ((email, secret),) = imported.invitations
    assert email.startswith("ada-")
    members = """
        select s.external_id, m.accepted_at is not null, m.ended_at is not null, s.deactivated_at is not null
        from staff as s join memberships as m on m.account_id = s.account_id and m.tenant_id = s.tenant_id order by 1
    """
    assert query_rows(installation, imported.practice, members) == [
        ("ADM", False, False, False),
        ("BOS", False, False, False),
        ("CLI", False, False, False),
        ("OLD", False, True, True),
    ]
    accept_invitation(installation, secret, PASSWORD, NOW)
    assert query_rows(installation, imported.practice, members)[0] == ("ADM", True, False, False)


def test_an_email_in_capitals_is_the_same_account(installation: Installation, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    rows["staff"][1]["email"] = "Sue@OAK.example"
    practice = import_practice(installation, write_folder(tmp_path / "b", rows)).practice
    assert query_rows(installation, practice, "select email from staff where external_id = 'BOS'") == [
        ("sue@oak.example",)
    ]


def test_a_practice_without_any_records_is_imported(installation: Installation, tmp_path: Path) -> None:
    imported = import_practice(
        installation, write_folder(tmp_path / "b", {"practice": make_unique(load_sample_rows())["practice"]})
    )
    assert (sum(imported.rows.values()), imported.invitations) == (1, [])


def test_special_characters_survive(installation: Installation, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    special_texts = [
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
        for n, word in enumerate(special_texts)
    ]
    rows["rooms"][0]["equipment"] = "|".join(special_texts)
    folder = write_folder(tmp_path / "b", rows)
    practice = import_practice(installation, folder).practice
    assert export_files(installation, practice, tmp_path / "out") == read_files(folder)


def test_a_lone_carriage_return_is_exported_readably(installation: Installation, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    rows["clients"][0] |= {"address": "one\rtwo", "medical_notes": "one\rtwo"}
    folder = write_folder(tmp_path / "b", rows, line_end="\r\n")
    export_files(installation, import_practice(installation, folder).practice, tmp_path / "out")
    assert read(tmp_path / "out").frames["clients"].equals(read(folder).frames["clients"])


INVALID = {
    "value": lambda rows: rows["adjustments"][1].update(amount="1.005"),
    "reference": lambda rows: rows["claims"][0].update(charge_ids="H9"),
    "overlap": lambda rows: rows["appointments"].append(rows["appointments"][6] | {"id": "A8", "client_id": "K2"}),
    "money": lambda rows: rows["refunds"][0].update(amount="999.00"),
    "column": lambda rows: [row.update(color="red") for row in rows["rooms"]],
    "practice": lambda rows: rows["practice"].append(rows["practice"][0]),
}


@pytest.mark.parametrize("change_rows", INVALID.values(), ids=INVALID)
def test_an_invalid_bundle_writes_nothing(installation: Installation, tmp_path: Path, change_rows) -> None:
    rows = make_unique(load_sample_rows())
    change_rows(rows)
    folder = write_folder(tmp_path / "b", rows)
    before = count_all_rows(installation)
    for options in ({}, {"replace": True}):
        with pytest.raises(BundleRefused):
            import_practice(installation, folder, **options)
    assert count_all_rows(installation) == before


def test_the_import_is_audited_in_both_logs(installation: Installation, bundle: Path) -> None:
    practice = import_practice(installation, bundle).practice
    log = "select action, details->'rows'->>'clients.csv', length(details->>'digest') from audit_log"
    assert query_rows(installation, practice, log) == [("practice.imported", "3", 64)]


IMPORT_SCRIPT = """
import sys
from pathlib import Path
from caseload.console import read_settings
from ingest.bundle.load import import_bundle
from practice.security.installation import open_installation
from tests.support.builders.bundles import NOW
installation = open_installation(read_settings())
def report(line):
    if line.startswith("Writing charges"):
        print("writing", flush=True)
        sys.stdin.read()
import_bundle(installation, Path(sys.argv[1]), NOW, report)
"""


def test_a_killed_import_writes_nothing(own_installation: Installation, bundle: Path) -> None:
    before = count_all_rows(own_installation)
    parameters = own_installation.store.build_connection_parameters("app")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"postgresql://{parameters['user']}:{quote(parameters['password'])}@/{own_installation.store.database}?host={quote(parameters['host'])}",
        "CASELOAD_MASTER_KEY": own_installation.master.to_text(),
        "CASELOAD_DATA_DIR": str(own_installation.settings.data_dir),
    }
    command = [sys.executable, "-c", IMPORT_SCRIPT, str(bundle)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        process.send_signal(signal.SIGKILL)
    # keys are stored before they are used, so that no text is ever sealed under a key that is lost
    assert {t: n for t, n in count_all_rows(own_installation).items() if t != "data_keys"} == {
        t: n for t, n in before.items() if t != "data_keys"
    }
    assert import_practice(own_installation, bundle).rows["clients.csv"] == 3


@pytest.mark.parametrize(("seats", "capacity"), [("1", 2), ("8", 8)])
def test_a_future_group_has_as_many_seats_as_its_room_or_as_are_taken(
    installation: Installation, tmp_path: Path, seats: str, capacity: int
) -> None:
    rows = make_unique(load_sample_rows())
    rows["rooms"][0]["capacity"] = seats
    future = {"starts_at": "2026-04-08T13:00:00Z", "ends_at": "2026-04-08T14:30:00Z", "group_id": "G9"}
    future |= {"status": "SCHEDULED", "status_at": ""}
    rows["appointments"] += [
        rows["appointments"][3] | future | {"id": "A8"},
        rows["appointments"][4] | future | {"id": "A9"},
        rows["appointments"][4]
        | future
        | {"id": "A10", "client_id": "K1", "status": "CANCELLED", "status_at": "2026-03-01T12:00:00Z"},
    ]
    practice = import_practice(installation, write_folder(tmp_path / "b", rows)).practice
    groups = query_rows(installation, practice, "select external_id, capacity from group_sessions order by 1")
    assert groups == [("G1", None), ("G9", capacity)]
