"""Data keys: used only after they are stored, rotated without loss, and bound to their practice."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text, update

from practice.errors import ConfigurationProblem
from practice.people.models.practices import Practice
from practice.people.practices import create_practice
from practice.security import rotation
from practice.security.doctor import Finding, examine
from practice.security.encryption import DecryptionRefused, MasterKey, read_key_number
from practice.security.installation import Installation
from practice.security.keyring import KeyRing, WrongMasterKey
from practice.security.models import Account, DataKey, StoredAnswer
from practice.security.rotation import rotate_data_key, rotate_master_key
from practice.security.work import Actor
from practice.settings import Settings
from practice.store.ids import SYSTEM_TENANT, new_id
from practice.store.store import Store
from tests.support.builders.people import NOW, Person, PracticeFixture, make_practice
from tests.support.harness import cluster

TAX_ID = "58-1234567"


class Interrupted(Exception):
    pass


OpenAnother = Callable[[Installation, MasterKey], Installation]


@pytest.fixture
def open_another() -> Iterator[OpenAnother]:
    """Return a function that opens the same installation as another process with a master key."""
    opened: list[Installation] = []

    def open_another(installation: Installation, master: MasterKey) -> Installation:
        settings = Settings(data_dir=installation.settings.data_dir, master_key=SecretStr(master.to_text()))
        opened.append(
            Installation(settings, Store(cluster.get_server().data_dir, database=installation.store.database))
        )
        return opened[-1]

    yield open_another
    for installation in opened:
        installation.store.close()


def read_sealed_tax_id(installation: Installation, practice: PracticeFixture) -> bytes:
    with installation.store.begin_session(practice.id) as db:
        return db.scalars(select(Practice.tax_id).where(Practice.id == practice.id)).one()


def tax_id(installation: Installation, practice: PracticeFixture) -> str | None:
    with installation.work(Actor(practice.id), NOW) as work:
        return work.unseal("practices", "tax_id", practice.id, read_sealed_tax_id(installation, practice))


def store_answers(installation: Installation, practice: PracticeFixture, count: int) -> None:
    with installation.work(Actor(practice.id), NOW) as work:
        for _ in range(count):
            row_id = new_id()
            sealed = work.seal("stored_answers", "answer", row_id, f"answer {row_id}")
            work.db.add(StoredAnswer(tenant_id=practice.id, id=row_id, request_hash=b"", answer=sealed, created_at=NOW))


def store_secret(installation: Installation, person: Person) -> None:
    with installation.work(Actor(), NOW) as work:
        sealed = work.seal("accounts", "totp_secret", person.account_id, f"secret {person.account_id}")
        work.db.execute(update(Account).where(Account.id == person.account_id).values(totp_secret=sealed))


def read_secret(installation: Installation, person: Person) -> str | None:
    with installation.work(Actor(), NOW) as work:
        account = work.db.get_one(Account, person.account_id)
        return work.unseal("accounts", "totp_secret", account.id, account.totp_secret)


def find_failures(installation: Installation) -> list[Finding]:
    return [finding for finding in examine(installation, NOW) if not finding.ok]


def read_encryption_facts(installation: Installation, tenant_id: object) -> dict:
    (finding,) = [
        finding
        for finding in examine(installation, NOW)
        if finding.area == "encryption" and finding.facts["tenant_id"] == str(tenant_id)
    ]
    return finding.facts


@pytest.fixture
def sealed(own_installation: Installation) -> PracticeFixture:
    """Return a practice with sealed fields of each kind: in its own row, in a record, and in an account."""
    practice = make_practice(own_installation, "Elm Street", tax_id=TAX_ID)
    store_answers(own_installation, practice, 7)
    store_secret(own_installation, practice.admin)
    return practice


# Used only after it is stored


def test_failed_work_leaves_a_usable_key(open_another: OpenAnother, installation: Installation) -> None:
    tenant_id, row_id = new_id(), new_id()
    leaked: list[bytes | None] = []

    def fail() -> None:
        with installation.work(Actor(tenant_id), NOW) as work:
            leaked.append(work.seal("stored_answers", "answer", row_id, "first"))
            raise Interrupted

    with pytest.raises(Interrupted):
        fail()
    with installation.work(Actor(tenant_id), NOW) as work:
        stored = work.seal("stored_answers", "answer", row_id, "second")
    with open_another(installation, installation.master).work(Actor(tenant_id), NOW) as work:
        assert work.unseal("stored_answers", "answer", row_id, leaked[0]) == "first"
        assert work.unseal("stored_answers", "answer", row_id, stored) == "second"


def test_a_practice_whose_creation_failed_can_be_created_again(installation: Installation) -> None:
    name = f"Practice {new_id()}"

    def fail() -> None:
        with installation.work(Actor(), NOW) as work:
            admin = {"email": f"{new_id()}@example.com", "first_name": "Ada", "last_name": "Admin"}
            create_practice(work, name=name, time_zone="UTC", admin=admin, tax_id=TAX_ID)
            raise Interrupted

    with pytest.raises(Interrupted):
        fail()
    assert tax_id(installation, again := make_practice(installation, name, tax_id="11-1111111")) == "11-1111111"
    assert read_key_number(read_sealed_tax_id(installation, again)) == 1


def test_a_full_pool_can_load_keys_of_other_practices(own_installation: Installation) -> None:
    """Each thread holds a connection already; waiting for a second one from the same pool would deadlock."""
    barrier = threading.Barrier(8)
    sealed_values: list[bytes | None] = []

    def seal_in_another_practice() -> None:
        with own_installation.work(Actor(), NOW) as work:
            work.db.execute(text("select 1"))
            barrier.wait()
            with work.in_practice(new_id()) as other_work:
                sealed_values.append(other_work.seal("stored_answers", "answer", new_id(), "text"))

    threads = [threading.Thread(target=seal_in_another_practice) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sealed_values) == 8


def test_processes_that_create_the_first_key_concurrently_agree(
    open_another: OpenAnother, installation: Installation
) -> None:
    tenant_id, row_id = new_id(), new_id()
    others = [open_another(installation, installation.master) for _ in range(4)]
    barrier = threading.Barrier(len(others))
    written: list[bytes | None] = []

    def seal(other: Installation) -> None:
        barrier.wait()
        with other.work(Actor(tenant_id), NOW) as work:
            written.append(work.seal("stored_answers", "answer", row_id, "text"))

    threads = [threading.Thread(target=seal, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == len(others)
    with installation.work(Actor(tenant_id), NOW) as work:
        assert [work.unseal("stored_answers", "answer", row_id, sealed) for sealed in written] == ["text"] * len(others)
        numbers = work.db.scalars(select(DataKey.number).where(DataKey.tenant_id == tenant_id)).all()
        assert list(numbers) == [1]


# Rotation of a data key


def test_a_rotated_practice_is_sealed_under_the_new_key_and_readable_everywhere(
    open_another: OpenAnother, sealed: PracticeFixture
) -> None:
    installation = sealed.installation
    other = open_another(installation, installation.master)
    assert tax_id(other, sealed) == TAX_ID  # it has now cached the old key
    before = read_sealed_tax_id(installation, sealed)
    assert rotate_data_key(installation, sealed.id, NOW) == 8
    assert read_key_number(read_sealed_tax_id(installation, sealed)) == 2
    assert read_encryption_facts(installation, sealed.id) == {
        "tenant_id": str(sealed.id), "keys": 2, "fields": 8, "under_older_key": 0
    }  # fmt: skip
    assert tax_id(installation, sealed) == TAX_ID
    assert tax_id(other, sealed) == TAX_ID, "a process that had the old key reads what the new one sealed"
    with installation.work(Actor(sealed.id), NOW) as work:
        assert work.unseal("practices", "tax_id", sealed.id, before) == TAX_ID, "backups need the old key"
        details = work.db.scalar(text("select details from audit_log where action = 'data_key.rotated'"))
    assert details == {"number": 2, "fields": 8}
    assert find_failures(installation) == []


def test_a_process_with_the_old_key_uses_the_new_one_within_a_minute(
    open_another: OpenAnother, sealed: PracticeFixture
) -> None:
    other = open_another(sealed.installation, sealed.installation.master)
    store_answers(other, sealed, 1)
    rotate_data_key(sealed.installation, sealed.id, NOW)
    store_answers(other, sealed, 3)
    assert read_encryption_facts(sealed.installation, sealed.id)["under_older_key"] == 3
    assert find_failures(sealed.installation) == [], "reported, but not as a failure"
    with other.work(Actor(sealed.id), NOW + timedelta(minutes=1)) as work:
        assert read_key_number(work.seal("stored_answers", "answer", new_id(), "text") or b"") == 2


def test_rotating_for_the_installation_itself_reseals_the_second_factors(sealed: PracticeFixture) -> None:
    assert rotate_data_key(sealed.installation, SYSTEM_TENANT, NOW) == 1
    assert read_secret(sealed.installation, sealed.admin) == f"secret {sealed.admin.account_id}"
    assert read_encryption_facts(sealed.installation, SYSTEM_TENANT)["under_older_key"] == 0


def test_an_interrupted_rotation_loses_nothing(sealed: PracticeFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> int:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(KeyRing, "reseal", fail)
        with pytest.raises(Interrupted):
            rotate_data_key(sealed.installation, sealed.id, NOW)
    assert tax_id(sealed.installation, sealed) == TAX_ID
    assert read_encryption_facts(sealed.installation, sealed.id)["under_older_key"] == 8
    assert rotate_data_key(sealed.installation, sealed.id, NOW) == 8
    assert read_encryption_facts(sealed.installation, sealed.id)["under_older_key"] == 0


def test_several_batches_are_resealed_once(sealed: PracticeFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("practice.security.keyring.BATCH_ROWS", 3)
    assert rotate_data_key(sealed.installation, sealed.id, NOW) == 8
    assert read_encryption_facts(sealed.installation, sealed.id)["fields"] == 8


# Rotation of the master key


def test_after_a_rotation_only_the_new_master_key_opens(open_another: OpenAnother, sealed: PracticeFixture) -> None:
    installation, new = sealed.installation, MasterKey.generate()
    installation.anchor_audit(NOW)
    assert rotate_master_key(installation, new, NOW) == 2
    later = open_another(installation, new)
    assert find_failures(later) == [], "the anchors are signed with the new key"
    assert tax_id(later, sealed) == TAX_ID
    assert read_secret(later, sealed.admin) == f"secret {sealed.admin.account_id}"
    with pytest.raises(WrongMasterKey):
        tax_id(open_another(installation, installation.master), sealed)
    with later.store.begin_session(sealed.id) as db:
        actions = set(db.scalars(text("select action from audit_log")))
    assert "master_key.changed" in actions


def test_an_interrupted_rotation_of_the_master_key_can_be_resumed(
    open_another: OpenAnother, sealed: PracticeFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation, new = sealed.installation, MasterKey.generate()
    for name in ("Oak Street", "Ash Street"):
        make_practice(installation, name, tax_id=TAX_ID)
    installation.anchor_audit(NOW)
    rewrap, calls = KeyRing.rewrap, []

    def fail_at_the_third(ring: KeyRing, *args: object) -> int:
        calls.append(args)
        if len(calls) == 3:
            raise Interrupted
        return rewrap(ring, *args)  # ty: ignore[invalid-argument-type]

    with monkeypatch.context() as patch:
        patch.setattr(KeyRing, "rewrap", fail_at_the_third)
        with pytest.raises(Interrupted):
            rotate_master_key(installation, new, NOW)
    failures = find_failures(open_another(installation, new))
    (failure,) = [finding for finding in failures if finding.area == "master key"]
    assert "If a rotation of the master key was interrupted, finish it" in failure.message
    assert len(failure.facts["not_checked"]) == 2
    again = open_another(installation, installation.master)  # another process: nothing is cached
    assert rotate_master_key(again, new, NOW) == 2
    later = open_another(installation, new)
    assert find_failures(later) == []
    assert tax_id(later, sealed) == TAX_ID
    assert rotate_master_key(again, new, NOW) == 0


def test_an_interruption_before_the_anchors_are_signed_can_be_resumed(
    open_another: OpenAnother, sealed: PracticeFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation, new = sealed.installation, MasterKey.generate()
    installation.anchor_audit(NOW)

    def fail(*args: object) -> None:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(rotation.Anchors, "sign_with_new_key", fail)
        with pytest.raises(Interrupted):
            rotate_master_key(installation, new, NOW)
    rotate_master_key(installation, new, NOW)
    assert find_failures(open_another(installation, new)) == []


def test_a_forged_anchor_stays_invalid_after_a_rotation_of_the_master_key(
    open_another: OpenAnother, sealed: PracticeFixture
) -> None:
    installation, new = sealed.installation, MasterKey.generate()
    installation.anchor_audit(NOW)
    with installation.anchors._get_path(sealed.id).open("a") as file:
        file.write('{"seq": 1, "hash": "00", "at": "2026", "mac": "00"}\n')
    rotate_master_key(installation, new, NOW)
    (finding,) = find_failures(open_another(installation, new))
    assert finding.facts["problems"] == [f"Line 2 of the anchors in {sealed.id}.jsonl is damaged or forged."]


def test_a_third_master_key_changes_nothing(open_another: OpenAnother, sealed: PracticeFixture) -> None:
    other_installation = open_another(sealed.installation, MasterKey.generate())
    with pytest.raises(ConfigurationProblem, match="neither the old one"):
        rotate_master_key(other_installation, MasterKey.generate(), NOW)
    with pytest.raises(ConfigurationProblem, match="the current master key"):
        rotate_master_key(sealed.installation, sealed.installation.master, NOW)
    assert find_failures(sealed.installation) == []


def test_a_wrong_master_key_is_refused_before_anything_is_written(
    open_another: OpenAnother, sealed: PracticeFixture
) -> None:
    other_installation = open_another(sealed.installation, MasterKey.generate())
    with pytest.raises(ConfigurationProblem, match="Set the right one in CASELOAD_MASTER_KEY_FILE"):
        tax_id(other_installation, sealed)
    with pytest.raises(ConfigurationProblem):
        make_practice(other_installation, "Oak Street")
    with sealed.installation.store.begin_system_session() as db:
        assert db.scalars(select(Practice.name)).all() == ["Elm Street"]
    findings = find_failures(other_installation)
    assert {finding.area for finding in findings} == {"master key"}
    assert other_installation.master.key_id in findings[0].message


def test_a_new_practice_gets_no_key_under_a_wrong_master_key(
    open_another: OpenAnother, sealed: PracticeFixture
) -> None:
    """The practice has no key that could tell, but the installation has."""
    other_installation = open_another(sealed.installation, MasterKey.generate())
    with pytest.raises(ConfigurationProblem), other_installation.work(Actor(new := new_id()), NOW):
        pass
    with sealed.installation.store.begin_session(new) as db:
        assert db.scalars(select(DataKey.number)).all() == []


# Moved or altered values


@pytest.mark.parametrize("moved", ["row", "column", "table", "practice"])
def test_a_sealed_value_opens_only_where_it_was_sealed(installation: Installation, moved: str) -> None:
    practice, other = make_practice(installation, tax_id=TAX_ID), make_practice(installation)
    value = read_sealed_tax_id(installation, practice)
    table, column, row_id, tenant_id = {
        "row": ("practices", "tax_id", other.id, practice.id),
        "column": ("practices", "name", practice.id, practice.id),
        "table": ("staff", "tax_id", practice.id, practice.id),
        "practice": ("practices", "tax_id", practice.id, other.id),
    }[moved]
    with installation.work(Actor(tenant_id), NOW) as work, pytest.raises(DecryptionRefused):
        work.unseal(table, column, row_id, value)


def test_the_doctor_finds_a_moved_or_altered_value(sealed: PracticeFixture) -> None:
    installation = sealed.installation
    other = make_practice(installation, "Oak Street", tax_id="11-1111111")
    with installation.store.begin_session(sealed.id) as db:
        db.execute(
            update(Practice).where(Practice.id == other.id).values(tax_id=read_sealed_tax_id(installation, sealed))
        )
    (finding,) = find_failures(installation)
    assert finding.message.startswith("Practice Oak Street (oak-street): 1 encrypted field cannot be opened")
    assert finding.facts["closed"] == [f"practices.tax_id of {other.id}"]


def test_the_doctor_finds_an_altered_data_key(sealed: PracticeFixture) -> None:
    with sealed.installation.store.begin_session(sealed.id) as db:
        db.execute(text("update data_keys set wrapped = set_byte(wrapped, 30, 255 - get_byte(wrapped, 30))"))
    findings = find_failures(sealed.installation)
    assert any("Data key 1 was altered." in finding.message for finding in findings)
    assert any("8 encrypted fields cannot be opened" in finding.message for finding in findings)
