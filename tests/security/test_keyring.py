"""Data keys: used once they are kept, changed without losing anything, useless elsewhere."""

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
from practice.security.encryption import DecryptionRefused, MasterKey, sealed_with
from practice.security.installation import Installation
from practice.security.keyring import KeyRing
from practice.security.models import Account, DataKey, StoredAnswer
from practice.security.rotation import rotate_data_key, rotate_master_key
from practice.security.work import Actor
from practice.settings import Settings
from practice.store.ids import NOBODY, new_id
from practice.store.store import Store
from tests.support.builders.people import NOW, Person, PracticeFixture, make_practice
from tests.support.harness import cluster

TAX_ID = "58-1234567"


class Interrupted(Exception):
    pass


Another = Callable[[Installation, MasterKey], Installation]


@pytest.fixture
def another() -> Iterator[Another]:
    """The same installation in another process, which was given this master key."""
    opened: list[Installation] = []

    def open_another(installation: Installation, master: MasterKey) -> Installation:
        settings = Settings(data_dir=installation.settings.data_dir, master_key=SecretStr(master.to_text()))
        opened.append(Installation(settings, Store(cluster.server().data_dir, database=installation.store.database)))
        return opened[-1]

    yield open_another
    for installation in opened:
        installation.store.close()


def sealed_tax_id(installation: Installation, practice: PracticeFixture) -> bytes:
    with installation.store.session_in(practice.id) as db:
        return db.scalars(select(Practice.tax_id).where(Practice.id == practice.id)).one()


def tax_id(installation: Installation, practice: PracticeFixture) -> str | None:
    with installation.work(Actor(practice.id), NOW) as work:
        return work.unseal("practices", "tax_id", practice.id, sealed_tax_id(installation, practice))


def keep_answers(installation: Installation, practice: PracticeFixture, count: int) -> None:
    with installation.work(Actor(practice.id), NOW) as work:
        for _ in range(count):
            row_id = new_id()
            sealed = work.seal("stored_answers", "answer", row_id, f"answer {row_id}")
            work.db.add(StoredAnswer(tenant_id=practice.id, id=row_id, request_hash=b"", answer=sealed, created_at=NOW))


def keep_secret(installation: Installation, person: Person) -> None:
    with installation.work(Actor(), NOW) as work:
        sealed = work.seal("accounts", "totp_secret", person.account_id, f"secret {person.account_id}")
        work.db.execute(update(Account).where(Account.id == person.account_id).values(totp_secret=sealed))


def secret(installation: Installation, person: Person) -> str | None:
    with installation.work(Actor(), NOW) as work:
        account = work.db.get_one(Account, person.account_id)
        return work.unseal("accounts", "totp_secret", account.id, account.totp_secret)


def wrong(installation: Installation) -> list[Finding]:
    return [finding for finding in examine(installation, NOW) if not finding.ok]


def encryption(installation: Installation, tenant_id: object) -> dict:
    (finding,) = [
        finding
        for finding in examine(installation, NOW)
        if finding.area == "encryption" and finding.facts["tenant_id"] == str(tenant_id)
    ]
    return finding.facts


@pytest.fixture
def sealed(own_installation: Installation) -> PracticeFixture:
    """A practice with sealed fields of each kind: its own row's, its records', and an account's of the installation."""
    practice = make_practice(own_installation, "Elm Street", tax_id=TAX_ID)
    keep_answers(own_installation, practice, 7)
    keep_secret(own_installation, practice.admin)
    return practice


# Used once it is kept


