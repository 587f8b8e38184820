"""Exporting a practice: current values, from one snapshot, complete or not at all."""

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from ingest.bundle.export import FolderInUse, export_practice
from practice.people.models.practices import Practice
from practice.people.practices import get_practice
from practice.people.trainings import record_training
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from tests.support.builders.bundles import (
    NOW,
    export_files,
    import_practice,
    list_locations,
    load_sample_rows,
    make_unique,
    query_rows,
    write_folder,
)
from tests.support.builders.people import make_practice

LATER = datetime(2026, 5, 1, 3, 30, tzinfo=UTC)  # still April in New York


@pytest.fixture
def practice(installation: Installation, tmp_path: Path) -> Practice:
    return import_practice(installation, write_folder(tmp_path / "bundle", make_unique(load_sample_rows()))).practice


def parse_rows(files: dict[str, str], file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[file], newline="")))


def change(installation: Installation, practice: Practice, statement: str, **values: object) -> None:
    with installation.store.begin_session(practice.id) as db:
        db.execute(text(statement), {"tenant_id": practice.id, "now": NOW, **values})


def test_records_created_here_are_exported_with_their_own_ids(installation: Installation, tmp_path: Path) -> None:
    fixture = make_practice(installation)
    with fixture.work() as work:
        record_training(work, Scope.ALL, fixture.admin.staff_id, "HIPAA", date(2026, 3, 1))
        practice = get_practice(work.db, fixture.id)
    files = export_files(installation, practice, tmp_path / "out")
    (staff,) = parse_rows(files, "staff.csv")
    (training,) = parse_rows(files, "trainings.csv")
    assert staff["id"] == training["staff_id"] == str(fixture.admin.staff_id)
    assert (staff["roles"], training["completed_on"]) == ("admin", "2026-03-01")
    with pytest.raises(AssertionError, match="accepted"):
        list_locations(tmp_path / "out")


def test_rates_are_those_of_the_local_day(installation: Installation, practice: Practice, tmp_path: Path) -> None:
    for day, cents in (("2026-04-30", 7000), ("2026-05-01", 8000)):
        change(
            installation,
            practice,
            """
            insert into pay_rates (tenant_id, id, staff_id, rate_cents, effective_on, set_at)
            select tenant_id, uuidv7(), id, :cents, cast(:day as date), :now from staff where external_id = 'CLI'
            """,
            day=day,
            cents=cents,
        )
        change(
            installation,
            practice,
            """
            insert into service_rates (tenant_id, id, service_id, rate_cents, effective_on, set_at)
            select tenant_id, uuidv7(), id, :cents, cast(:day as date), :now from services where code = 'COU45'
            """,
            day=day,
            cents=cents + 1,
        )
    export_practice(installation, practice.id, tmp_path / "out", LATER, lambda _: None)
    files = {file.name: file.read_text() for file in (tmp_path / "out").iterdir()}
    assert [row["base_pay_rate"] for row in parse_rows(files, "staff.csv")] == ["", "95.00", "70.00", "50.00"]
    assert [row["rate"] for row in parse_rows(files, "services.csv")] == ["70.01", "55.00"]


def test_the_last_multiplier_set_for_a_day_is_exported(
    installation: Installation, practice: Practice, tmp_path: Path
) -> None:
    change(
        installation,
        practice,
        """
        insert into pay_multipliers (tenant_id, id, kind, multiplier, effective_on, set_at)
        values (:tenant_id, uuidv7(), 'INTAKE', 1.5, '2025-11-29', :now)
        """,
    )
    rates = parse_rows(export_files(installation, practice, tmp_path / "out"), "rates.csv")
    assert [row["multiplier"] for row in rates] == ["1.50", "1.35", "1.75"]


def test_voided_records_are_left_out_unless_something_refers_to_them(
    installation: Installation, practice: Practice, tmp_path: Path
) -> None:
    for table in ("coverages", "consents", "incidents", "closures", "availability_windows"):
        change(installation, practice, f"update {table} set voided_at = :now where tenant_id = :tenant_id")
    copy = "select tenant_id, uuidv7(), 'X9', client_id, clinician_id, service_date, cpt_code, units, 500, :now"
    for statement in (
        f"""
        insert into charges (tenant_id, id, external_id, client_id, clinician_id, service_date, cpt_code, units,
            amount_cents, created_at) {copy} from charges where external_id = 'H1' and tenant_id = :tenant_id
        """,
        """
        insert into payments (tenant_id, id, external_id, payer, method, amount_cents, received_on, posted_at)
        values (:tenant_id, uuidv7(), 'X9', 'INSURANCE', 'CHECK', 500, '2026-03-18', :now)
        """,
        *(
            f"""
            insert into payment_applications (tenant_id, id, payment_id, charge_id, amount_cents, posted_at)
            select p.tenant_id, uuidv7(), p.id, h.id, {cents}, :now
            from payments as p join charges as h on h.tenant_id = p.tenant_id and h.external_id = p.external_id
            where p.tenant_id = :tenant_id and p.external_id = 'X9'
            """
            for cents in (500, -500)
        ),
        "update payments set voided_at = :now where external_id = 'X9' and tenant_id = :tenant_id",
        "update charges set voided_at = :now where external_id = 'X9' and tenant_id = :tenant_id",
    ):
        change(installation, practice, statement)
    files = export_files(installation, practice, tmp_path / "out")
    exported = {name: [row.get("id") for row in parse_rows(files, name)] for name in files}
    assert exported["coverages.csv"] == ["V1"]  # claims refer to it
    for name in ("consents", "incidents", "closures", "availability"):
        assert exported[f"{name}.csv"] == []
    assert exported["payments.csv"] == ["Y1", "Y2", "Y3"]
    assert exported["payment_applications.csv"] == ["X1", "X2", "X3", "X4"]
    assert [row["voided_at"] for row in parse_rows(files, "charges.csv")] == [
        *("", "", "2025-10-09T16:00:00Z"),
        "2026-03-18T15:30:00Z",
    ]
    with pytest.raises(AssertionError, match="accepted"):
        list_locations(tmp_path / "out")


