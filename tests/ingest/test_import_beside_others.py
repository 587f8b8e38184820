"""An import takes minutes, and nobody waits for it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingest.bundle.load import import_bundle
from practice.people.practices import find_practice
from practice.security.accounts import prove_email
from practice.security.installation import Installation
from practice.security.sign_in import WrongCredentials, sign_in
from practice.security.work import Actor
from tests.support.builders.bundles import NOW, load_sample_rows, make_unique, write_folder
from tests.support.builders.people import PASSWORD, give_credentials, make_practice


def test_people_sign_in_while_a_practice_is_imported(own_installation: Installation, tmp_path: Path) -> None:
    """Also those whose account the bundle names, and those who give a wrong password."""
    other = make_practice(own_installation)
    give_credentials(own_installation, other.admin.account_id)
    rows = make_unique(load_sample_rows())
    rows["staff"][0]["email"] = other.admin.email
    outcomes: list[str] = []

    def try_to_sign_in() -> str:
        with pytest.raises(WrongCredentials):
            sign_in(own_installation, f"nobody-{len(outcomes)}@example.com", PASSWORD, NOW)
        with own_installation.work(Actor(), NOW) as work:
            prove_email(work, other.admin.account_id)
        return sign_in(own_installation, other.admin.email, PASSWORD, NOW).next

    folder = write_folder(tmp_path / "bundle", rows)
    with ThreadPoolExecutor(1) as pool:

        def count(_done: int, _total: int) -> None:
            if len(outcomes) < 40:
                outcomes.append(pool.submit(try_to_sign_in).result(timeout=20))

        practice = import_bundle(own_installation, folder, NOW, lambda _: None, count=count).practice
    assert set(outcomes) == {"code"}
    assert len(outcomes) > 10  # also while rows were written
    with own_installation.store.begin_system_session() as db:
        assert find_practice(db, practice.slug).id == practice.id
