"""Folders and archives: only the bundle's own regular files are read, and never more bytes than were checked."""

import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from ingest.bundle import files
from ingest.bundle.reader import Bundle
from tests.support.builders.bundles import (
    OAK_STREET,
    list_locations,
    load_sample_rows,
    read,
    read_refusal,
    try_read,
    write_folder,
    write_zip,
)


@pytest.mark.parametrize("prefix", ["", "oak/", "./", "Oak Street (1)/"])
def test_an_archive_is_read_like_the_folder(tmp_path: Path, prefix: str) -> None:
    frames = read(write_zip(tmp_path / "b.zip", OAK_STREET, prefix)).frames
    assert all(frames[name].equals(frame) for name, frame in read(OAK_STREET).frames.items())


def test_files_of_the_operating_system_are_ignored(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "b.zip", OAK_STREET, "oak/")
    with zipfile.ZipFile(archive, "a") as appended:
        appended.writestr("__MACOSX/oak/._clients.csv", b"\x00\x05")
        appended.writestr("oak/.DS_Store", b"\x00")
        appended.writestr("oak/notes: read me.txt", "hello")
        appended.writestr("oak/old/", "")
        appended.writestr("oak/old/clients.csv", "not ours")
    read(archive)
    folder = write_folder(tmp_path / "f", load_sample_rows())
    (folder / "._clients.csv").write_bytes(b"\x00\x05")
    (folder / "old").mkdir()
    (folder / "old.csv").mkdir()
    read(folder)


def test_problems_in_an_archive_have_their_file_and_line(tmp_path: Path) -> None:
    rows = load_sample_rows()
    rows["notes"][1]["status"] = "GONE"
    folder = write_folder(tmp_path / "f", rows)
    (folder / "extra.csv").write_text("id\n")
    assert list_locations(write_zip(tmp_path / "b.zip", folder, "oak/")) == [
        ("extra.csv", None, None),
        ("notes.csv", 5, "status"),
    ]


@pytest.mark.parametrize(
    "names",
    [["../practice.csv"], ["oak/../../practice.csv"], ["/practice.csv"], ["C:\\practice.csv"], ["a\\..\\practice.csv"]],
)
def test_paths_that_lead_out_are_refused(tmp_path: Path, names: list[str]) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("practice.csv", (OAK_STREET / "practice.csv").read_text())
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "x")
    assert "leads out" in read_refusal(tmp_path / "b.zip").problems[0].message


def test_several_practices_in_an_archive_are_refused(tmp_path: Path) -> None:
    for folder in ("two/", ""):
        archive = write_zip(tmp_path / "b.zip", OAK_STREET, "one/")
        with zipfile.ZipFile(archive, "a") as appended:
            appended.writestr(f"{folder}practice.csv", "name,time_zone\nTwo,UTC\n")
        assert "several practices" in read_refusal(archive).problems[0].message


def test_a_bundle_too_deep_in_an_archive_is_refused(tmp_path: Path) -> None:
    assert "too deep" in read_refusal(write_zip(tmp_path / "b.zip", OAK_STREET, "a/b/")).problems[0].message


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_an_archive_holds_twice_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "b.zip", OAK_STREET)
    with zipfile.ZipFile(archive, "a") as appended:
        appended.writestr("rooms.csv", "id\n")
    assert list_locations(archive) == [("rooms.csv", None, None)]


def test_an_archive_of_very_many_files_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "b.zip", OAK_STREET)
    with zipfile.ZipFile(archive, "a") as appended:
        for number in range(files.MAX_ARCHIVE_ENTRIES):
            appended.writestr(f"{number}.txt", "")
    assert "far more files" in read_refusal(archive).problems[0].message


def test_a_file_that_unpacks_to_hundreds_of_times_its_size_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", load_sample_rows())
    with (folder / "closures.csv").open("a") as file:
        file.write("2026-01-01,\n" * 1_000_000)
    assert list_locations(write_zip(tmp_path / "b.zip", folder)) == [("closures.csv", None, None)]


