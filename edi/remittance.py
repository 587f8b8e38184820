"""The result of reading: one object that holds all frames."""

from dataclasses import dataclass, fields
from typing import Any

import polars as pl

from edi.layout import FRAMES


@dataclass(frozen=True, eq=False)
class Remittance:
    """One frame for each kind of record in the files; `edi.layout` documents their columns."""

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

    def to_frames(self) -> dict[str, pl.DataFrame]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __eq__(self, other: Any) -> bool:
        """Return whether the content is the same; byte offsets of problems, file names and file sizes may differ."""
        if not isinstance(other, Remittance):
            return NotImplemented
        own_frames, other_frames = self.to_frames(), other.to_frames()
        ignored = {"files": ["name", "bytes"], "problems": ["offset"]}
        return all(
            own_frames[name].drop(ignored.get(name, [])).equals(other_frames[name].drop(ignored.get(name, [])))
            for name in FRAMES
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"Remittance({self.files.height} files, {self.payments.height} payments, {self.claims.height} claims, "
            f"{self.lines.height} lines, {self.problems.height} problems)"
        )
