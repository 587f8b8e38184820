"""Client records: personal data, coverages, consents, plan reviews, plans and summaries.

They are written at the end, when the length of treatment is known.
"""

from random import Random

from ingest.synthetic import names, texts
from ingest.synthetic.days import DAY, NEVER, Days, to_date
from ingest.synthetic.files import AMOUNTS, Files, format_boolean, quote_cell
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


class ClientDocuments:
    """Writes the records of clients."""

    def __init__(self, rng: Random, days: Days, files: Files, notes: Notes) -> None:
        self.rng, self.days, self.files, self.notes = rng, days, files, notes

    def write(self, client: Client) -> None:
        """Write everything that belongs to one client."""
        if client.ended_on > self.days.today:
            client.ended_on, client.end_reason = NEVER, ""
        first, last = names.make_name(self.rng)
        if client.risk_since > min(self.days.today, client.ended_on):
            client.risk_since = client.risk_until = NEVER
        is_minor = client.is_minor_on(client.admitted_on)
        is_emancipated = is_minor and client.admitted_on - client.born_on > 16 * YEAR and self.rng.random() < 0.1
        guardian = names.make_full_name(self.rng, last) if is_minor and not is_emancipated else ""
        self.write_client(client, first, last, guardian, is_emancipated)
        self.write_coverages(client)
        self.write_consents(client, f"{first} {last}", guardian)
        self.write_plan_reviews(client)
        self.write_safety_plans(client)
        self.write_discharge_summary(client)
        self.write_call_note(client)

    def write_client(self, client: Client, first: str, last: str, guardian: str, is_emancipated: bool) -> None:
        rng, dates = self.rng, self.days.dates
        random = rng.random
        street, town, state, zip_code = names.make_address(rng)
        missing_field = pick(rng, ("phone", "street", "contact")) if random() < 0.03 else ""
        email = names.make_email(first, last, client.number) if random() < 0.9 else ""
        contact = guardian or names.make_full_name(rng)
        clinician = client.clinicians[-1][1].id if client.clinicians else ""
        values = (
            client.id,
            quote_cell(first),
            quote_cell(last),
            dates[client.born_on],
            pick(rng, ("F", "F", "F", "M", "M", "X", "")),
            email,
            "" if missing_field == "phone" else names.make_phone(rng),
            "" if missing_field == "street" else quote_cell(street),
            quote_cell(town),
            state,
            zip_code,
            "" if missing_field == "contact" else quote_cell(contact),
            "" if missing_field == "contact" else names.make_phone(rng),
            format_boolean(client.is_self_pay),
            format_boolean(is_emancipated),
            quote_cell(guardian),
            names.make_phone(rng) if guardian else "",
            names.make_email(guardian.split()[0], last, client.number) if guardian and random() < 0.7 else "",
            quote_cell(f"Dr. {names.make_full_name(rng)}") if random() < 0.35 else "",
            quote_cell(pick(rng, MEDICAL)) if random() < 0.25 else "",
            dates[client.risk_since] if client.risk_since != NEVER else "",
            dates[client.risk_until] if client.risk_until < self.days.today else "",
            clinician,
            dates[client.admitted_on],
            dates[client.ended_on] if client.ended_on != NEVER else "",
            client.end_reason,
            self.days.format_if_past(client.portal_activated_at),
        )
        self.files.rows["clients"].append(",".join(values) + "\n")

    def write_coverages(self, client: Client) -> None:
        """Write coverages, verified at the start and yearly. Some verifications are missing."""
        days, random = self.days, self.rng.random
        for coverage in client.coverages:
            start = max(client.admitted_on, coverage.first_day)
            verified_at = days.to_instant(start + int(random() * 4), 900 + int(random() * 120))
            until = min(days.until, days.to_instant(min(client.ended_on, coverage.last_day, days.today), 600))
            while random() < 0.9 and verified_at + YEAR * DAY < until:
                verified_at += (YEAR - int(random() * 20)) * DAY
            values = (
                coverage.id,
                client.id,
                str(coverage.rank),
                coverage.payer.id,
                quote_cell(coverage.payer.name),
                f"M{client.number:07d}{'ABC'[client.coverages.index(coverage)]}",
                f"GR-{client.number % 97:03d}" if client.number % 3 else "",
                days.dates[coverage.first_day],
                days.dates[coverage.last_day] if coverage.last_day != NEVER else "",
                days.format_if_past(verified_at) if random() < 0.95 else "",
                AMOUNTS[coverage.copay],
            )
            self.files.rows["coverages"].append(",".join(values) + "\n")

    def write_consents(self, client: Client, name: str, guardian: str) -> None:
        """Write the consents that the client needs. A few are missing, late or revoked."""
        random, days = self.rng.random, self.days
        signer = guardian or name
        first = min(
            max(client.called_at + 30, days.shift_to_daytime(client.called_at + int(random() * 3 * DAY))),
            client.first_visit_at - 10,
        )
        if client.first_visit_at == NEVER and random() < 0.5:
            return
        last = days.to_instant(min(client.ended_on, days.today + 1), 0)
        self.write_renewals(client, "INFORMED_TREATMENT", signer, first, last, 0.012)
        self.write_consent(client, "CONFIDENTIALITY", signer, first)
        if random() < 0.9:
            self.write_consent(client, "DATA_PROCESSING", signer, first, 0.006)
        if guardian:
            adult_at = days.to_instant(client.born_on + 6575, 0)
            self.write_renewals(client, "GUARDIAN", guardian, first + 1, min(last, adult_at), 0.03)
        if client.first_telehealth_at != NEVER and random() < 0.985:
            start = max(client.called_at, min(first + 2, client.first_telehealth_at - 60))
            self.write_renewals(client, "TELEHEALTH", signer, start, last, 0.015)

    def write_renewals(self, client: Client, kind: str, signer: str, first: int, last: int, lapse_rate: float) -> None:
        """Write a consent and its yearly renewals. Some are late or missing."""
        random = self.rng.random
        signed_at = first
        while signed_at < last or signed_at == first:
            self.write_consent(client, kind, signer, signed_at, 0.004)
            r = random()
            if r < lapse_rate / 3:
                return
            signed_at += (YEAR + 3 + int(random() * 50) if r < lapse_rate else YEAR - 2 - int(random() * 25)) * DAY

    def write_consent(
        self, client: Client, kind: str, signer: str, signed_at: int, revocation_rate: float = 0.0
    ) -> None:
        days, random = self.days, self.rng.random
        if signed_at > days.until:
            return
        expires = days.dates[days.to_local_day(signed_at) + YEAR] if random() < 0.25 else ""
        revoked_at = (
            days.format_if_past(signed_at + (20 + int(random() * 300)) * DAY) if random() < revocation_rate else ""
        )
        self.files.add_row(
            "consents", client.id, kind, days.format_instant(signed_at), quote_cell(signer), expires, revoked_at
        )

    def write_plan_reviews(self, client: Client) -> None:
        """Write a treatment plan soon after the first visit, and its reviews about every ninety days."""
        random, days = self.rng.random, self.days
        if client.first_visit_at == NEVER:
            return
        day = days.to_local_day(client.first_visit_at) + int(random() * 20)
        last = min(days.today - 1, client.ended_on)
        has_plan = False
        while day <= last:
            clinician = client.get_clinician_on(day)
            if clinician is None:
                return
            created = days.format_instant(days.to_instant(day, 960 + int(random() * 120)))
            self.files.add_row("treatment_plan_reviews", client.id, clinician.id, days.dates[day], created)
            if not has_plan or random() < 0.25:
                text = quote_cell(pick(self.rng, texts.TREATMENT_PLANS))
                self.notes.write_note("TREATMENT_PLAN", client.id, clinician, day, text)
            has_plan = True
            day += 95 + int(random() * 50) if random() < clinician.overdue_rate else 74 + int(random() * 16)

    def write_safety_plans(self, client: Client) -> None:
        if client.risk_since == NEVER or self.rng.random() < 0.05:
            return
        day = client.risk_since + int(self.rng.random() * 6)
        last = min(self.days.today - 1, client.ended_on, client.risk_until)
        while day <= last:
            clinician = client.get_clinician_on(day)
            if clinician is None:
                return
            text = quote_cell(pick(self.rng, texts.SAFETY_PLANS))
            self.notes.write_note("SAFETY_PLAN", client.id, clinician, day, text)
            day += 330 + int(self.rng.random() * 30)

    def write_discharge_summary(self, client: Client) -> None:
        clinician = client.get_clinician_on(client.ended_on)
        if client.end_reason == "DISCHARGED" and clinician and self.rng.random() < 0.93:
            day = client.ended_on + int(self.rng.random() * 9)
            text = quote_cell(pick(self.rng, texts.DISCHARGE_SUMMARIES))
            self.notes.write_note("DISCHARGE_SUMMARY", client.id, clinician, day, text)

    def write_call_note(self, client: Client) -> None:
        """Write a note about a telephone call for some clients. It belongs to no visit."""
        if client.first_visit_at == NEVER or self.rng.random() > 0.04:
            return
        day = self.days.to_local_day(client.first_visit_at) + 3
        clinician = client.get_clinician_on(day)
        if clinician and day < min(client.ended_on, self.days.today):
            day_of_month = to_date(day).strftime("%d")
            self.notes.write_note(
                "PROGRESS_NOTE",
                client.id,
                clinician,
                day,
                quote_cell(f"Call on the {day_of_month}, 10 minutes, as agreed."),
            )
