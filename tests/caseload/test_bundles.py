"""`caseload import` and `caseload export` on the command line."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from caseload import console
from tests.support.builders.bundles import (
    OAK_STREET,
    load_sample_rows,
    make_unique,
    read_files,
    write_folder,
    write_zip,
)
from tests.support.drivers.commands import RunCommand

NAME = "Oak Street Practice"


def test_a_bundle_is_imported_with_a_link_for_its_admin_and_exported_unchanged(run: RunCommand, tmp_path: Path) -> None:
    imported = run("import", OAK_STREET, "--json")
    assert imported.code == 0, imported.err
    assert imported.json["practice"] == "oak-street-practice"
    assert imported.json["rows"]["appointments.csv"] == 7
    assert imported.json["errors"] == []
    assert [admin["email"] for admin in imported.json["admins"]] == ["ada@oak.example"]
    assert "/invitation#" in imported.json["admins"][0]["link"]
    exported = run("export", NAME, tmp_path / "out", "--json")
    assert (exported.code, exported.json["rows"]) == (0, imported.json["rows"])
    assert read_files(tmp_path / "out") == read_files(OAK_STREET)
    assert run("doctor").code == 0


def test_the_text_output_lists_rows_and_links(run: RunCommand, tmp_path: Path) -> None:
    imported = run("import", write_zip(tmp_path / "b.zip", OAK_STREET))
    assert imported.code == 0, imported.err
    assert NAME in imported.out
    assert "/invitation#" in imported.out
    assert "appointments.csv" in imported.out
    exported = run("export", "oak-street-practice", tmp_path / "out")
    assert (exported.code, "plain text" in exported.out) == (0, True)


def test_a_terminal_shows_a_bar_with_the_rows_of_the_total(
    run: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (("import", OAK_STREET), ("export", "oak-street-practice", tmp_path / "out")):
        terminal = io.StringIO()
        monkeypatch.setattr(console, "err", Console(file=terminal, force_terminal=True, width=120))
        result = run(*command, "--json")
        assert result.code == 0, terminal.getvalue()
        total = sum(result.json["rows"].values())
        shown = terminal.getvalue()
        assert "100%" in shown
        done, of = re.findall(r"([\d,]+) of ([\d,]+) rows", shown)[-1]
        assert int(done.replace(",", "")) <= int(of.replace(",", ""))
        assert int(of.replace(",", "")) >= total


def test_all_problems_of_a_bundle_are_reported_and_nothing_is_imported(run: RunCommand, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    rows["clients"][0]["birth_date"] = "2026-02-30"
    rows["notes"][3]["status"] = "GONE"
    folder = write_folder(tmp_path / "b", rows)
    refused = run("import", folder, "--json")
    assert refused.code == 1
    assert (refused.json["practice"], refused.json["rows"], refused.json["error_count"]) == (None, {}, 2)
    assert [(error["file"], error["line"], error["column"]) for error in refused.json["errors"]] == [
        ("clients.csv", 2, "birth_date"),
        ("notes.csv", 7, "status"),
    ]
    text = run("import", folder)
    assert (text.code, text.out) == (1, "")
    for word in ("clients.csv", "birth_date", "notes.csv", "7", "nothing was imported"):
        assert word in text.err
    assert "No practice" in run("export", "nobody", tmp_path / "out").err or not (tmp_path / "out").exists()


def test_many_problems_are_counted(run: RunCommand, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    rows["sign_ins"] = [{"id": f"L{n}", "staff_id": "ADM", "at": "now"} for n in range(150)]
    folder = write_folder(tmp_path / "b", rows)
    document = run("import", folder, "--json").json
    assert (len(document["errors"]), document["error_count"]) == (100, 150)
    assert "and 50 more" in run("import", folder).err


def test_an_existing_practice_is_replaced_only_with_the_option(run: RunCommand, tmp_path: Path) -> None:
    run("import", OAK_STREET)
    again = run("import", OAK_STREET, "--json")
    assert again.code == 1
    assert [error["file"] for error in again.json["errors"]] == ["practice.csv"]
    assert "exists" in again.json["errors"][0]["message"]
    assert run("import", OAK_STREET).err.count("already exists") == 1
    assert run("import", OAK_STREET, "--replace", "--json").json["practice"] == "oak-street-practice"


def test_past_overlaps_are_imported_only_with_the_option(run: RunCommand, tmp_path: Path) -> None:
    rows = make_unique(load_sample_rows())
    rows["appointments"].append(rows["appointments"][0] | {"id": "A8", "client_id": "K2"})
    folder = write_folder(tmp_path / "b", rows)
    assert run("import", folder).code == 1
    assert run("import", folder, "--allow-overlaps").code == 0


def test_an_invalid_bundle_and_a_folder_that_is_not_empty_are_refused(run: RunCommand, tmp_path: Path) -> None:
    assert run("import", tmp_path / "nowhere").code == 1
    assert run("import").code == 2
    run("import", OAK_STREET)
    taken = run("export", NAME, OAK_STREET)
    assert (taken.code, "not empty" in taken.err) == (1, True)
    strange = run("export", "nobody", tmp_path / "out")
    assert (strange.code, (tmp_path / "out").exists()) == (1, False)
