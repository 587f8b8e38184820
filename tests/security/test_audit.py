"""The audit log: changes are detected, and its entries match the effects exactly."""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from practice.people.settings import change_setting
from practice.security.audit import Anchors, verify_chain
from practice.security.doctor import Finding, examine
from practice.security.encryption import MasterKey
from practice.security.installation import Installation
from practice.security.models import AuditEntry
from practice.security.work import AUDIT_LOG
from practice.store.ids import SYSTEM_TENANT, new_id
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.drivers.tamper import Forger
from tests.support.harness import cluster

ANCHORED = 61  # the practice's log was anchored here
ENTRIES = 201  # and here, at its end


def write_entries(practice: PracticeFixture, last: int) -> None:
    with practice.work() as work:
        first = work.db.scalar(text("select max(seq) + 1 from audit_log where tenant_id = :t"), {"t": practice.id})
        for number in range(first, last + 1):
            work.record("client.read", "client", new_id(), n=number, fields=["phone", "born"])


@pytest.fixture
def two_practices(own_installation: Installation) -> tuple[PracticeFixture, PracticeFixture]:
    """Two practices with a history, anchored in the middle and at the end."""
    both = make_practice(own_installation, "Elm Street"), make_practice(own_installation, "Oak Street")
    for last in (ANCHORED, ENTRIES):
        for practice in both:
            write_entries(practice, last)
        own_installation.anchor_audit(NOW)
    return both


@pytest.fixture
def forger(two_practices: tuple[PracticeFixture, PracticeFixture]) -> Iterator[Forger]:
    with cluster.connect_as_superuser(two_practices[0].installation.store.database) as connection:
        yield Forger(connection, two_practices[0].id)


def find_failures(installation: Installation) -> list[Finding]:
    return [finding for finding in examine(installation, NOW) if not finding.ok]


def test_an_intact_installation_has_no_findings(two_practices: tuple[PracticeFixture, PracticeFixture]) -> None:
    installation = two_practices[0].installation
    messages: list[str] = []
    findings = examine(installation, NOW, messages.append)
    assert "Examining: Practice Elm Street (elm-street) (2 of 3)" in messages
    assert [finding for finding in findings if not finding.ok] == []
    logs = {finding.facts["tenant_id"]: finding.facts for finding in findings if finding.area == "audit log"}
    assert logs[str(two_practices[0].id)]["entries"] == logs[str(two_practices[1].id)]["entries"] == ENTRIES
    assert logs[str(SYSTEM_TENANT)]["entries"] == 2
    assert logs[str(two_practices[0].id)]["rows_per_second"] > 0
    assert {finding.area for finding in findings} == {
        "database", "schema", "row-level security", "audit log", "encryption", "accounts", "outbox", "disk",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("manipulate", "first_bad_entry"),
    [
        (lambda f: f.edit(57), 57),
        (lambda f: f.edit_details(ENTRIES), ENTRIES),
        (lambda f: f.edit(1), 1),
        (lambda f: f.delete(57), 57),
        (lambda f: f.delete(1), 1),
        (lambda f: f.delete(ENTRIES), ENTRIES),
        (lambda f: f.delete_and_close_up(57), 57),
        (lambda f: f.insert_after(57), 59),  # or the one before it, as the message says
        (lambda f: f.append_copy(ENTRIES), ENTRIES + 1),
        (lambda f: f.swap(57, 58), 57),
        (lambda f: f.swap(3, 190), 3),
        (lambda f: f.cut_after(ENTRIES - 10), ENTRIES - 9),
        (lambda f: f.rewrite_from(1), ANCHORED),
        (lambda f: f.rewrite_from(ENTRIES), ENTRIES),
        (lambda f: f.erase(), 1),
        (lambda f: f.spoil_head(), ENTRIES),
    ],
    ids=[
        "edit", "edit the last", "edit the first", "delete", "delete the first", "delete the last",
        "delete and close up", "insert", "append", "swap neighbours", "swap far apart", "cut off with the head",
        "rewrite all", "rewrite the last", "erase", "another head",
    ],
)  # fmt: skip
def test_a_manipulation_of_the_log_is_detected_and_located(
    two_practices: tuple[PracticeFixture, PracticeFixture],
    forger: Forger,
    manipulate: Callable[[Forger], None],
    first_bad_entry: int,
) -> None:
    manipulate(forger)
    (finding,) = find_failures(two_practices[0].installation)
    assert finding.area == "audit log"
    assert finding.message.startswith("Practice Elm Street (elm-street): the audit log was altered.")
    assert finding.facts["tenant_id"] == str(two_practices[0].id)
    assert finding.facts["entry"] == first_bad_entry
    numbers = {int(number) for number in re.findall(r"\d+", finding.message)}
    assert {first_bad_entry, first_bad_entry - 1} & numbers, finding.message


