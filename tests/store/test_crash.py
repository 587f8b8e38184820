"""The database is killed repeatedly while four processes write: no acknowledged write is lost or duplicated."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from practice.security.doctor import examine
from practice.security.encryption import MasterKey
from practice.security.installation import Installation
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.harness.installations import create_short_folder, open_embedded_installation

REPOSITORY = Path(__file__).parents[2]
WRITERS = 4
ROUNDS = 5
WRITES_PER_ROUND = 5  # acknowledged writes of each writer between two kills
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Acknowledged:
    """An acknowledged write."""

    key: str
    attempts: int
    at: float


def read_acknowledged(folder: Path) -> list[list[Acknowledged]]:
    """Return the acknowledged writes by writer, in order. The last line of a file may be incomplete."""
    writes = []
    for number in range(WRITERS):
        file = folder / f"acknowledged-{number}"
        lines = file.read_text().split("\n")[:-1] if file.exists() else []
        fields = [line.split() for line in lines]
        writes.append([Acknowledged(key, int(attempts), float(at)) for key, attempts, at in fields])
    return writes


@contextmanager
def run_writers(folder: Path, practice: PracticeFixture, master: MasterKey) -> Generator[None]:
    """Run four processes that write to this practice. Each finishes its write before it stops."""
    stop = folder / "stop"
    ids = [str(practice.id), str(practice.admin.account_id), str(practice.admin.staff_id)]
    environment = os.environ | {"CASELOAD_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(REPOSITORY)}
    processes = []
    for number in range(WRITERS):
        arguments = [f"writer-{number}", *ids, str(folder / f"acknowledged-{number}"), str(stop)]
        command = [sys.executable, "-m", "tests.support.drivers.writer", *arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, cwd=REPOSITORY, text=True)
        assert process.stdin is not None
        with process.stdin as standard_input:
            standard_input.write(master.to_text() + "\n")
        processes.append(process)
    try:
        yield
        stop.touch()
        assert [process.wait(timeout=TIMEOUT_SECONDS) for process in processes] == [0] * WRITERS
    finally:
        for process in processes:
            process.kill()
            process.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the writers did not recover"
        time.sleep(0.02)


def kill_while_writing(folder: Path, installation: Installation) -> list[float]:
    """Kill the server in each round, once every writer has resumed, and return the moments."""
    killed = []
    for _ in range(ROUNDS):
        before = [len(lines) for lines in read_acknowledged(folder)]

        def have_all_resumed(before: list[int] = before) -> bool:
            return all(
                len(lines) >= start + WRITES_PER_ROUND
                for lines, start in zip(read_acknowledged(folder), before, strict=True)
            )

        wait_until(have_all_resumed)
        assert installation.store.embedded is not None
        pid = installation.store.embedded.pid
        assert pid is not None
        killed.append(time.monotonic())
        os.kill(pid, signal.SIGKILL)
    before = [len(lines) for lines in read_acknowledged(folder)]
    wait_until(
        lambda: all(
            len(now) >= start + WRITES_PER_ROUND for now, start in zip(read_acknowledged(folder), before, strict=True)
        )
    )
    return killed


def test_no_acknowledged_write_is_lost_or_duplicated(capsys: pytest.CaptureFixture[str]) -> None:
    master = MasterKey.generate()
    with create_short_folder() as folder, open_embedded_installation(folder / "data", master) as installation:
        practice = make_practice(installation)
        installation.anchor_audit(NOW)
        installation.store.close()
        with run_writers(folder, practice, master):
            killed = kill_while_writing(folder, installation)
        written = read_acknowledged(folder)
        keys = [line.key for lines in written for line in lines]
        with installation.store.begin_session(practice.id) as db:
            entries = Counter(db.scalars(text("select request_id from audit_log where action = 'training.recorded'")))
            trainings = db.execute(text("select count(*) from trainings")).scalar_one()
        problems = [finding for finding in examine(installation, NOW) if not finding.ok]
    lost = [key for key in keys if not entries[key]]
    duplicated = [key for key, count in entries.items() if count > 1]
    waited = [
        [line.at - moment for line in lines if line.at > moment and line.attempts > 1]
        for moment in killed
        for lines in written
    ]
    recoveries = [min(times) for times in waited if times]
    attempts = max(line.attempts for lines in written for line in lines)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{ROUNDS} kills, {len(keys)} acknowledged writes, {len(lost)} lost, {len(duplicated)} duplicated; "
            f"writers recovered after {min(recoveries):.2f} to {max(recoveries):.2f} s, {attempts} attempts at most\n"
        )
    assert lost == []
    assert duplicated == []
    assert len(keys) == len(set(keys)) == len(entries)
    assert trainings == len(entries), "entries and effects do not match"
    assert problems == []