def test_sizes_are_limited_per_file_and_in_total(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_zip(tmp_path / "b.zip", OAK_STREET)
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 1_300)
    assert [file for file, _, _ in list_locations(archive)] == ["appointments.csv"]
    assert [file for file, _, _ in list_locations(OAK_STREET)] == ["appointments.csv"]
    monkeypatch.undo()
    monkeypatch.setattr(files, "MAX_BUNDLE_BYTES", 5_000)
    for source in (archive, OAK_STREET):
        assert "larger than" in read_refusal(source).problems[0].message


def test_an_archive_with_wrong_sizes_is_refused(tmp_path: Path) -> None:
    # the size in its directory is smaller and larger than the unpacked file
    for difference in (-5, 5):
        archive = write_zip(tmp_path / "b.zip", OAK_STREET)
        data = bytearray(archive.read_bytes())
        with zipfile.ZipFile(archive) as opened:
            size = opened.getinfo("clients.csv").file_size
        at = data.rindex(b"clients.csv") - 46  # its entry in the central directory
        assert data[at : at + 4] == b"PK\x01\x02"
        data[at + 24 : at + 28] = struct.pack("<I", size + difference)
        archive.write_bytes(data)
        assert list_locations(archive) == [("clients.csv", None, None)]


@pytest.mark.parametrize("where", [0, 60, 200, 1000, -60, -10])
def test_a_damaged_archive_is_refused_or_read_correctly(tmp_path: Path, where: int) -> None:
    archive = write_zip(tmp_path / "b.zip", OAK_STREET)
    data = bytearray(archive.read_bytes())
    data[where] ^= 0xFF
    data[where + 1] ^= 0xFF
    archive.write_bytes(data)
    result = try_read(archive)
    if isinstance(result, Bundle):
        assert all(result.frames[name].equals(frame) for name, frame in read(OAK_STREET).frames.items())


def test_encrypted_files_and_other_compression_methods_are_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "b.zip", OAK_STREET)
    data = bytearray(archive.read_bytes())
    data[data.rindex(b"clients.csv") - 46 + 8] |= 1
    archive.write_bytes(data)
    assert list_locations(archive) == [("clients.csv", None, None)]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_BZIP2) as packed:
        packed.write(OAK_STREET / "practice.csv", "practice.csv")
    assert list_locations(archive) == [("practice.csv", None, None)]


def test_links_out_of_the_folder_and_pipes_are_not_read(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", load_sample_rows())
    (tmp_path / "secret.csv").write_text("id,name,capacity,active\nR1,Room,1,true\n")
    for name in ("rooms", "closures", "trainings", "refunds", "incidents"):
        (folder / f"{name}.csv").unlink()
    (folder / "rooms.csv").symlink_to(tmp_path / "secret.csv")
    os.mkfifo(folder / "closures.csv")
    (folder / "trainings.csv").symlink_to(folder / "nowhere.csv")
    (folder / "refunds.csv").symlink_to("/dev/zero")
    (folder / "incidents.csv").symlink_to(folder / "incidents.csv")
    assert stat.S_ISFIFO((folder / "closures.csv").stat().st_mode)
    assert [file for file, _, _ in list_locations(folder)] == [
        "rooms.csv",
        "trainings.csv",
        "incidents.csv",
        "refunds.csv",
        "closures.csv",
    ]


def test_links_within_the_folder_and_to_the_folder_are_read(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", load_sample_rows())
    (folder / "closures.csv").rename(folder / "days.txt")
    (folder / "closures.csv").symlink_to(folder / "days.txt")
    (tmp_path / "link").symlink_to(folder)
    assert len(read(tmp_path / "link").frames["closures"]) == 2


def test_other_paths_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_text("id,name\n")
    os.mkfifo(tmp_path / "pipe")
    for name in ("b.zip", "nothing", "pipe"):
        assert read_refusal(tmp_path / name).total == 1