def test_the_same_value_written_differently_is_still_intact(
    two_practices: tuple[PracticeFixture, PracticeFixture], forger: Forger
) -> None:
    forger.reformat(57)
    assert find_failures(two_practices[0].installation) == []


def test_a_rewritten_last_entry_is_detected_after_it_was_anchored_again(
    two_practices: tuple[PracticeFixture, PracticeFixture], forger: Forger
) -> None:
    """The service keeps anchoring the current head; the first anchor counts."""
    forger.rewrite_from(ENTRIES)
    two_practices[0].installation.anchor_audit(NOW)
    (finding,) = find_failures(two_practices[0].installation)
    assert finding.facts["entry"] == ENTRIES


def test_a_log_erased_before_it_was_anchored_is_detected(own_installation: Installation) -> None:
    practice = make_practice(own_installation, "Elm Street")
    with cluster.connect_as_superuser(own_installation.store.database) as connection:
        Forger(connection, practice.id).erase()
    (finding,) = find_failures(own_installation)
    assert "the audit log is empty" in finding.message


def test_a_removed_practice_is_detected(two_practices: tuple[PracticeFixture, PracticeFixture]) -> None:
    two_practices[0].installation.anchors._get_path(removed := new_id()).write_text("")
    (finding,) = find_failures(two_practices[0].installation)
    assert str(removed) in finding.message


def test_a_new_installation_has_no_findings(own_installation: Installation) -> None:
    assert find_failures(own_installation) == []


# Anchors


def test_edited_or_forged_anchors_are_reported_and_missing_ones_are_harmless(
    two_practices: tuple[PracticeFixture, PracticeFixture],
) -> None:
    installation, practice = two_practices[0].installation, two_practices[0].id
    file = installation.anchors._get_path(practice)
    lines = file.read_text().splitlines()
    assert len(lines) == 2

    def find_problems(*anchors: str) -> list[str]:
        file.write_text("".join(f"{line}\n" for line in anchors))
        return [problem for finding in find_failures(installation) for problem in finding.facts["problems"]]

    assert find_problems(*lines) == []
    assert find_problems(lines[1]) == []
    expected = f"Line 1 of the anchors in {practice}.jsonl is damaged or forged."
    assert find_problems(lines[0].replace(f'"seq": {ANCHORED}', '"seq": 60'), lines[1]) == [expected]
    assert find_problems(lines[0].replace(f'"seq": {ANCHORED}', f'"seq": "{ANCHORED}"'), lines[1]) == [expected]
    assert find_problems(lines[0][:40], lines[1]) == [expected]
    assert find_problems("[" * 100_000, lines[1]) == [expected]
    own_key = Anchors(installation.settings.anchors, MasterKey.generate())._format_line(
        practice, ENTRIES + 5, "00" * 32, "2026"
    )
    assert find_problems(own_key.decode().strip(), *lines) == [expected]
    other_practice = installation.anchors._get_path(two_practices[1].id).read_text().splitlines()[0]
    assert find_problems(other_practice, *lines) == [expected]
    file.write_bytes(b"\xff\xfe\x00\n" + lines[1].encode() + b"\n")
    assert [finding.facts["problems"] for finding in find_failures(installation)] == [[expected]]


