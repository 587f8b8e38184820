"""`caseload pay` on the command line, and the golden previews if CASELOAD_GOLDEN is set to their folder."""

import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from practice.payroll.rates import set_pay_rate
from practice.people.practices import find_practice
from practice.security.installation import open_installation
from practice.security.work import Actor
from practice.settings import Settings
from tests.support.builders.bundles import OAK_STREET
from tests.support.drivers.commands import RunCommand

GOLDEN = Path(os.environ.get("CASELOAD_GOLDEN", "nowhere"))


@pytest.mark.skipif("CASELOAD_GOLDEN" not in os.environ, reason="CASELOAD_GOLDEN is not set")
@pytest.mark.parametrize("name", ["a", "b"])
def test_the_golden_previews_agree(run: RunCommand, tmp_path: Path, name: str) -> None:
    assert run("import", GOLDEN / f"practice_{name}").code == 0
    expected = sorted(GOLDEN.glob(f"practice_{name}_pay_*.json"))
    assert len(expected) == 4
    for file in expected:
        week = file.stem.rpartition("_")[2]
        result = run("pay", f"golden-{name}", "--week", week, "--as-of", "2026-03-18T20:30:00Z", "--json")
        (tmp_path / "ours.json").write_text(result.out)
        compare = [sys.executable, GOLDEN / "compare.py", "pay", file, tmp_path / "ours.json"]
        process = subprocess.run(compare, capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stdout + process.stderr


def test_a_week_is_shown_with_sessions_on_standby(run: RunCommand) -> None:
    run("import", OAK_STREET)
    document = run(
        "pay", "oak-street-practice", "--week", "2025-10-05", "--as-of", "2025-10-20T12:00:00Z", "--json"
    ).json
    assert (document["week"], document["deadline"], document["status"]) == (
        "2025-10-05",
        "2025-10-13T04:00:00Z",
        "OPEN",
    )
    session = {"staff_id": "CLI", "appointment_id": "A1", "minutes": 45, "multiplier": "1", "rate": "60.50"}
    named = session | {"staff_name": "Cleo Clinician"}
    assert document["lines"] == [named | {"amount": "45.38", "kind": "regular", "reason": None}]
    assert [line["appointment_id"] for line in document["standby"]] == ["A4"]
    assert document["totals"] == {"CLI": "45.38"}
    assert document["standby_totals"] == {"BOS": document["standby"][0]["amount"]}
    assert document["staff"] == {"BOS": "Sue Visor", "CLI": "Cleo Clinician"}
    shown = run("pay", "oak-street-practice", "--week", "2025-10-05", "--as-of", "2025-10-20T12:00:00Z")
    assert shown.code == 0
    assert "Cleo Clinician (CLI): 45.38, on standby 0.00" in shown.out
    assert f"Sue Visor (BOS): 0.00, on standby {document['standby'][0]['amount']}" in shown.out


def test_an_adjustment_says_why(run: RunCommand) -> None:
    run("import", OAK_STREET)
    week = ("pay", "oak-street-practice", "--week")
    assert run(*week, "2025-10-05", "--close").code == 0
    installation = open_installation(Settings(), pool_size=1)
    with installation.store.begin_system_session() as db:
        practice_id = find_practice(db, "oak-street-practice").id
    with installation.work(Actor(practice_id), datetime.now(UTC)) as work:
        query = text("select id from staff where tenant_id = :id and external_id = 'CLI'")
        staff_id = work.db.scalar(query, {"id": practice_id})
        set_pay_rate(work, staff_id, 12100, date(2025, 10, 5))
    installation.store.close()
    result = run(*week, "2025-10-12", "--json").json
    (line,) = [line for line in result["lines"] if line["kind"] == "adjustment"]
    assert (line["appointment_id"], line["amount"], line["reason"]) == ("A1", "45.37", "RATE_CHANGED")
    shown = run(*week, "2025-10-12").out
    assert "RATE_CHANGED" not in shown
    assert {"adjustment", "rate", "changed"} <= set(re.findall(r"\w+", shown))


def test_a_week_is_closed_permanently(run: RunCommand) -> None:
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


@pytest.mark.parametrize(("typed", "status"), [("n", "OPEN"), ("y", "CLOSED")])
def test_closing_on_a_terminal_shows_the_totals_and_asks(run: RunCommand, typed: str, status: str) -> None:
    run("import", OAK_STREET)
    week = ("pay", "oak-street-practice", "--week", "2025-10-05")
    code, shown = run_on_terminal(*week, "--close", typed=typed)
    assert code == (0 if status == "CLOSED" else 1)
    assert shown.index("Cleo Clinician (CLI): 45.38") < shown.index("The week of 2025-10-05 pays 45.38.")
    assert "stay on standby. Close it permanently? [y/N]" in " ".join(shown.split())
    assert run(*week, "--json").json["status"] == status


def test_closing_on_a_terminal_can_be_confirmed_beforehand(run: RunCommand) -> None:
    run("import", OAK_STREET)
    week = ("pay", "oak-street-practice", "--week", "2025-10-05")
    code, shown = run_on_terminal(*week, "--close", "--yes")
    assert (code, "permanently?" in shown, run(*week, "--json").json["status"]) == (0, False, "CLOSED")
    code, shown = run_on_terminal(*week, "--close")  # nothing is left to confirm
    assert (code, "permanently?" in shown) == (0, False)


def run_on_terminal(*arguments: str, typed: str = "") -> tuple[int, str]:
    """Run a command on a terminal of its own, and return its exit code and what the terminal showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from caseload.main import run; run()", *arguments]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, f"{typed}\n".encode())
    shown = b""
    with suppress(OSError):  # the end of the process, on Linux
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    return process.wait(), shown.decode()


def test_a_week_cannot_be_closed_as_of_an_instant(run: RunCommand) -> None:
    run("import", OAK_STREET)
    week = ("pay", "oak-street-practice", "--week", "2025-10-05")
    result = run(*week, "--close", "--as-of", "2025-10-20T12:00:00Z")
    assert (result.code, result.out) == (2, "")
    assert run(*week, "--json").json["status"] == "OPEN"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--week", "2199-12-29", "--close"), "is cut off at"),
        (("--week", "2025-10-06"), "the Sunday before it, 2025-10-05"),
        (("--week", "2025-10-05", "--as-of", "yesterday"), "Invalid instant"),
        (("--week", "2025-10-05", "--as-of", "2025-10-20T12:00:00"), "with an offset"),
    ],
)
def test_an_invalid_week_or_instant_is_refused(run: RunCommand, arguments: tuple[str, ...], message: str) -> None:
    run("import", OAK_STREET)
    result = run("pay", "oak-street-practice", *arguments)
    assert (result.code, result.out) == (1, "")
    assert message in result.err
