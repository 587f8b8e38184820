"""Notes: when they are completed_at and signed_at, by whom, and which are still open."""

from random import Random

from ingest.synthetic import texts
from ingest.synthetic.days import NEVER, Days, get_weekday
from ingest.synthetic.files import Files
from ingest.synthetic.model import Clinician
from ingest.synthetic.visits import Visit


class Notes:
    """Writes notes."""

    def __init__(self, rng: Random, days: Days, files: Files) -> None:
        self.rng, self.days, self.files = rng, days, files
        self.rows = files.rows["notes"]

    def write_session_note(self, visit: Visit) -> int:
        """Write the note of a visit and return when it is signed, which may be after the end of the record or never."""
        random, days = self.rng.random, self.days
        if random() < 0.004:
            return NEVER
        clinician = visit.clinician
        completed_at = self.choose_completion_time(clinician, visit)
        created_at = min(completed_at - 3, visit.ends_at + int(random() * 20) - 8)
        if created_at > days.until:
            return completed_at
        is_crisis = random() < (0.1 if visit.day >= visit.client.risk_since else 0.006)
        note_type = self.choose_type(visit, is_crisis)
        signed_at, signer, status = self.choose_signature(clinician, completed_at)
        visit_id, client = visit.id, visit.client
        text = texts.write_session_note(self.rng, note_type == "SOAP_NOTE", is_crisis)
        signature_time, signer_id = (days.format_instant(signed_at), signer.id) if signed_at <= days.until else ("", "")
        self.rows.append(
            f"{self.files.make_id('notes')},{client.id},{clinician.id},{visit_id},{note_type},{days.format_instant(created_at)},"
            f"{status},{signature_time},{signer_id},{text}\n"
        )
        return signed_at

    def choose_type(self, visit: Visit, is_crisis: bool) -> str:
        if visit.is_first:
            return "PSYCHIATRIC_EVALUATION" if visit.clinician.is_prescriber else "INTAKE_ASSESSMENT"
        if is_crisis:
            return "CRISIS_INTERVENTION"
        return "SOAP_NOTE" if visit.clinician.writes_soap else "PROGRESS_NOTE"

    def choose_completion_time(self, clinician: Clinician, visit: Visit) -> int:
        """Return when the clinician completes the note, usually by habit."""
        random, days = self.rng.random, self.days
        habit = clinician.signing_habit if random() < 0.88 else "prompt"
        if random() < 0.01:
            return days.shift_to_daytime(visit.ends_at + 12_000 + int(random() * 20_000))
        if habit == "prompt":
            if random() < 0.9:
                return visit.ends_at + 2 + int(random() * 90)
            return days.to_instant(visit.day + 1, 470 + int(random() * 120))
        if habit == "evening":
            return max(visit.ends_at + 5, days.to_instant(visit.day, 1_080 + int(random() * 180)))
        if habit == "friday":
            friday = visit.day + (5 - get_weekday(visit.day)) % 7
            if random() < 0.08:
                friday += 7
            return max(visit.ends_at + 5, days.to_instant(friday, 840 + int(random() * 240)))
        days_later = 1 + int(self.rng.expovariate(0.35))
        return days.to_instant(visit.day + days_later, 480 + int(random() * 700))

    def choose_signature(self, clinician: Clinician, completed_at: int) -> tuple[int, Clinician, str]:
        """Return when the note is signed, by whom, and its status at the end of the record."""
        random, until = self.rng.random, self.days.until
        signed_at, signer = completed_at, clinician
        if clinician.supervisor and (
            clinician.is_cosigned or self.days.to_local_day(completed_at) >= clinician.left_on
        ):
            signer = clinician.supervisor
            signed_at = max(completed_at + 2, self.days.shift_to_daytime(completed_at + self.choose_review_minutes()))
        elif random() < 0.002:
            signed_at = NEVER
        if signed_at > until:
            return signed_at, signer, "IN_REVIEW" if signer is not clinician and completed_at <= until else "DRAFT"
        return signed_at, signer, "AMENDED" if random() < 0.015 and signed_at + 5_000 < until else "SIGNED"

    def choose_review_minutes(self) -> int:
        """Return how long the supervisor takes: usually hours, sometimes days, rarely more than a week."""
        r, random = self.rng.random(), self.rng.random()
        return (
            int(20 + random * 160)
            if r < 0.55
            else int(600 + random * 3_600)
            if r < 0.95
            else int(7_000 + random * 14_000)
        )

    def write_note(self, note_type: str, client_id: str, clinician: Clinician, day: int, text: str) -> None:
        """Write a note that belongs to no visit."""
        created_at = self.days.to_instant(day, 660 + int(self.rng.random() * 300))
        if created_at > self.days.until:
            return
        signed_at, signer, status = self.choose_signature(clinician, created_at + 10 + int(self.rng.random() * 200))
        signature_time, signer_id = (
            (self.days.format_instant(signed_at), signer.id) if signed_at <= self.days.until else ("", "")
        )
        self.files.add_row(
            "notes",
            client_id,
            clinician.id,
            "",
            note_type,
            self.days.format_instant(created_at),
            status,
            signature_time,
            signer_id,
            text,
        )