def test_what_a_failed_work_sealed_with_leaves_a_usable_key(another: Another, installation: Installation) -> None:
    tenant_id, row_id = new_id(), new_id()
    leaked: list[bytes | None] = []

    def fail() -> None:
        with installation.work(Actor(tenant_id), NOW) as work:
            leaked.append(work.seal("stored_answers", "answer", row_id, "first"))
            raise Interrupted

    with pytest.raises(Interrupted):
        fail()
    with installation.work(Actor(tenant_id), NOW) as work:
        kept = work.seal("stored_answers", "answer", row_id, "second")
    with another(installation, installation.master).work(Actor(tenant_id), NOW) as work:
        assert work.unseal("stored_answers", "answer", row_id, leaked[0]) == "first"
        assert work.unseal("stored_answers", "answer", row_id, kept) == "second"


def test_a_practice_whose_making_failed_can_be_made_again(installation: Installation) -> None:
    name = f"Practice {new_id()}"

    def fail() -> None:
        with installation.work(Actor(), NOW) as work:
            admin = {"email": f"{new_id()}@example.com", "first_name": "Ada", "last_name": "Admin"}
            create_practice(work, name=name, time_zone="UTC", admin=admin, tax_id=TAX_ID)
            raise Interrupted

    with pytest.raises(Interrupted):
        fail()
    assert tax_id(installation, again := make_practice(installation, name, tax_id="11-1111111")) == "11-1111111"
    assert sealed_with(sealed_tax_id(installation, again)) == 1


