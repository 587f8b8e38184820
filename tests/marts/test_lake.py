"""The lake: every mart of a practice from one snapshot, whole or not at all, and without what analysts may not read."""

import os
from pathlib import Path
from uuid import UUID

import duckdb
import psycopg
import pytest
from sqlalchemy import text

from practice.people.models.practices import Practice
from practice.security.installation import Installation
from tests.marts.conftest import Read
from tests.support.builders.people import PracticeFixture, make_practice
from tests.support.builders.schedule import make_appointment, make_client, make_service
from tests.support.builders.two_practices import MARTS
from tests.support.oracles.canaries import find_words, list_files
from tests.warehouse.conftest import be_quiet, import_oak_street
from warehouse.lake import CATALOG, EXPANDED, LakeFile, LakeFolderInUse, write_lake
from warehouse.refresh import refresh_practice

NAMES = [mart.removeprefix("marts.") for mart in MARTS]


def write(installation: Installation, folder: Path, **practices: UUID) -> list[LakeFile]:
    return write_lake(installation.store, practices, folder, be_quiet)


def query(folder: Path, statement: str) -> list[tuple]:
    with duckdb.connect(folder / CATALOG, read_only=True, config={"file_search_path": str(folder)}) as lake:
        return lake.execute(statement).fetchall()


