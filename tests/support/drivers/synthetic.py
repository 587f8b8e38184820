"""Synthetic practices of several sizes and time zones, each generated once for all tests of a worker."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from ingest.synthetic import Size, generate
from tests.support.oracles.bundle_checker import Bundle

DEMO, SMALL, TINY, SUMMER = "demo", "small", "tiny", "summer"
PRACTICES: dict[str, tuple[Size, int, datetime]] = {
    DEMO: (Size.demo(), 1, datetime(2026, 3, 18, 15, 30, tzinfo=UTC)),
    SMALL: (Size("Birch & Söhne", "Europe/Berlin", 6, 160, 7), 2, datetime(2025, 11, 2, 23, 59, 59, tzinfo=UTC)),
    TINY: (Size("One, alone", "Pacific/Auckland", 1, 9, 3, 2), 3, datetime(2024, 2, 29, 12, tzinfo=UTC)),
    SUMMER: (Size("Larch", "America/Los_Angeles", 8, 900, 9, 0), 4, datetime(2025, 8, 24, 6, 30, tzinfo=UTC)),
}


@dataclass(frozen=True)
class SyntheticPractice:
    """A generated practice, as its bundle is read."""

    bundle: Bundle
    size: Size
    until: datetime
    zone: ZoneInfo
    counts: dict[str, int]

    def to_local(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone)

    @property
    def today(self) -> date:
        return self.to_local(self.until).date()


@cache
def generate_practice(name: str) -> SyntheticPractice:
    size, seed, until = PRACTICES[name]
    with TemporaryDirectory() as folder:
        counts = generate(Path(folder), size, seed, until)
        return SyntheticPractice(Bundle(Path(folder)), size, until, ZoneInfo(size.time_zone), counts)
