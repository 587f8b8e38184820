"""A master key that is not the installation's: nothing opens, nothing is anchored, and the service does not start."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from practice.security.doctor import examine
from practice.security.encryption import MasterKey
from practice.security.installation import Installation
from practice.security.keyring import WrongMasterKey
from practice.sessions.examinations import EXAMINATIONS
from practice.settings import Settings
from practice.store.store import Store
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.builders.sessions import SessionBuilder
from tests.support.harness import cluster

OpenWith = Callable[[MasterKey], Installation]


@pytest.fixture
def own_practice(own_installation: Installation) -> PracticeFixture:
    return make_practice(own_installation, "Elm Street", tax_id="58-1234567")


@pytest.fixture
def open_with(own_installation: Installation) -> Iterator[OpenWith]:
    """Yield a function that opens the installation of the test as another process with a master key."""
    stores = []

    def open_with(master: MasterKey) -> Installation:
        store = Store(cluster.get_server().data_dir, database=own_installation.store.database)
        stores.append(store)
        key = SecretStr(master.to_text())
        return Installation(Settings(data_dir=own_installation.settings.data_dir, master_key=key), store)

    yield open_with
    for store in stores:
        store.close()


def test_with_another_master_key_nothing_is_opened_or_anchored(
    own_practice: PracticeFixture, open_with: OpenWith
) -> None:
    installation, wrong = own_practice.installation, MasterKey.generate()
    installation.anchor_audit(NOW)
    installation.check_master_key()
    own_practice.add("biller")  # the audit log has grown since
    other = open_with(wrong)
    with pytest.raises(WrongMasterKey) as refused:
        other.check_master_key()
    assert not any(key.key_id in refused.value.message for key in (wrong, installation.master))
    with pytest.raises(WrongMasterKey), other.work(own_practice.actor(), NOW):
        pass
    assert other.anchor_audit(NOW) == 0
    assert installation.anchor_audit(NOW) == 1
    assert [finding for finding in examine(installation, NOW) if not finding.ok] == []


def test_the_doctor_names_a_wrong_master_key_and_blames_nothing_else(
    own_practice: PracticeFixture, open_with: OpenWith
) -> None:
    own_practice.installation.anchor_audit(NOW)
    sessions = SessionBuilder(own_practice, own_practice.add("clinician"))
    sessions.add_note(sessions.add_session(NOW - timedelta(days=2)))
    findings = examine(open_with(MasterKey.generate()), NOW, extra_examinations=EXAMINATIONS)
    (failure,) = [finding for finding in findings if not finding.ok]
    assert failure.area == "master key"
    assert "is not the one of this installation. Set the right one in CASELOAD_MASTER_KEY_FILE" in failure.message
    assert "Not checked without it: the anchors of the audit log, encrypted fields, and notes." in failure.message
    logs = [finding.message for finding in findings if finding.area == "audit log"]
    assert len(logs) == 2
    assert all("intact" in message and message.endswith("Its anchors are not checked.") for message in logs)
    assert not [finding for finding in findings if finding.area in ("encryption", "notes")]


def test_the_doctor_names_an_unfinished_rotation(own_practice: PracticeFixture, open_with: OpenWith) -> None:
    installation, new = own_practice.installation, MasterKey.generate()
    installation.anchor_audit(NOW)
    with own_practice.work() as work:
        installation.keys.rewrap(work.db, own_practice.id, new)
    (failure,) = [finding for finding in examine(open_with(installation.master), NOW) if not finding.ok]
    assert failure.area == "master key"
    assert "opens the records of some practices only" in failure.message
    assert failure.facts["not_checked"] == [str(own_practice.id)]


def test_an_unfinished_rotation_keeps_the_service_from_starting(
    own_practice: PracticeFixture, open_with: OpenWith
) -> None:
    installation, new = own_practice.installation, MasterKey.generate()
    with own_practice.work() as work:
        installation.keys.rewrap(work.db, own_practice.id, new)
    for master in (new, installation.master):
        with pytest.raises(WrongMasterKey):
            open_with(master).check_master_key()