def test_entries_without_an_anchor_for_long_are_reported(
    two_practices: tuple[PracticeFixture, PracticeFixture],
) -> None:
    installation, practice = two_practices[0].installation, two_practices[0]
    late = NOW + timedelta(minutes=11)
    write_entries(practice, ENTRIES + 5)
    assert find_failures(installation) == [], "a backup ends like this, and may be restored later"
    with practice.work(now=late) as work:
        work.record("late")
    (finding,) = find_failures(installation)
    assert (finding.facts["entry"], finding.facts["not_anchored"]) == (ENTRIES + 1, 6)
    installation.anchor_audit(late)
    assert find_failures(installation) == []
    installation.anchors._get_path(practice.id).unlink()
    (finding,) = find_failures(installation)
    assert finding.facts["entry"] == 1


def test_a_line_is_written_only_when_the_head_has_moved(two_practices: tuple[PracticeFixture, PracticeFixture]) -> None:
    installation, practice = two_practices[0].installation, two_practices[0]
    file = installation.anchors._get_path(practice.id)
    before = file.read_bytes()
    assert installation.anchor_audit(NOW) == 0
    restarted = Anchors(installation.settings.anchors, installation.master)
    with installation.store.begin_session(practice.id) as db:
        assert not restarted.append_head(db, practice.id, NOW), "a restart writes no line"
    assert file.read_bytes() == before
    write_entries(practice, ENTRIES + 3)
    assert installation.anchor_audit(NOW) == 1
    assert file.read_bytes().startswith(before)
    assert [seq for seq, _ in installation.anchors.read(practice.id)] == [ANCHORED, ENTRIES, ENTRIES + 3]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_truncated_line_does_not_damage_the_next(two_practices: tuple[PracticeFixture, PracticeFixture]) -> None:
    installation, practice = two_practices[0].installation, two_practices[0]
    with installation.anchors._get_path(practice.id).open("a") as file:
        file.write('{"seq": 2')
    installation.anchor_audit(NOW)
    *_, damaged, last = installation.anchors.read(practice.id)
    assert isinstance(damaged, str)
    assert last[0] == ENTRIES


def test_years_of_anchors_are_read(two_practices: tuple[PracticeFixture, PracticeFixture]) -> None:
    """A month of half minutes has more anchors than a statement can have parameters."""
    installation, practice = two_practices[0].installation, two_practices[0].id
    with installation.anchors._get_path(practice).open("ab") as file:
        file.writelines(installation.anchors._format_line(practice, 1000 + n, "00" * 32, "2026") for n in range(70_000))
    (finding,) = find_failures(installation)
    assert finding.facts["entry"] == ENTRIES + 1
    assert "once reached entry 70999" in finding.message


# Who may write


def make_entry(tenant_id: UUID, **columns: object) -> dict[str, object]:
    return {"tenant_id": tenant_id, "at": NOW, "action": "forged", "details": {}} | columns


def test_the_service_cannot_choose_number_or_hash(practice: PracticeFixture) -> None:
    with practice.installation.store.begin_session(practice.id) as db:
        last = db.scalar(text("select seq from audit_heads"))
        db.execute(insert(AUDIT_LOG), [make_entry(practice.id, seq=last + 100, hash=b"mine")])
        written = db.get_one(AuditEntry, (practice.id, last + 1))
        assert len(written.hash) == 32
        head = db.execute(text("select seq, hash from audit_heads")).one()
        assert (head.seq, head.hash) == (last + 1, written.hash)


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_log set action = 'x'",
        "delete from audit_log",
        "truncate audit_log",
        "insert into audit_heads values (gen_random_uuid(), 1, '')",
        "update audit_heads set seq = 0",
        "delete from audit_heads",
        "truncate audit_heads",
        "alter table audit_log disable trigger all",
        "set session_replication_role = replica",
        "create function public.sha256(bytea) returns bytea language sql as 'select null::bytea'",
    ],
)
def test_the_service_cannot_change_entries(practice: PracticeFixture, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), practice.work() as work:
        work.db.execute(text(statement))


