"""`caseload import` and `caseload export`, as somebody types them."""

from pathlib import Path

from tests.support.builders.bundles import OAK_STREET, contents, named, small, write_folder, write_zip
from tests.support.drivers.commands import Run

NAME = "Oak Street Practice"


def test_a_bundle_comes_in_with_a_link_for_its_admin_and_goes_out_as_it_was(run: Run, tmp_path: Path) -> None:
    done = run("import", OAK_STREET, "--json")
    assert done.code == 0, done.err
    assert done.json["practice"] == "oak-street-practice"
    assert done.json["rows"]["appointments.csv"] == 7
    assert done.json["errors"] == []
    assert [admin["email"] for admin in done.json["admins"]] == ["ada@oak.example"]
    assert "/invitation#" in done.json["admins"][0]["link"]
    out = run("export", NAME, tmp_path / "out", "--json")
    assert (out.code, out.json["rows"]) == (0, done.json["rows"])
    assert contents(tmp_path / "out") == contents(OAK_STREET)
    assert run("doctor").code == 0


def test_people_are_told_what_came_in_and_who_gets_which_link(run: Run, tmp_path: Path) -> None:
    done = run("import", write_zip(tmp_path / "b.zip", OAK_STREET))
    assert done.code == 0, done.err
    assert NAME in done.out
    assert "/invitation#" in done.out
    assert "appointments.csv" in done.out
    out = run("export", "oak-street-practice", tmp_path / "out")
    assert (out.code, "plain text" in out.out) == (0, True)


def test_everything_wrong_with_a_bundle_is_told_and_nothing_comes_in(run: Run, tmp_path: Path) -> None:
    rows = named(small())
    rows["clients"][0]["birth_date"] = "2026-02-30"
    rows["notes"][3]["status"] = "GONE"
    folder = write_folder(tmp_path / "b", rows)
    told = run("import", folder, "--json")
    assert told.code == 1
    assert (told.json["practice"], told.json["rows"], told.json["error_count"]) == (None, {}, 2)
    assert [(e["file"], e["line"], e["column"]) for e in told.json["errors"]] == [
        ("clients.csv", 2, "birth_date"),
        ("notes.csv", 7, "status"),
    ]
    shown = run("import", folder)
    assert (shown.code, shown.out) == (1, "")
    for word in ("clients.csv", "birth_date", "notes.csv", "7", "nothing was imported"):
        assert word in shown.err
    assert "No practice" in run("export", "nobody", tmp_path / "out").err or not (tmp_path / "out").exists()


def test_very_many_faults_are_counted(run: Run, tmp_path: Path) -> None:
    rows = named(small())
    rows["sign_ins"] = [{"id": f"L{n}", "staff_id": "ADM", "at": "now"} for n in range(150)]
    folder = write_folder(tmp_path / "b", rows)
    told = run("import", folder, "--json").json
    assert (len(told["errors"]), told["error_count"]) == (100, 150)
    assert "and 50 more" in run("import", folder).err


def test_the_same_bundle_again_is_refused_and_set_aside_only_when_asked(run: Run, tmp_path: Path) -> None:
    run("import", OAK_STREET)
    again = run("import", OAK_STREET, "--json")
    assert again.code == 1
    assert [error["file"] for error in again.json["errors"]] == ["practice.csv"]
    assert "exists" in again.json["errors"][0]["message"]
    assert "exists" in run("import", OAK_STREET).err
    assert run("import", OAK_STREET, "--replace", "--json").json["practice"] == "oak-street-practice"


def test_overlaps_of_the_past_come_in_when_asked(run: Run, tmp_path: Path) -> None:
    rows = named(small())
    rows["appointments"].append(rows["appointments"][0] | {"id": "A8", "client_id": "K2"})
    folder = write_folder(tmp_path / "b", rows)
    assert run("import", folder).code == 1
    assert run("import", folder, "--allow-overlaps").code == 0


def test_what_is_no_bundle_and_what_is_in_the_way_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("import", tmp_path / "nowhere").code == 1
    assert run("import").code == 2
    run("import", OAK_STREET)
    taken = run("export", NAME, OAK_STREET)
    assert (taken.code, "not empty" in taken.err) == (1, True)
    strange = run("export", "nobody", tmp_path / "out")
    assert (strange.code, (tmp_path / "out").exists()) == (1, False)
