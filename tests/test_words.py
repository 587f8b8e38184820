"""How plainly the code is named, and words that it must not use."""

import re
import subprocess

import pytest

from tests.support.harness.words import PACKAGES, ROOT, Share, measure_package, total_of

RETIRED = re.compile(r"\b(house|desk|walls|madeup|told|astray|whoever)\b", re.IGNORECASE)
FRONT_DESK = re.compile(r"front[ -_]desk", re.IGNORECASE)  # of a practice: where clients check in
CHECKED = (".py", ".sql", ".md", ".toml", ".yml", ".yaml", ".typ", "Makefile", "Dockerfile")
# Released migrations stay as they are, and this file names the words.
EXEMPT = ("practice/store/migrations/", "tests/test_words.py")


@pytest.mark.parametrize("package", PACKAGES)
def test_most_names_and_docstrings_of_each_package_begin_with_a_verb(package: str) -> None:
    share = measure_package(package)
    assert share.named_percent >= 70, share
    assert share.described_percent >= 70, share


def test_three_quarters_of_all_names_and_docstrings_begin_with_a_verb() -> None:
    total: Share = total_of([measure_package(package) for package in PACKAGES])
    assert total.named_percent >= 75, total
    assert total.described_percent >= 75, total


def test_retired_words_are_gone() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    hits = [
        f"{name}:{number}: {line.strip()}"
        for name in listed
        if name.endswith(CHECKED) and not name.startswith(EXEMPT) and (ROOT / name).is_file()
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1)
        if RETIRED.search(FRONT_DESK.sub("", line))
    ]
    assert hits == []
