"""`caseload pay`, as somebody types it; and the golden previews, where CASELOAD_GOLDEN names their folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders.bundles import OAK_STREET
from tests.support.drivers.commands import Run

GOLDEN = Path(os.environ.get("CASELOAD_GOLDEN", "nowhere"))


@pytest.mark.skipif("CASELOAD_GOLDEN" not in os.environ, reason="CASELOAD_GOLDEN names no folder")
@pytest.mark.parametrize("name", ["a", "b"])
def test_the_golden_previews_agree(run: Run, tmp_path: Path, name: str) -> None:
    assert run("import", GOLDEN / f"practice_{name}").code == 0
    expected = sorted(GOLDEN.glob(f"practice_{name}_pay_*.json"))
    assert len(expected) == 4
    for file in expected:
        week = file.stem.rpartition("_")[2]
        ran = run("pay", f"golden-{name}", "--week", week, "--as-of", "2026-03-18T20:30:00Z", "--json")
        (tmp_path / "ours.json").write_text(ran.out)
        compare = [sys.executable, GOLDEN / "compare.py", "pay", file, tmp_path / "ours.json"]
        told = subprocess.run(compare, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout + told.stderr


def test_a_week_is_told_with_what_stands_by(run: Run) -> None:
    run("import", OAK_STREET)
    told = run("pay", "oak-street-practice", "--week", "2025-10-05", "--as-of", "2025-10-20T12:00:00Z", "--json").json
    assert (told["week"], told["deadline"], told["status"]) == ("2025-10-05", "2025-10-13T04:00:00Z", "OPEN")
    session = {"staff_id": "CLI", "appointment_id": "A1", "minutes": 45, "multiplier": "1", "rate": "60.50"}
    assert told["lines"] == [session | {"amount": "45.38", "kind": "regular"}]
    assert [line["appointment_id"] for line in told["standby"]] == ["A4"]
    assert told["totals"] == {"CLI": "45.38"}
    shown = run("pay", "oak-street-practice", "--week", "2025-10-05")
    assert shown.code == 0
    assert "45.38" in shown.out


def test_a_week_is_closed_for_good(run: Run) -> None:
    run("import", OAK_STREET)
    week = ("pay", "oak-street-practice", "--week", "2025-10-05")
    before = run(*week, "--json").json
    closed = run(*week, "--close", "--json")
    assert (closed.code, closed.json) == (0, before | {"status": "CLOSED"})
    assert run(*week, "--close", "--json").json == run(*week, "--json").json == closed.json
    shown = run(*week, "--close")
    assert (shown.code, "Closed at" in shown.out, "45.38" in shown.out) == (0, True, True)
    skipped = run("pay", "oak-street-practice", "--week", "2025-10-19", "--close")
    assert (skipped.code, skipped.out) == (1, "")
    assert "Close the week of 2025-10-12 first" in skipped.err


def test_a_week_is_not_closed_by_what_was_known(run: Run) -> None:
    run("import", OAK_STREET)
    week = ("pay", "oak-street-practice", "--week", "2025-10-05")
    ran = run(*week, "--close", "--as-of", "2025-10-20T12:00:00Z")
    assert (ran.code, ran.out) == (2, "")
    assert run(*week, "--json").json["status"] == "OPEN"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--week", "2199-12-29", "--close"), "is cut off at"),
        (("--week", "2025-10-06"), "begins on 2025-10-05"),
        (("--week", "2025-10-05", "--as-of", "yesterday"), "is no instant"),
        (("--week", "2025-10-05", "--as-of", "2025-10-20T12:00:00"), "with its offset"),
    ],
)
def test_what_is_no_week_or_no_instant_is_refused(run: Run, words: tuple[str, ...], told: str) -> None:
    run("import", OAK_STREET)
    ran = run("pay", "oak-street-practice", *words)
    assert (ran.code, ran.out) == (1, "")
    assert told in ran.err