def test_as_many_as_the_pool_holds_can_need_another_practices_keys_at_once(own_installation: Installation) -> None:
    """Each holds a connection already; a second one from the same pool would never come."""
    barrier = threading.Barrier(8)
    done: list[bytes | None] = []

    def reach_inside() -> None:
        with own_installation.work(Actor(), NOW) as work:
            work.db.execute(text("select 1"))
            barrier.wait()
            with work.inside(new_id()) as inside:
                done.append(inside.seal("stored_answers", "answer", new_id(), "text"))

    threads = [threading.Thread(target=reach_inside) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 8


def test_many_who_make_the_first_key_at_once_agree(another: Another, installation: Installation) -> None:
    tenant_id, row_id = new_id(), new_id()
    others = [another(installation, installation.master) for _ in range(4)]
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
        assert [work.unseal("stored_answers", "answer", row_id, one) for one in written] == ["text"] * len(others)
        numbers = work.db.scalars(select(DataKey.number).where(DataKey.tenant_id == tenant_id)).all()
        assert list(numbers) == [1]


# Another data key


def test_a_rotated_practice_is_sealed_under_the_new_key_and_readable_everywhere(
    another: Another, sealed: PracticeFixture
) -> None:
    installation = sealed.installation
    other = another(installation, installation.master)
    assert tax_id(other, sealed) == TAX_ID  # it has the old key at hand now
    before = sealed_tax_id(installation, sealed)
    assert rotate_data_key(installation, sealed.id, NOW) == 8
    assert sealed_with(sealed_tax_id(installation, sealed)) == 2
    assert encryption(installation, sealed.id) == {
        "tenant_id": str(sealed.id), "keys": 2, "fields": 8, "under_older_key": 0
    }  # fmt: skip
    assert tax_id(installation, sealed) == TAX_ID
    assert tax_id(other, sealed) == TAX_ID, "a process that had the old key reads what the new one sealed"
    with installation.work(Actor(sealed.id), NOW) as work:
        assert work.unseal("practices", "tax_id", sealed.id, before) == TAX_ID, "backups need the old key"
        details = work.db.scalar(text("select details from audit_log where action = 'data_key.rotated'"))
    assert details == {"number": 2, "fields": 8}
    assert wrong(installation) == []


def test_a_process_with_the_old_key_goes_over_to_the_new_one_within_a_minute(
    another: Another, sealed: PracticeFixture
) -> None:
    other = another(sealed.installation, sealed.installation.master)
    keep_answers(other, sealed, 1)
    rotate_data_key(sealed.installation, sealed.id, NOW)
    keep_answers(other, sealed, 3)
    assert encryption(sealed.installation, sealed.id)["under_older_key"] == 3
    assert wrong(sealed.installation) == [], "told, but no alarm"
    with other.work(Actor(sealed.id), NOW + timedelta(minutes=1)) as work:
        assert sealed_with(work.seal("stored_answers", "answer", new_id(), "text") or b"") == 2


def test_rotating_for_the_installation_itself_reseals_the_second_factors(sealed: PracticeFixture) -> None:
    assert rotate_data_key(sealed.installation, NOBODY, NOW) == 1
    assert secret(sealed.installation, sealed.admin) == f"secret {sealed.admin.account_id}"
    assert encryption(sealed.installation, NOBODY)["under_older_key"] == 0


def test_a_rotation_that_is_interrupted_loses_nothing(sealed: PracticeFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> int:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(KeyRing, "reseal", fail)
        with pytest.raises(Interrupted):
            rotate_data_key(sealed.installation, sealed.id, NOW)
    assert tax_id(sealed.installation, sealed) == TAX_ID
    assert encryption(sealed.installation, sealed.id)["under_older_key"] == 8
    assert rotate_data_key(sealed.installation, sealed.id, NOW) == 8
    assert encryption(sealed.installation, sealed.id)["under_older_key"] == 0


def test_more_than_a_portion_is_resealed_each_once(sealed: PracticeFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("practice.security.keyring.PORTION", 3)
    assert rotate_data_key(sealed.installation, sealed.id, NOW) == 8
    assert encryption(sealed.installation, sealed.id)["fields"] == 8


# Another master key


def test_after_a_change_of_the_master_key_only_the_new_one_opens(another: Another, sealed: PracticeFixture) -> None:
    installation, new = sealed.installation, MasterKey.generate()
    installation.anchor_audit(NOW)
    assert rotate_master_key(installation, new, NOW) == 2
    later = another(installation, new)
    assert wrong(later) == [], "the anchors are under the new key as well"
    assert tax_id(later, sealed) == TAX_ID
    assert secret(later, sealed.admin) == f"secret {sealed.admin.account_id}"
    refused = f"sealed under the master key {new.key_id}, and the one at hand is {installation.master.key_id}"
    with pytest.raises(ConfigurationProblem, match=refused):
        tax_id(another(installation, installation.master), sealed)
    with later.store.session_in(sealed.id) as db:
        actions = set(db.scalars(text("select action from audit_log")))
    assert "master_key.changed" in actions


def test_a_change_of_the_master_key_goes_on_where_it_was_interrupted(
    another: Another, sealed: PracticeFixture, monkeypatch: pytest.MonkeyPatch
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
    half = wrong(another(installation, new))
    assert len([finding for finding in half if "finish the change of the master key" in finding.sentence]) == 2
    again = another(installation, installation.master)  # another process: nothing is at hand
    assert rotate_master_key(again, new, NOW) == 2
    later = another(installation, new)
    assert wrong(later) == []
    assert tax_id(later, sealed) == TAX_ID
    assert rotate_master_key(again, new, NOW) == 0


def test_an_interruption_before_the_anchors_were_signed_again_is_made_good(
    another: Another, sealed: PracticeFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation, new = sealed.installation, MasterKey.generate()
    installation.anchor_audit(NOW)

    def fail(*args: object) -> None:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(rotation.Anchors, "sign_again", fail)
        with pytest.raises(Interrupted):
            rotate_master_key(installation, new, NOW)
    rotate_master_key(installation, new, NOW)
    assert wrong(another(installation, new)) == []


def test_a_forged_anchor_is_not_made_genuine_by_a_change_of_the_master_key(
    another: Another, sealed: PracticeFixture
) -> None:
    installation, new = sealed.installation, MasterKey.generate()
    installation.anchor_audit(NOW)
    with installation.anchors._file(sealed.id).open("a") as file:
        file.write('{"seq": 1, "hash": "00", "at": "2026", "mac": "00"}\n')
    rotate_master_key(installation, new, NOW)
    (finding,) = wrong(another(installation, new))
    assert finding.facts["problems"] == [f"Line 2 of the anchors in {sealed.id}.jsonl is damaged or forged."]


def test_a_third_master_key_changes_nothing(another: Another, sealed: PracticeFixture) -> None:
    stranger = another(sealed.installation, MasterKey.generate())
    with pytest.raises(ConfigurationProblem, match="neither the old one"):
        rotate_master_key(stranger, MasterKey.generate(), NOW)
    with pytest.raises(ConfigurationProblem, match="the present master key"):
        rotate_master_key(sealed.installation, sealed.installation.master, NOW)
    assert wrong(sealed.installation) == []


def test_a_wrong_master_key_is_refused_before_anything_is_written_under_it(
    another: Another, sealed: PracticeFixture
) -> None:
    stranger = another(sealed.installation, MasterKey.generate())
    with pytest.raises(ConfigurationProblem, match="Name the right key in CASELOAD_MASTER_KEY_FILE"):
        tax_id(stranger, sealed)
    with pytest.raises(ConfigurationProblem):
        make_practice(stranger, "Oak Street")
    with sealed.installation.store.system_session() as db:
        assert db.scalars(select(Practice.name)).all() == ["Elm Street"]
    findings = wrong(stranger)
    assert {finding.area for finding in findings} == {"encryption", "audit log"} - (
        set() if sealed.installation.anchors.tenants() else {"audit log"}
    )
    assert stranger.master.key_id in findings[0].sentence


def test_a_new_practice_gets_no_key_under_a_wrong_master_key(another: Another, sealed: PracticeFixture) -> None:
    """Even where no key of the practice's own could tell: the installation's keys do."""
    stranger = another(sealed.installation, MasterKey.generate())
    with pytest.raises(ConfigurationProblem), stranger.work(Actor(new := new_id()), NOW):
        pass
    with sealed.installation.store.session_in(new) as db:
        assert db.scalars(select(DataKey.number)).all() == []


# Elsewhere


@pytest.mark.parametrize("place", ["row", "column", "table", "practice"])
def test_a_sealed_value_opens_in_its_own_place_only(installation: Installation, place: str) -> None:
    one, other = make_practice(installation, tax_id=TAX_ID), make_practice(installation)
    value = sealed_tax_id(installation, one)
    table, column, row_id, tenant_id = {
        "row": ("practices", "tax_id", other.id, one.id),
        "column": ("practices", "name", one.id, one.id),
        "table": ("staff", "tax_id", one.id, one.id),
        "practice": ("practices", "tax_id", one.id, other.id),
    }[place]
    with installation.work(Actor(tenant_id), NOW) as work, pytest.raises(DecryptionRefused):
        work.unseal(table, column, row_id, value)


def test_a_value_that_was_moved_or_altered_is_found_by_the_examination(sealed: PracticeFixture) -> None:
    installation = sealed.installation
    other = make_practice(installation, "Oak Street", tax_id="11-1111111")
    with installation.store.session_in(sealed.id) as db:
        db.execute(update(Practice).where(Practice.id == other.id).values(tax_id=sealed_tax_id(installation, sealed)))
    (finding,) = wrong(installation)
    assert finding.sentence.startswith("Practice Oak Street (oak-street): 1 protected fields do not open")
    assert finding.facts["closed"] == [f"practices.tax_id of {other.id}"]


def test_a_data_key_that_was_altered_is_found_by_the_examination(sealed: PracticeFixture) -> None:
    with sealed.installation.store.session_in(sealed.id) as db:
        db.execute(text("update data_keys set wrapped = set_byte(wrapped, 30, 255 - get_byte(wrapped, 30))"))
    findings = wrong(sealed.installation)
    assert any("Data key 1 was altered." in finding.sentence for finding in findings)
    assert any("8 protected fields do not open" in finding.sentence for finding in findings)
