"""The files of a bundle being text: rows are buffered, text in batches and counted.

Rows have the format of an export, so that an import followed by an export gives the same bytes.
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
    """The open files of a bundle and their buffered rows."""

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

    def make_id(self, name: str) -> str:
        """Return a new id. Ids grow with the rows of a file, and sort as text in the same order."""
        self.numbers[name] = number = self.numbers[name] + 1
        return f"{PREFIXES[name]}{number:08d}"

    def add_row(self, name: str, *values: str) -> str:
        """Add a row that begins with a new id, and return the id."""
        row_id = self.make_id(name)
        self.rows[name].append(f"{row_id},{','.join(values)}\n")
        return row_id

    def flush(self) -> None:
        for name, rows in self.rows.items():
            self._open[name].write("".join(rows))
            self.counts[name] += len(rows)
            rows.clear()


class Amounts(dict[int, str]):
    """The texts of amounts in cents, each formatted once."""

    def __missing__(self, cents: int) -> str:
        self[cents] = text = f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"
        return text


AMOUNTS = Amounts()


def quote_cell(text: str) -> str:
    """Return a text as a CSV cell."""
    if '"' in text or "," in text or "\n" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def format_boolean(value: bool) -> str:
    return "true" if value else "false"
