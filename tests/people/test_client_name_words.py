"""The words of clients' names follow every change of a name, so the search finds no former names."""

from pathlib import Path
from uuid import UUID

from alembic import command
from sqlalchemy import text

from practice.people.client_search import search_clients
from practice.people.models.clients import Client
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from practice.store.migrate import make_alembic_config, migrate
from tests.support.builders.bundles import import_practice, load_sample_rows, make_unique, write_folder
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.builders.schedule import make_client


def find(practice: PracticeFixture, words: str) -> list[UUID]:
    with practice.work() as work:
        return [match.id for match in search_clients(work, Scope.ALL, words, 20)]


def rename(practice: PracticeFixture, client_id: UUID, first_name: str, last_name: str) -> None:
    with practice.work() as work:
        client = work.db.get_one(Client, (practice.id, client_id))
        client.first_name, client.last_name = first_name, last_name


def test_a_former_name_no_longer_finds_a_client(practice: PracticeFixture) -> None:
    client_id = make_client(practice, first_name="Casey", last_name="Elm-Lane")
    assert find(practice, "lane") == find(practice, "elmlane") == [client_id]
    rename(practice, client_id, "Redacted", "Client")
    assert find(practice, "lane") == find(practice, "casey") == []
    assert find(practice, "client") == [client_id]


def test_a_client_with_two_matching_words_is_found_once(practice: PracticeFixture) -> None:
    client_id = make_client(practice, first_name="Ann Andrea", last_name="Andrews")
    assert find(practice, "an") == find(practice, "and ann") == [client_id]


def test_imported_clients_are_found_by_each_word(installation: Installation, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    rows["clients"][0] |= {"first_name": "María Elena", "last_name": "García López"}
    practice_id = import_practice(installation, write_folder(tmp_path / "bundle", rows)).practice.id
    with installation.work(Actor(practice_id), NOW) as work:
        for words in ("lopez", "elena", "gar mar"):
            [match] = search_clients(work, Scope.ALL, words, 20)
            assert match.last_name == "García López"


def test_the_migration_adds_the_words_of_existing_clients(own_installation: Installation) -> None:
    practices = [make_practice(own_installation) for _ in range(2)]
    clients = [make_client(practice, first_name="Mary Ann", last_name="O'Brien") for practice in practices]
    with own_installation.store.open_owner_connection("owner") as owner:
        command.downgrade(make_alembic_config(owner), "0020")
        owner.commit()
        migrate(owner)
        assert owner.scalar(text("select count(*) from client_name_words")) == 0  # of no practice
    for practice, client_id in zip(practices, clients, strict=True):
        assert find(practice, "ann") == find(practice, "brien ma") == [client_id]
