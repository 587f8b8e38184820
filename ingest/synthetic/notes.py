"""Session notes: who writes them when, who signs them, and which are still lying about."""

from random import Random

from ingest.synthetic import texts
from ingest.synthetic.days import NEVER, Days, weekday
from ingest.synthetic.files import Files
from ingest.synthetic.model import Clinician
from ingest.synthetic.visits import Visit


class Notes:
    def __init__(self, rng: Random, days: Days, files: Files) -> None:
        self.rng, self.days, self.files = rng, days, files
        self.rows = files.rows["notes"]

    def session(self, visit: Visit) -> int:
        """The note of a visit; answers with the instant of its signature, perhaps beyond the end or never."""
        random, days = self.rng.random, self.days
        if random() < 0.004:
            return NEVER
        clinician = visit.clinician
        written = self.written(clinician, visit)
        created = min(written - 3, visit.ends + int(random() * 20) - 8)
        if created > days.until:
            return written
        crisis = random() < (0.1 if visit.day >= visit.client.risk_since else 0.006)
        kind = self.kind(visit, crisis)
        signed, signer, status = self.signed(clinician, written)
        visit_id, client = visit.id, visit.client
        text = texts.session(self.rng, kind == "SOAP_NOTE", crisis)
        at, by = (days.stamp(signed), signer.id) if signed <= days.until else ("", "")
        self.rows.append(
            f"{self.files.new_id('notes')},{client.id},{clinician.id},{visit_id},{kind},{days.stamp(created)},"
            f"{status},{at},{by},{text}\n"
        )
        return signed

    def kind(self, visit: Visit, crisis: bool) -> str:
        if visit.first:
            return "PSYCHIATRIC_EVALUATION" if visit.clinician.prescriber else "INTAKE_ASSESSMENT"
        if crisis:
            return "CRISIS_INTERVENTION"
        return "SOAP_NOTE" if visit.clinician.soap else "PROGRESS_NOTE"

    def written(self, clinician: Clinician, visit: Visit) -> int:
        """When the clinician is done with it, by habit; some notes fall out of the habit."""
        random, days = self.rng.random, self.days
        habit = clinician.signs if random() < 0.88 else "prompt"
        if random() < 0.01:
            return days.waking(visit.ends + 12_000 + int(random() * 20_000))
        if habit == "prompt":
            if random() < 0.9:
                return visit.ends + 2 + int(random() * 90)
            return days.at(visit.day + 1, 470 + int(random() * 120))
        if habit == "evening":
            return max(visit.ends + 5, days.at(visit.day, 1_080 + int(random() * 180)))
        if habit == "friday":
            friday = visit.day + (5 - weekday(visit.day)) % 7
            if random() < 0.08:
                friday += 7
            return max(visit.ends + 5, days.at(friday, 840 + int(random() * 240)))
        lag = 1 + int(self.rng.expovariate(0.35))
        return days.at(visit.day + lag, 480 + int(random() * 700))

    def signed(self, clinician: Clinician, written: int) -> tuple[int, Clinician, str]:
        """When it is signed and by whom, and how it stands at the end of the record."""
        random, until = self.rng.random, self.days.until
        signed, signer = written, clinician
        if clinician.supervisor and (clinician.cosigned or self.days.local_day(written) >= clinician.left):
            signer = clinician.supervisor
            signed = max(written + 2, self.days.waking(written + self.review()))
        elif random() < 0.002:
            signed = NEVER
        if signed > until:
            return signed, signer, "IN_REVIEW" if signer is not clinician and written <= until else "DRAFT"
        return signed, signer, "AMENDED" if random() < 0.015 and signed + 5_000 < until else "SIGNED"

    def review(self) -> int:
        """How long a note lies with the supervisor: mostly hours, sometimes days, seldom over a week."""
        r, random = self.rng.random(), self.rng.random()
        return (
            int(20 + random * 160)
            if r < 0.55
            else int(600 + random * 3_600)
            if r < 0.95
            else int(7_000 + random * 14_000)
        )

    def write(self, kind: str, client_id: str, clinician: Clinician, day: int, text: str) -> None:
        """A note that belongs to no visit."""
        created = self.days.at(day, 660 + int(self.rng.random() * 300))
        if created > self.days.until:
            return
        signed, signer, status = self.signed(clinician, created + 10 + int(self.rng.random() * 200))
        at, by = (self.days.stamp(signed), signer.id) if signed <= self.days.until else ("", "")
        self.files.add("notes", client_id, clinician.id, "", kind, self.days.stamp(created), status, at, by, text)
