"""The size of a synthetic practice."""

from dataclasses import dataclass

APPOINTMENTS_PER_CLINICIAN_MONTH = 150  # of every status


@dataclass(frozen=True)
class Size:
    """The name, time zone, people and months of history of a practice; `weeks_ahead` are booked beyond its end."""

    name: str
    time_zone: str
    clinicians: int
    clients: int
    months: int
    weeks_ahead: int = 4

    def __post_init__(self) -> None:
        if min(self.clinicians, self.clients, self.months) < 1 or self.weeks_ahead < 0:
            raise ValueError(
                "The practice is too small: it needs at least one clinician, one client and one month of history."
            )

    @classmethod
    def demo(cls) -> "Size":
        """Return the size of the demo practice."""
        return cls("Willow Street Therapy", "America/New_York", clinicians=10, clients=1_050, months=18)

    @classmethod
    def estimate(cls, appointments: int, clients: int | None = None) -> "Size":
        """Return a size for about this many appointments: more of them mean more clinicians and a longer history."""
        months = max(6, min(60, round(12 * (appointments / 10_000) ** 0.35)))
        clinicians = max(1, round(appointments / months / APPOINTMENTS_PER_CLINICIAN_MONTH))
        clients = clients or clinicians * round(50 + 3.3 * months)
        name = f"Alder Row Counseling {appointments}"
        return cls(name, "America/New_York", clinicians=clinicians, clients=clients, months=months)