FORMULAS = ["=1+1", "'=1", "''+1", "-5", "@SUM(A1)", "\t=1", "\r=\n1", "+1 404 555 0100"]
NO_FORMULAS = ["'tis", "'", "1=1", " =1", "O'Neil", "a-b", "5"]


def test_texts_that_look_like_formulas_get_an_apostrophe_that_an_import_removes(
    installation: Installation, own_installation: Installation, tmp_path: Path
) -> None:
    texts = dict(zip([f"2030-01-{day:02}" for day in range(1, 31)], FORMULAS + NO_FORMULAS, strict=False))
    rows = make_unique(load_sample_rows())
    rows["closures"] = [
        {"date": day, "reason": f"'{reason}" if reason in FORMULAS else reason} for day, reason in texts.items()
    ]
    rows["clients"][0] |= {"last_name": "'=1+1", "phone": "'+14045550100", "medical_notes": "'@none"}
    rows["rooms"][0]["equipment"] = "'-board|=chair"
    folder = write_folder(tmp_path / "bundle", rows)
    practice = import_practice(installation, folder).practice
    query = "select to_char(closed_on, 'YYYY-MM-DD'), reason from closures"
    assert dict(query_rows(installation, practice, query)) == texts
    files = export_files(installation, practice, tmp_path / "out")
    for name in ("closures", "clients", "rooms"):
        assert parse_rows(files, f"{name}.csv") == rows[name]
    assert "-0.05" in files["adjustments.csv"]  # a number is not a formula
    again = import_practice(own_installation, tmp_path / "out").practice
    assert export_files(own_installation, again, tmp_path / "again") == files


def test_a_formula_of_another_system_is_imported_as_it_is(installation: Installation, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    rows["notes"][0]["text"] = "- slept\n- ate"
    practice = import_practice(installation, write_folder(tmp_path / "bundle", rows)).practice
    (note, *_) = parse_rows(export_files(installation, practice, tmp_path / "out"), "notes.csv")
    assert note["text"] == "'- slept\n- ate"


def test_copays_survive_and_an_older_bundle_has_none(
    installation: Installation, practice: Practice, tmp_path: Path
) -> None:
    stored = query_rows(installation, practice, "select external_id, copay_cents from coverages order by 1")
    assert stored == [("V1", 2500), ("V2", None)]
    exported = parse_rows(export_files(installation, practice, tmp_path / "out"), "coverages.csv")
    assert [row["copay"] for row in exported] == ["25.00", ""]
    rows = make_unique(load_sample_rows())
    for row in rows["coverages"]:
        del row["copay"]
    older = import_practice(installation, write_folder(tmp_path / "older", rows)).practice
    assert query_rows(installation, older, "select distinct copay_cents from coverages") == [(None,)]


def test_all_files_are_from_one_snapshot(installation: Installation, practice: Practice, tmp_path: Path) -> None:
    def report(line: str) -> None:
        if line.startswith("Writing staff.csv"):
            change(installation, practice, "update rooms set name = 'Painted' where tenant_id = :tenant_id")

    export_practice(installation, practice.id, tmp_path / "out", NOW, report)
    assert "Painted" not in (tmp_path / "out" / "rooms.csv").read_text()
    assert "Painted" in export_files(installation, practice, tmp_path / "again")["rooms.csv"]


def test_an_export_that_fails_leaves_no_folder(installation: Installation, practice: Practice, tmp_path: Path) -> None:
    def report(line: str) -> None:
        if line.startswith("Writing notes.csv"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_practice(installation, practice.id, tmp_path / "there" / "out", NOW, report)
    assert list((tmp_path / "there").iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(
    installation: Installation, practice: Practice, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    for path in (tmp_path / "out", tmp_path / "out" / "mine.txt"):
        with pytest.raises(FolderInUse):
            export_files(installation, practice, path)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_an_export_is_private_and_audited(installation: Installation, practice: Practice, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export_files(installation, practice, tmp_path / "out")
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0
    with installation.work(Actor(practice.id), NOW) as work:
        actions = work.db.scalars(
            text("select action from audit_log where tenant_id = :t order by seq"), {"t": practice.id}
        )
        assert list(actions) == ["practice.imported", "practice.exported"]
