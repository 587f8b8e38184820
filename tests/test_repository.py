"""Rules about the files of the repository that no other check covers."""

import importlib
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAX_LINES = 400  # per file; longer ones are split


def list_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    files = [ROOT / name for name in listing.stdout.splitlines()]
    return [file for file in files or ROOT.rglob("*") if file.is_file() and ".venv" not in file.parts]


def test_no_source_file_is_too_long() -> None:
    long = {
        str(file.relative_to(ROOT))
        for file in list_files()
        if file.suffix in (".py", ".sql") and count_lines(file) > MAX_LINES
    }
    # generated, one statement after the other, and never edited again
    long = {name for name in long if "/migrations/versions/" not in name and "/compiled/" not in name}
    assert long == set()


def count_lines(file: Path) -> int:
    return len(file.read_text().splitlines())


def test_the_lock_file_has_versions_and_hashes_but_no_urls() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock


def test_dbt_and_tests_are_not_packages() -> None:
    assert not (ROOT / "dbt" / "__init__.py").exists()
    assert not (ROOT / "tests" / "__init__.py").exists()


def test_the_image_and_the_command_line_serve_with_modules_that_exist() -> None:
    """They name a module in a string, which no type checker follows when it is renamed."""
    for name in ("Dockerfile", "docker-compose.yml", "caseload/api_process.py", "caseload/orchestration.py"):
        file = ROOT / name
        (module,) = re.findall(r'(?:"-m", |SERVER = )"((?:api|orchestration)\.\w+)"', file.read_text())
        assert callable(importlib.import_module(module).run), file
