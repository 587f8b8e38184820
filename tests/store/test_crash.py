"""The database is killed again and again while four processes write: nothing acknowledged is lost or doubled."""

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
from tests.support.harness.installations import installation_in, short_folder

REPOSITORY = Path(__file__).parents[2]
WRITERS = 4
ROUNDS = 5
EACH = 5  # acknowledged writes of each writer between two kills
PATIENCE = 30.0


@dataclass(frozen=True)
class Acknowledged:
    key: str
    attempts: int
    at: float


def acknowledged(folder: Path) -> list[list[Acknowledged]]:
    """By writer, in the order of writing. A last line may be half written."""
    found = []
    for number in range(WRITERS):
        file = folder / f"acknowledged-{number}"
        lines = file.read_text().split("\n")[:-1] if file.exists() else []
        words = [line.split() for line in lines]
        found.append([Acknowledged(key, int(attempts), float(at)) for key, attempts, at in words])
    return found


@contextmanager
def writing(folder: Path, practice: PracticeFixture, master: MasterKey) -> Generator[None]:
    """Four processes at work in this practice; each ends its write before it stops."""
    stop = folder / "stop"
    who = [str(practice.id), str(practice.admin.account_id), str(practice.admin.staff_id)]
    environment = os.environ | {"CASELOAD_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(REPOSITORY)}
    processes = []
    for number in range(WRITERS):
        words = [f"writer-{number}", *who, str(folder / f"acknowledged-{number}"), str(stop)]
        command = [sys.executable, "-m", "tests.support.drivers.writer", *words]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, cwd=REPOSITORY, text=True)
        assert process.stdin is not None
        with process.stdin as standard_input:
            standard_input.write(master.to_text() + "\n")
        processes.append(process)
    try:
        yield
        stop.touch()
        assert [process.wait(timeout=PATIENCE) for process in processes] == [0] * WRITERS
    finally:
        for process in processes:
            process.kill()
            process.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the writers did not come back by themselves"
        time.sleep(0.02)


def kill_while_writing(folder: Path, installation: Installation) -> list[float]:
    """Kill the server in each round once every writer is well at work again. Answers with the moments."""
    killed = []
    for _ in range(ROUNDS):
        before = [len(lines) for lines in acknowledged(folder)]

        def all_went_on(before: list[int] = before) -> bool:
            return all(len(lines) >= start + EACH for lines, start in zip(acknowledged(folder), before, strict=True))

        wait_until(all_went_on)
        assert installation.store.embedded is not None
        pid = installation.store.embedded.pid
        assert pid is not None
        killed.append(time.monotonic())
        os.kill(pid, signal.SIGKILL)
    before = [len(lines) for lines in acknowledged(folder)]
    wait_until(lambda: all(len(now) >= start + EACH for now, start in zip(acknowledged(folder), before, strict=True)))
    return killed


def test_no_acknowledged_write_is_lost_or_doubled(capsys: pytest.CaptureFixture[str]) -> None:
    master = MasterKey.generate()
    with short_folder() as folder, installation_in(folder / "data", master) as installation:
        practice = make_practice(installation)
        installation.anchor_audit(NOW)
        installation.store.close()
        with writing(folder, practice, master):
            killed = kill_while_writing(folder, installation)
        written = acknowledged(folder)
        keys = [line.key for lines in written for line in lines]
        with installation.store.session_in(practice.id) as db:
            entries = Counter(db.scalars(text("select request_id from audit_log where action = 'training.recorded'")))
            trainings = db.execute(text("select count(*) from trainings")).scalar_one()
        problems = [finding for finding in examine(installation, NOW) if not finding.ok]
    lost = [key for key in keys if not entries[key]]
    doubled = [key for key, count in entries.items() if count > 1]
    waited = [
        [line.at - moment for line in lines if line.at > moment and line.attempts > 1]
        for moment in killed
        for lines in written
    ]
    back = [min(times) for times in waited if times]
    attempts = max(line.attempts for lines in written for line in lines)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{ROUNDS} kills, {len(keys)} acknowledged writes, {len(lost)} lost, {len(doubled)} doubled; "
            f"writers back after {min(back):.2f} to {max(back):.2f} s, {attempts} attempts at most\n"
        )
    assert lost == []
    assert doubled == []
    assert len(keys) == len(set(keys)) == len(entries)
    assert trainings == len(entries), "an effect for every entry, an entry for every effect"
    assert problems == []