@pytest.mark.parametrize(
    "statement", ["update audit_log set action = 'x'", "delete from audit_log", "truncate audit_log"]
)
def test_the_owner_cannot_change_entries_by_mistake(practice: PracticeFixture, statement: str) -> None:
    store = practice.installation.store
    with (
        store.open_owner_connection("owner") as connection,
        pytest.raises(DBAPIError, match="never changed or removed"),
    ):
        connection.execute(text(statement))


def test_an_entry_for_another_practice_is_refused(practice: PracticeFixture) -> None:
    other = make_practice(practice.installation)
    with pytest.raises(DBAPIError), practice.installation.store.begin_session(practice.id) as db:
        db.execute(insert(AUDIT_LOG), [make_entry(other.id)])


# An entry for every effect, an effect for every entry


class Interrupted(Exception):
    pass


def count_rows(practice: PracticeFixture, table: str) -> int:
    with practice.installation.store.begin_session(practice.id) as db:
        return db.execute(text(f"select count(*) from {table} where tenant_id = :t"), {"t": practice.id}).scalar_one()


def test_an_entry_exists_if_and_only_if_the_effect_does(practice: PracticeFixture) -> None:
    before = count_rows(practice, "audit_log")

    def change_and_fail() -> None:
        with practice.work() as work:
            change_setting(work, "hipaa_training_days", 300, date(2026, 4, 1))
            work.write_audit()
            raise Interrupted

    with pytest.raises(Interrupted):
        change_and_fail()
    assert (count_rows(practice, "rule_settings"), count_rows(practice, "audit_log")) == (0, before)
    with practice.work() as work:
        change_setting(work, "hipaa_training_days", 300, date(2026, 4, 1))
    assert (count_rows(practice, "rule_settings"), count_rows(practice, "audit_log")) == (1, before + 1)
    with practice.installation.store.begin_session(practice.id) as db:
        same = db.execute(
            text("""
                select s.xmin::text = l.xmin::text from rule_settings as s
                join audit_log as l on l.tenant_id = s.tenant_id and l.subject_id = s.id
                where s.tenant_id = :t
            """),
            {"t": practice.id},
        ).scalars()
        assert list(same) == [True], "one transaction wrote both"


def test_concurrent_work_forms_one_chain(own_installation: Installation) -> None:
    practice = make_practice(own_installation)
    before = count_rows(practice, "audit_log")
    errors: list[BaseException] = []

    def write(thread: int) -> None:
        try:
            for number in range(50):
                with practice.work() as work:
                    work.record("first", n=number, thread=thread)
                    work.record("second", n=number, thread=thread)
        except BaseException as error:
            errors.append(error)

    def verify() -> None:
        """Verify concurrently, while heads are anchored, without a false alarm."""
        while any(writer.is_alive() for writer in writers):
            with own_installation.store.begin_session(practice.id) as db:
                problems.extend(verify_chain(db, practice.id, own_installation.anchors).problems)

    def anchor() -> None:
        while any(writer.is_alive() for writer in writers):
            own_installation.anchor_audit(NOW)

    problems: list[str] = []
    writers = [threading.Thread(target=write, args=(thread,)) for thread in range(8)]
    observers = [threading.Thread(target=verify), threading.Thread(target=anchor)]
    for thread in (*writers, *observers):
        thread.start()
    for thread in (*writers, *observers):
        thread.join()
    assert errors == []
    assert problems == []
    assert count_rows(practice, "audit_log") == before + 800
    assert find_failures(own_installation) == []
    with own_installation.store.begin_session(practice.id) as db:
        separated = db.execute(
            text("""
                select count(*) from audit_log as a
                join audit_log as b on b.tenant_id = a.tenant_id and b.seq = a.seq + 1
                where a.tenant_id = :t and a.action = 'first' and (b.action, b.details) <> ('second', a.details)
            """),
            {"t": practice.id},
        ).scalar_one()
    assert separated == 0, "the entries of one unit of work are adjacent"
