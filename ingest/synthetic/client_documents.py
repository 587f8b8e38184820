"""What lies in a client's file: who they are, coverages, consents, plan reviews, plans and summaries.

Written at the end, when it is known how long somebody stayed.
"""

from random import Random

from ingest.synthetic import names, texts
from ingest.synthetic.days import DAY, NEVER, Days, to_date
from ingest.synthetic.files import Files, boolean, cell
from ingest.synthetic.model import Client
from ingest.synthetic.names import pick
from ingest.synthetic.notes import Notes

YEAR = 365
MEDICAL = (
    "Asthma, inhaler at hand",
    "Allergic to penicillin",
    "Migraine; takes nothing for it",
    'Hearing aid left, "speak up"',
    "Type 2 diabetes",
    "None known",
)


class Papers:
    def __init__(self, rng: Random, days: Days, files: Files, notes: Notes) -> None:
        self.rng, self.days, self.files, self.notes = rng, days, files, notes

    def write(self, client: Client) -> None:
        if client.ended > self.days.today:
            client.ended, client.end_reason = NEVER, ""
        first, last = names.person(self.rng)
        if client.risk_since > min(self.days.today, client.ended):
            client.risk_since = client.risk_until = NEVER
        minor = client.minor_on(client.admitted)
        emancipated = minor and client.admitted - client.born > 16 * YEAR and self.rng.random() < 0.1
        guardian = names.full_name(self.rng, last) if minor and not emancipated else ""
        self.person(client, first, last, guardian, emancipated)
        self.coverages(client)
        self.consents(client, f"{first} {last}", guardian)
        self.plan(client)
        self.safety(client)
        self.end(client)
        self.calls(client)

    def person(self, client: Client, first: str, last: str, guardian: str, emancipated: bool) -> None:
        rng, dates = self.rng, self.days.dates
        random = rng.random
        street, town, state, code = names.address(rng)
        missing = pick(rng, ("phone", "street", "contact")) if random() < 0.03 else ""
        email = names.email(first, last, client.number) if random() < 0.9 else ""
        contact = guardian or names.full_name(rng)
        clinician = client.clinicians[-1][1].id if client.clinicians else ""
        values = (
            client.id,
            cell(first),
            cell(last),
            dates[client.born],
            pick(rng, ("F", "F", "F", "M", "M", "X", "")),
            email,
            "" if missing == "phone" else names.phone(rng),
            "" if missing == "street" else cell(street),
            cell(town),
            state,
            code,
            "" if missing == "contact" else cell(contact),
            "" if missing == "contact" else names.phone(rng),
            boolean(client.self_pay),
            boolean(emancipated),
            cell(guardian),
            names.phone(rng) if guardian else "",
            names.email(guardian.split()[0], last, client.number) if guardian and random() < 0.7 else "",
            cell(f"Dr. {names.full_name(rng)}") if random() < 0.35 else "",
            cell(pick(rng, MEDICAL)) if random() < 0.25 else "",
            dates[client.risk_since] if client.risk_since != NEVER else "",
            dates[client.risk_until] if client.risk_until < self.days.today else "",
            clinician,
            dates[client.admitted],
            dates[client.ended] if client.ended != NEVER else "",
            client.end_reason,
            self.days.stamp_if(client.portal),
        )
        self.files.rows["clients"].append(",".join(values) + "\n")

    def coverages(self, client: Client) -> None:
        """Verified at the start and every year; for some nobody looked again, or ever."""
        days, random = self.days, self.rng.random
        for coverage in client.coverages:
            since = max(client.admitted, coverage.first)
            verified = days.at(since + int(random() * 4), 900 + int(random() * 120))
            until = min(days.until, days.at(min(client.ended, coverage.last, days.today), 600))
            while random() < 0.9 and verified + YEAR * DAY < until:
                verified += (YEAR - int(random() * 20)) * DAY
            values = (
                coverage.id,
                client.id,
                str(coverage.rank),
                coverage.payer.id,
                cell(coverage.payer.name),
                f"M{client.number:07d}{'ABC'[client.coverages.index(coverage)]}",
                f"GR-{client.number % 97:03d}" if client.number % 3 else "",
                days.dates[coverage.first],
                days.dates[coverage.last] if coverage.last != NEVER else "",
                days.stamp_if(verified) if random() < 0.95 else "",
            )
            self.files.rows["coverages"].append(",".join(values) + "\n")

    def consents(self, client: Client, name: str, guardian: str) -> None:
        random, days = self.rng.random, self.days
        signer = guardian or name
        first = min(
            max(client.asked + 30, days.waking(client.asked + int(random() * 3 * DAY))), client.first_visit - 10
        )
        if client.first_visit == NEVER and random() < 0.5:
            return
        last = days.at(min(client.ended, days.today + 1), 0)
        self.yearly(client, "INFORMED_TREATMENT", signer, first, last, 0.012)
        self.sign(client, "CONFIDENTIALITY", signer, first)
        if random() < 0.9:
            self.sign(client, "DATA_PROCESSING", signer, first, 0.006)
        if guardian:
            grown_up = days.at(client.born + 6575, 0)
            self.yearly(client, "GUARDIAN", guardian, first + 1, min(last, grown_up), 0.03)
        if client.first_telehealth != NEVER and random() < 0.985:
            start = max(client.asked, min(first + 2, client.first_telehealth - 60))
            self.yearly(client, "TELEHEALTH", signer, start, last, 0.015)

    def yearly(self, client: Client, kind: str, signer: str, first: int, last: int, lapses: float) -> None:
        """A consent and its renewals; some are late, some never come."""
        random = self.rng.random
        at = first
        while at < last or at == first:
            self.sign(client, kind, signer, at, 0.004)
            r = random()
            if r < lapses / 3:
                return
            at += (YEAR + 3 + int(random() * 50) if r < lapses else YEAR - 2 - int(random() * 25)) * DAY

    def sign(self, client: Client, kind: str, signer: str, at: int, revoked: float = 0.0) -> None:
        days, random = self.days, self.rng.random
        if at > days.until:
            return
        expires = days.dates[days.local_day(at) + YEAR] if random() < 0.25 else ""
        ends = days.stamp_if(at + (20 + int(random() * 300)) * DAY) if random() < revoked else ""
        self.files.add("consents", client.id, kind, days.stamp(at), cell(signer), expires, ends)

    def plan(self, client: Client) -> None:
        """The treatment plan: effective soon after the first visit, reviewed about every ninety days."""
        random, days = self.rng.random, self.days
        if client.first_visit == NEVER:
            return
        day = days.local_day(client.first_visit) + int(random() * 20)
        last = min(days.today - 1, client.ended)
        begun = False
        while day <= last:
            clinician = client.clinician_on(day)
            if clinician is None:
                return
            created = days.stamp(days.at(day, 960 + int(random() * 120)))
            self.files.add("treatment_plan_reviews", client.id, clinician.id, days.dates[day], created)
            if not begun or random() < 0.25:
                text = cell(pick(self.rng, texts.PLAN))
                self.notes.write("TREATMENT_PLAN", client.id, clinician, day, text)
            begun = True
            day += 95 + int(random() * 50) if random() < clinician.overdue else 74 + int(random() * 16)

    def safety(self, client: Client) -> None:
        if client.risk_since == NEVER or self.rng.random() < 0.05:
            return
        day = client.risk_since + int(self.rng.random() * 6)
        last = min(self.days.today - 1, client.ended, client.risk_until)
        while day <= last:
            clinician = client.clinician_on(day)
            if clinician is None:
                return
            text = cell(pick(self.rng, texts.SAFETY))
            self.notes.write("SAFETY_PLAN", client.id, clinician, day, text)
            day += 330 + int(self.rng.random() * 30)

    def end(self, client: Client) -> None:
        clinician = client.clinician_on(client.ended)
        if client.end_reason == "DISCHARGED" and clinician and self.rng.random() < 0.93:
            day = client.ended + int(self.rng.random() * 9)
            text = cell(pick(self.rng, texts.DISCHARGE))
            self.notes.write("DISCHARGE_SUMMARY", client.id, clinician, day, text)

    def calls(self, client: Client) -> None:
        """Now and then a telephone call is written down, which belongs to no visit."""
        if client.first_visit == NEVER or self.rng.random() > 0.04:
            return
        day = self.days.local_day(client.first_visit) + 3
        clinician = client.clinician_on(day)
        if clinician and day < min(client.ended, self.days.today):
            on = to_date(day).strftime("%d")
            self.notes.write(
                "PROGRESS_NOTE", client.id, clinician, day, cell(f"Call on the {on}, 10 minutes, as agreed.")
            )
