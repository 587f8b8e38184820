"""The files of a bundle while they are being written: rows gathered, written in pieces, counted.

Rows are put together as text, in the form in which Caseload exports, so that what was imported is exported again
byte for byte.
"""

from pathlib import Path
from types import TracebackType

from ingest.bundle.format import TABLES

PREFIXES = {
    "coverages": "V",
    "availability": "W",
    "availability_exceptions": "E",
    "appointments": "A",
    "notes": "N",
    "treatment_plan_reviews": "T",
    "consents": "O",
    "supervision": "U",
    "trainings": "H",
    "incidents": "I",
    "sign_ins": "L",
    "charges": "G",
    "claims": "B",
    "payments": "P",
    "payment_applications": "Q",
    "refunds": "R",
    "adjustments": "J",
}


class Files:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.rows: dict[str, list[str]] = {name: [] for name in TABLES}
        self.counts = dict.fromkeys(TABLES, 0)
        self.numbers = dict.fromkeys(PREFIXES, 0)
        self._open = {
            name: (folder / table.file).open("w", encoding="utf-8", newline="") for name, table in TABLES.items()
        }
        for name, table in TABLES.items():
            self._open[name].write(",".join(column.name for column in table.columns) + "\n")

    def __enter__(self) -> "Files":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.flush()
        for file in self._open.values():
            file.close()

    def new_id(self, name: str) -> str:
        """Ids grow with the rows of a file, and sort as text as they grow."""
        self.numbers[name] = number = self.numbers[name] + 1
        return f"{PREFIXES[name]}{number:08d}"

    def add(self, name: str, *values: str) -> str:
        """A row whose first value is its new id."""
        row_id = self.new_id(name)
        self.rows[name].append(f"{row_id},{','.join(values)}\n")
        return row_id

    def flush(self) -> None:
        for name, rows in self.rows.items():
            self._open[name].write("".join(rows))
            self.counts[name] += len(rows)
            rows.clear()


class Amounts(dict[int, str]):
    """Cents as they are written, each made once."""

    def __missing__(self, cents: int) -> str:
        self[cents] = written = f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"
        return written


AMOUNTS = Amounts()


def cell(text: str) -> str:
    """Text as a cell of a CSV file."""
    if '"' in text or "," in text or "\n" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def boolean(value: bool) -> str:
    return "true" if value else "false"
