"""The installation itself: rules about files that no other check sees."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST = 400  # lines; past that a file wants to be two


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    files = [ROOT / name for name in listed.stdout.splitlines()]
    return [file for file in files or ROOT.rglob("*") if file.is_file() and ".venv" not in file.parts]


def test_no_file_of_code_is_longer_than_two_would_be() -> None:
    long = {
        str(file.relative_to(ROOT)) for file in tracked() if file.suffix in (".py", ".sql") and lines(file) > LONGEST
    }
    # written by a machine, one statement after the other, and never edited again
    long = {name for name in long if "/migrations/versions/" not in name}
    assert long == set()


def lines(file: Path) -> int:
    return len(file.read_text().splitlines())


def test_the_lock_file_carries_versions_and_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock


def test_folders_that_must_not_be_packages_are_none() -> None:
    assert not (ROOT / "dbt" / "__init__.py").exists()
    assert not (ROOT / "tests" / "__init__.py").exists()
