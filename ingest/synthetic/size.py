"""How large a made-up practice is."""

from dataclasses import dataclass

PER_CLINICIAN_MONTH = 150  # appointments of every status, about


@dataclass(frozen=True)
class Size:
    """A practice's name, zone, people, and months of history; `weeks_ahead` are booked beyond it."""

    name: str
    time_zone: str
    clinicians: int
    clients: int
    months: int
    weeks_ahead: int = 4

    def __post_init__(self) -> None:
        if min(self.clinicians, self.clients, self.months) < 1 or self.weeks_ahead < 0:
            raise ValueError("A practice has at least one clinician, one client and one month of history.")

    @classmethod
    def demo(cls) -> "Size":
        return cls("Willow Street Therapy", "America/New_York", clinicians=10, clients=1_050, months=18)

    @classmethod
    def of_appointments(cls, appointments: int, clients: int | None = None) -> "Size":
        """About so many appointments: more of them mean more clinicians and a longer history."""
        months = max(6, min(60, round(12 * (appointments / 10_000) ** 0.35)))
        clinicians = max(1, round(appointments / months / PER_CLINICIAN_MONTH))
        clients = clients or clinicians * round(50 + 3.3 * months)
        name = f"Alder Row Counseling {appointments}"
        return cls(name, "America/New_York", clinicians=clinicians, clients=clients, months=months)
