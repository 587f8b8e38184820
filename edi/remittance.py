"""What a read gives: the frames, and what is true of them."""

from dataclasses import dataclass, fields
from typing import Any

import polars as pl

from edi.layout import FRAMES


@dataclass(frozen=True, eq=False)
class Remittance:
    """One frame for each kind of thing that stands in the files; `edi.layout` says what their columns mean."""

    files: pl.DataFrame
    interchanges: pl.DataFrame
    groups: pl.DataFrame
    payments: pl.DataFrame
    provider_adjustments: pl.DataFrame
    claims: pl.DataFrame
    lines: pl.DataFrame
    adjustments: pl.DataFrame
    parties: pl.DataFrame
    names: pl.DataFrame
    references: pl.DataFrame
    dates: pl.DataFrame
    amounts: pl.DataFrame
    quantities: pl.DataFrame
    remarks: pl.DataFrame
    provider_totals: pl.DataFrame
    others: pl.DataFrame
    problems: pl.DataFrame

    def frames(self) -> dict[str, pl.DataFrame]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __eq__(self, other: Any) -> bool:
        """The same content: problems may stand at other bytes, and files may be called otherwise."""
        if not isinstance(other, Remittance):
            return NotImplemented
        mine, theirs = self.frames(), other.frames()
        loose = {"files": ["name", "bytes"], "problems": ["offset"]}
        return all(
            mine[name].drop(loose.get(name, [])).equals(theirs[name].drop(loose.get(name, []))) for name in FRAMES
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"Remittance({self.files.height} files, {self.payments.height} payments, {self.claims.height} claims, "
            f"{self.lines.height} lines, {self.problems.height} problems)"
        )