def test_the_files_have_the_rows_of_the_marts(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice: Practice = import_oak_street(installation, tmp_path / "bundle")
    refresh_practice(installation.store, tmp_path / "warehouse", practice.id, practice.created_at, "duckdb", be_quiet)
    messages: list[str] = []
    folder = tmp_path / "lake"
    files = write_lake(installation.store, {"oak": practice.id}, folder, messages.append)
    with installation.store.begin_session(practice.id) as db:
        counts = {name: db.execute(text(f"select count(*) from marts.{name}")).scalar_one() for name in NAMES}
        total = db.execute(text("select sum(value), sum(denominator) from marts.metric_values")).one()
    stored = sorted(set(NAMES) - set(EXPANDED))
    assert {file.mart: file.rows for file in files} == {name: counts[name] for name in stored}
    assert [file.file for file in files] == [f"practice=oak/{name}.parquet" for name in stored]
    assert counts["metric_values"] > 100
    assert counts["appointments"] > counts["sessions"] > 0
    assert {name: query(folder, f"select count(*) from {name}")[0][0] for name in NAMES} == counts
    assert query(folder, "select sum(value), sum(denominator) from metric_values")[0] == pytest.approx(
        [float(number) for number in total]
    )
    assert "Writing pay lines of oak" in messages
    monkeypatch.chdir(folder)
    with duckdb.connect(CATALOG, read_only=True) as lake:
        assert lake.execute("select distinct practice from appointments").fetchall() == [("oak",)]
        comments = lake.execute("select count(*) from duckdb_columns() where not internal and comment is null")
        assert comments.fetchall() == [(len(NAMES),)], "only the column of the practice has no comment"
    assert find_words({"folder": str(tmp_path)}, [folder / CATALOG]) == [], "a path of this machine"
    assert folder.stat().st_mode & 0o077 == 0


def test_all_marts_are_from_one_snapshot(installation: Installation, practice: PracticeFixture, tmp_path: Path) -> None:
    def add_client(message: str) -> None:
        if message.startswith("Writing charges"):
            make_client(practice)

    make_client(practice)
    files = write_lake(installation.store, {"one": practice.id}, tmp_path / "lake", add_client)
    assert {file.mart: file.rows for file in files}["clients"] == 1
    assert {file.mart: file.rows for file in write(installation, tmp_path / "lake", one=practice.id)}["clients"] == 2


def test_a_lake_is_replaced_whole_and_stays_when_writing_fails(
    installation: Installation, practice: PracticeFixture, tmp_path: Path
) -> None:
    folder, other = tmp_path / "lake", make_practice(installation)
    write(installation, folder, one=practice.id)
    make_client(practice)

    def fail(message: str) -> None:
        if message == "Writing staff of two":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_lake(installation.store, {"one": practice.id, "two": other.id}, folder, fail)
    assert query(folder, "select count(*) from clients") == [(0,)]
    assert [path.name for path in tmp_path.iterdir()] == ["lake"], "leftovers"
    write(installation, folder, one=practice.id, two=other.id)
    assert query(folder, "select practice, count(*) from clients group by all") == [("one", 1)]
    assert [path.name for path in tmp_path.iterdir()] == ["lake"], "leftovers"


def test_other_folders_are_refused(installation: Installation, practice: PracticeFixture, tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "letter.txt").write_text("Dear Nina")
    (tmp_path / "file").write_text("in the way")
    for name in ("used", "file"):
        with pytest.raises(LakeFolderInUse, match="is not a lake"):
            write(installation, tmp_path / name, one=practice.id)
    write(installation, tmp_path / "lake", one=practice.id)
    with pytest.raises(LakeFolderInUse, match=r"other practices \(one\)"):
        write(installation, tmp_path / "lake", two=practice.id)
    assert os.listdir(tmp_path / "used") == ["letter.txt"]


def test_nothing_personal_leaves(
    installation: Installation, practice: PracticeFixture, read: Read, analyst: psycopg.Connection, tmp_path: Path
) -> None:
    """Plant a word in every text of the client, the staff, the visit and its papers, and search what analysts get."""
    word = "Canaryword"
    clinician = practice.add("clinician", email="canaryword@example.com")
    personal = ("first_name", "last_name", "address", "city", "state", "zip", "phone", "email", "sex")
    contacts = ("emergency_contact_name", "emergency_contact_phone", "guardian_name", "guardian_phone")
    more = ("guardian_email", "referring_provider")
    client = make_client(practice, clinician, **dict.fromkeys((*personal, *contacts, *more), word))
    service = make_service(practice, "IND60", name=word, category=word)
    texts = dict.fromkeys(("special_requests", "instructions", "cancellation_reason"), word)
    session = make_appointment(practice, clinician, client, service, practice.now, external_id=word, **texts)
    ids = {"t": practice.id, "client": client, "staff": clinician.staff_id, "session": session, "word": word}
    with installation.store.begin_session(practice.id) as db:
        for statement in (
            "update staff set first_name = :word, last_name = :word, npi = :word, license_number = :word"
            " where tenant_id = :t and id = :staff",
            "update clients set medical_notes = cast(:word as text)::bytea, external_id = :word"
            " where tenant_id = :t and id = :client",
            "insert into coverages (tenant_id, id, client_id, rank, payer_id, payer_name, member_id, group_number,"
            " external_id, void_reason, effective_on) values"
            " (:t, uuidv7(), :client, 1, '60054', :word, :word, :word, :word, :word, '2026-01-01')",
            "insert into notes (tenant_id, id, client_id, clinician_id, appointment_id, type, status, created_at, text,"
            " external_id, void_reason, return_reason) values (:t, uuidv7(), :client, :staff, :session, 'SOAP_NOTE',"
            " 'DRAFT', now(), cast(:word as text)::bytea, :word, :word, cast(:word as text)::bytea)",
            "insert into charges (tenant_id, id, client_id, clinician_id, service_date, cpt_code, units, amount_cents,"
            " created_at, external_id, void_reason) values"
            " (:t, uuidv7(), :client, :staff, '2026-03-01', '90837', 1, 100, now(), :word, :word)",
            "insert into payments (tenant_id, id, client_id, payer, method, amount_cents, received_on, posted_at,"
            " reference, external_id, void_reason) values"
            " (:t, uuidv7(), :client, 'CLIENT', 'CHECK', 100, '2026-03-01', now(), :word, :word, :word)",
            "insert into pay_periods (tenant_id, id, week, opened_at, problems)"
            " values (:t, uuidv7(), '2026-03-01', now(), array[:word])",
        ):
            db.execute(text(statement), ids)
    files = write(installation, tmp_path / "lake", one=practice.id)
    assert find_words({"as planted": word, "lower": word.lower()}, list_files(tmp_path / "lake")) == []
    shown = 0
    for mart in NAMES:
        for source in (
            query(tmp_path / "lake", f"select * from {mart}"),  # compressed files, read back
            read(f"select * from {mart}"),
            analyst.execute(f"select * from marts.{mart}").fetchall(),  # ty: ignore[no-matching-overload]
        ):
            shown += len(source)
            assert word.lower() not in str(source).lower(), mart
    assert shown > 3 * 6
    assert {file.mart: file.rows for file in files}["clients"] == 1
    [(phone, guardian, sex, payer)] = read("select has_phone, has_guardian, sex, primary_payer_id from clients")
    assert (phone, guardian, sex, payer) == (True, True, "OTHER", "60054")
