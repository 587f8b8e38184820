"""The audit trail: nobody changes it unnoticed, and it says what happened, all of it and nothing else."""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from practice.people.settings import set_rule
from practice.security.audit import Anchors, verify_chain
from practice.security.doctor import Finding, examine
from practice.security.encryption import MasterKey
from practice.security.installation import Installation
from practice.security.models import AuditEntry
from practice.security.work import AUDIT_LOG
from practice.store.ids import NOBODY, new_id
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
def two(own_installation: Installation) -> tuple[PracticeFixture, PracticeFixture]:
    """Two practices with a history, anchored in the middle and at the end."""
    both = make_practice(own_installation, "Elm Street"), make_practice(own_installation, "Oak Street")
    for last in (ANCHORED, ENTRIES):
        for practice in both:
            write_entries(practice, last)
        own_installation.anchor_audit(NOW)
    return both


@pytest.fixture
def forger(two: tuple[PracticeFixture, PracticeFixture]) -> Iterator[Forger]:
    with cluster.superuser(two[0].installation.store.database) as connection:
        yield Forger(connection, two[0].id)


def wrong(installation: Installation) -> list[Finding]:
    return [finding for finding in examine(installation, NOW) if not finding.ok]


def test_an_installation_in_good_order_has_no_findings(two: tuple[PracticeFixture, PracticeFixture]) -> None:
    installation = two[0].installation
    told: list[str] = []
    findings = examine(installation, NOW, told.append)
    assert "Examining: Practice Elm Street (elm-street) (2 of 3)" in told
    assert [finding for finding in findings if not finding.ok] == []
    logs = {finding.facts["tenant_id"]: finding.facts for finding in findings if finding.area == "audit log"}
    assert logs[str(two[0].id)]["entries"] == logs[str(two[1].id)]["entries"] == ENTRIES
    assert logs[str(NOBODY)]["entries"] == 2
    assert logs[str(two[0].id)]["rows_per_second"] > 0
    assert {finding.area for finding in findings} == {
        "database", "schema", "row-level security", "audit log", "encryption", "accounts", "outbox", "disk",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("crime", "place"),
    [
        (lambda f: f.edit(57), 57),
        (lambda f: f.edit_details(ENTRIES), ENTRIES),
        (lambda f: f.edit(1), 1),
        (lambda f: f.delete(57), 57),
        (lambda f: f.delete(1), 1),
        (lambda f: f.delete(ENTRIES), ENTRIES),
        (lambda f: f.delete_and_close_up(57), 57),
        (lambda f: f.insert_after(57), 59),  # or the one before it, says the sentence
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
def test_a_change_to_the_log_is_found_and_located(
    two: tuple[PracticeFixture, PracticeFixture], forger: Forger, crime: Callable[[Forger], None], place: int
) -> None:
    crime(forger)
    (finding,) = wrong(two[0].installation)
    assert finding.area == "audit log"
    assert finding.sentence.startswith("Practice Elm Street (elm-street): the audit log is not what was written.")
    assert finding.facts["tenant_id"] == str(two[0].id)
    assert finding.facts["entry"] == place
    named = {int(number) for number in re.findall(r"\d+", finding.sentence)}
    assert {place, place - 1} & named, finding.sentence


def test_the_same_value_written_differently_is_still_intact(
    two: tuple[PracticeFixture, PracticeFixture], forger: Forger
) -> None:
    forger.reformat(57)
    assert wrong(two[0].installation) == []


def test_a_rewritten_last_entry_is_found_though_it_was_anchored_again(
    two: tuple[PracticeFixture, PracticeFixture], forger: Forger
) -> None:
    """The service goes on anchoring whatever head it finds; the first word counts."""
    forger.rewrite_from(ENTRIES)
    two[0].installation.anchor_audit(NOW)
    (finding,) = wrong(two[0].installation)
    assert finding.facts["entry"] == ENTRIES


def test_a_log_erased_before_it_was_ever_anchored_is_missed_all_the_same(own_installation: Installation) -> None:
    practice = make_practice(own_installation, "Elm Street")
    with cluster.superuser(own_installation.store.database) as connection:
        Forger(connection, practice.id).erase()
    (finding,) = wrong(own_installation)
    assert "the audit log is empty" in finding.sentence


def test_a_practice_that_vanished_is_missed(two: tuple[PracticeFixture, PracticeFixture]) -> None:
    two[0].installation.anchors._file(gone := new_id()).write_text("")
    (finding,) = wrong(two[0].installation)
    assert str(gone) in finding.sentence


def test_a_new_installation_is_in_good_order(own_installation: Installation) -> None:
    assert wrong(own_installation) == []


# Anchors


def test_an_anchor_that_was_edited_or_forged_is_reported_and_one_that_is_missing_does_no_harm(
    two: tuple[PracticeFixture, PracticeFixture],
) -> None:
    installation, practice = two[0].installation, two[0].id
    file = installation.anchors._file(practice)
    lines = file.read_text().splitlines()
    assert len(lines) == 2

    def complaints(*now: str) -> list[str]:
        file.write_text("".join(f"{line}\n" for line in now))
        return [problem for finding in wrong(installation) for problem in finding.facts["problems"]]

    assert complaints(*lines) == []
    assert complaints(lines[1]) == []
    refused = f"Line 1 of the anchors in {practice}.jsonl is damaged or forged."
    assert complaints(lines[0].replace(f'"seq": {ANCHORED}', '"seq": 60'), lines[1]) == [refused]
    assert complaints(lines[0].replace(f'"seq": {ANCHORED}', f'"seq": "{ANCHORED}"'), lines[1]) == [refused]
    assert complaints(lines[0][:40], lines[1]) == [refused]
    assert complaints("[" * 100_000, lines[1]) == [refused]
    own_key = Anchors(installation.settings.anchors, MasterKey.generate())._line(
        practice, ENTRIES + 5, "00" * 32, "2026"
    )
    assert complaints(own_key.decode().strip(), *lines) == [refused]
    other_practice = installation.anchors._file(two[1].id).read_text().splitlines()[0]
    assert complaints(other_practice, *lines) == [refused]
    file.write_bytes(b"\xff\xfe\x00\n" + lines[1].encode() + b"\n")
    assert [finding.facts["problems"] for finding in wrong(installation)] == [[refused]]


def test_entries_that_nobody_anchored_for_long_are_reported(two: tuple[PracticeFixture, PracticeFixture]) -> None:
    installation, practice = two[0].installation, two[0]
    late = NOW + timedelta(minutes=11)
    write_entries(practice, ENTRIES + 5)
    assert wrong(installation) == [], "a backup ends like this, and may be restored much later"
    with practice.work(now=late) as work:
        work.record("late")
    (finding,) = wrong(installation)
    assert (finding.facts["entry"], finding.facts["not_anchored"]) == (ENTRIES + 1, 6)
    installation.anchor_audit(late)
    assert wrong(installation) == []
    installation.anchors._file(practice.id).unlink()
    (finding,) = wrong(installation)
    assert finding.facts["entry"] == 1


def test_a_line_is_written_when_the_head_moved_and_only_then(two: tuple[PracticeFixture, PracticeFixture]) -> None:
    installation, practice = two[0].installation, two[0]
    file = installation.anchors._file(practice.id)
    before = file.read_bytes()
    assert installation.anchor_audit(NOW) == 0
    restarted = Anchors(installation.settings.anchors, installation.master)
    with installation.store.session_in(practice.id) as db:
        assert not restarted.drop(db, practice.id, NOW), "a restart is no reason to write"
    assert file.read_bytes() == before
    write_entries(practice, ENTRIES + 3)
    assert installation.anchor_audit(NOW) == 1
    assert file.read_bytes().startswith(before)
    assert [seq for seq, _ in installation.anchors.read(practice.id)] == [ANCHORED, ENTRIES, ENTRIES + 3]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_cut_short_does_not_spoil_the_next(two: tuple[PracticeFixture, PracticeFixture]) -> None:
    installation, practice = two[0].installation, two[0]
    with installation.anchors._file(practice.id).open("a") as file:
        file.write('{"seq": 2')
    installation.anchor_audit(NOW)
    *_, damaged, last = installation.anchors.read(practice.id)
    assert isinstance(damaged, str)
    assert last[0] == ENTRIES


def test_years_of_anchors_are_read(two: tuple[PracticeFixture, PracticeFixture]) -> None:
    """One for every half minute of a month are more than a statement has room for parameters."""
    installation, practice = two[0].installation, two[0].id
    with installation.anchors._file(practice).open("ab") as file:
        file.writelines(installation.anchors._line(practice, 1000 + n, "00" * 32, "2026") for n in range(70_000))
    (finding,) = wrong(installation)
    assert finding.facts["entry"] == ENTRIES + 1
    assert "once reached entry 70999" in finding.sentence


# Who may write


def entry(tenant_id: UUID, **more: object) -> dict[str, object]:
    return {"tenant_id": tenant_id, "at": NOW, "action": "forged", "details": {}} | more


def test_the_service_cannot_choose_number_or_hash(practice: PracticeFixture) -> None:
    with practice.installation.store.session_in(practice.id) as db:
        last = db.scalar(text("select seq from audit_heads"))
        db.execute(insert(AUDIT_LOG), [entry(practice.id, seq=last + 100, hash=b"mine")])
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
def test_the_service_cannot_touch_what_is_written(practice: PracticeFixture, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), practice.work() as work:
        work.db.execute(text(statement))


@pytest.mark.parametrize(
    "statement", ["update audit_log set action = 'x'", "delete from audit_log", "truncate audit_log"]
)
def test_nor_can_the_owner_by_mistake(practice: PracticeFixture, statement: str) -> None:
    store = practice.installation.store
    with store.owner_connection("owner") as connection, pytest.raises(DBAPIError, match="never changed or removed"):
        connection.execute(text(statement))


def test_an_entry_for_another_practice_is_refused(practice: PracticeFixture) -> None:
    other = make_practice(practice.installation)
    with pytest.raises(DBAPIError), practice.installation.store.session_in(practice.id) as db:
        db.execute(insert(AUDIT_LOG), [entry(other.id)])


# An entry for every effect, an effect for every entry


class Interrupted(Exception):
    pass


def count(practice: PracticeFixture, table: str) -> int:
    with practice.installation.store.session_in(practice.id) as db:
        return db.execute(text(f"select count(*) from {table} where tenant_id = :t"), {"t": practice.id}).scalar_one()


def test_an_entry_exists_if_and_only_if_the_effect_does(practice: PracticeFixture) -> None:
    before = count(practice, "audit_log")

    def interrupted() -> None:
        with practice.work() as work:
            set_rule(work, "hipaa_training_days", 300, date(2026, 4, 1))
            work.write_audit()
            raise Interrupted

    with pytest.raises(Interrupted):
        interrupted()
    assert (count(practice, "rule_settings"), count(practice, "audit_log")) == (0, before)
    with practice.work() as work:
        set_rule(work, "hipaa_training_days", 300, date(2026, 4, 1))
    assert (count(practice, "rule_settings"), count(practice, "audit_log")) == (1, before + 1)
    with practice.installation.store.session_in(practice.id) as db:
        same = db.execute(
            text("""
                select s.xmin::text = l.xmin::text from rule_settings as s
                join audit_log as l on l.tenant_id = s.tenant_id and l.subject_id = s.id
                where s.tenant_id = :t
            """),
            {"t": practice.id},
        ).scalars()
        assert list(same) == [True], "one transaction wrote both"


def test_many_at_once_make_one_chain(own_installation: Installation) -> None:
    practice = make_practice(own_installation)
    before = count(practice, "audit_log")
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
        """Looking on meanwhile, while the heads are anchored, is no reason for an alarm."""
        while any(writer.is_alive() for writer in writers):
            with own_installation.store.session_in(practice.id) as db:
                problems.extend(verify_chain(db, practice.id, own_installation.anchors).problems)

    def anchor() -> None:
        while any(writer.is_alive() for writer in writers):
            own_installation.anchor_audit(NOW)

    problems: list[str] = []
    writers = [threading.Thread(target=write, args=(thread,)) for thread in range(8)]
    others = [threading.Thread(target=verify), threading.Thread(target=anchor)]
    for thread in (*writers, *others):
        thread.start()
    for thread in (*writers, *others):
        thread.join()
    assert errors == []
    assert problems == []
    assert count(practice, "audit_log") == before + 800
    assert wrong(own_installation) == []
    with own_installation.store.session_in(practice.id) as db:
        apart = db.execute(
            text("""
                select count(*) from audit_log as a
                join audit_log as b on b.tenant_id = a.tenant_id and b.seq = a.seq + 1
                where a.tenant_id = :t and a.action = 'first' and (b.action, b.details) <> ('second', a.details)
            """),
            {"t": practice.id},
        ).scalar_one()
    assert apart == 0, "the entries of one work stand together"
