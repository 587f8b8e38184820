"""New clients: their arrival, the waiting list, and the weekly slots they are assigned."""

from random import Random

from ingest.synthetic.clients import create_client
from ingest.synthetic.days import NEVER, Days, get_referral_rate
from ingest.synthetic.files import Files
from ingest.synthetic.model import WEEKS_PER_ROUND, Client, Clinician, Slot
from ingest.synthetic.size import Size

MAX_WAIT_DAYS = 84
MAX_ATTEMPTS = 12
WEEKS_PER_CLIENT = 2.7  # of the four of a slot, on average


class Referrals:
    """The clients who ask for treatment, and the slots that are free for them."""

    def __init__(
        self, size: Size, rng: Random, clinicians: list[Clinician], first: int, days: Days, files: Files
    ) -> None:
        self.rng, self.days, self.files = rng, days, files
        self.clients: list[Client] = []
        self.waiting: list[Client] = []
        self.to_evaluate: list[Client] = []
        self.therapy_slots = [
            slot
            for clinician in clinicians
            if not clinician.is_prescriber
            for slot in clinician.slots
            if slot.members is None
        ]
        prescriber_slots = [slot for clinician in clinicians if clinician.is_prescriber for slot in clinician.slots]
        self.medication_slots = [slot for slot in prescriber_slots if slot.minutes == 30]
        self.evaluation_slots = [slot for slot in prescriber_slots if slot.minutes == 60]
        current_slots = [slot for slot in self.therapy_slots if slot.first_day <= first < slot.end_day]
        capacity = max(1.0, len(current_slots) * WEEKS_PER_ROUND * 0.9 / WEEKS_PER_CLIENT)
        self.medical_share = len(self.medication_slots) / max(1, len(self.medication_slots) + len(self.therapy_slots))
        existing = int(min(capacity * 0.95, size.clients * 0.7))
        self.add_existing_clients(existing, current_slots, first)
        self.weeks = list(range(first, self.days.today + 1, 7))
        self.arrivals = distribute(size.clients - len(self.clients), [get_referral_rate(day) for day in self.weeks])
        self.mean_arrivals = max(0.2, (size.clients - existing) / len(self.weeks))
        # the chance that a treatment ends in a week, so that as many clients leave as arrive
        self.pace = self.mean_pace = self.first_pace = self.mean_arrivals / capacity

    def add_client(self, called_at: int) -> Client:
        client = create_client(self.rng, len(self.clients) + 1, called_at, self.days, self.files)
        self.clients.append(client)
        return client

    def add_existing_clients(self, count: int, slots: list[Slot], first: int) -> None:
        """Add those who were clients before the record begins, the longest first."""
        days_before = sorted((int(self.rng.random() ** 2 * 700) + 8 for _ in range(count)), reverse=True)
        open_slots = list(slots)
        for days_ago in days_before:
            client = self.add_client(self.days.to_instant(first - days_ago, 600 + int(self.rng.random() * 400)))
            client.first_seen_at = client.called_at
            client.first_visit_at = self.days.to_instant(first - days_ago + 3, 600)
            client.visits = days_ago // (7 * client.weeks_between)
            if not open_slots or not self.assign_slot(client, open_slots, first, new=False):
                self.waiting.append(client)
                continue
            clinician = client.clinicians[-1][1]
            if client.admitted_on < clinician.hired_on:
                client.clinicians.insert(0, (client.admitted_on - 1, clinician.supervisor or clinician))

    def add_referrals(self, week: int) -> None:
        """Add the clients who call during a week. They are placed from the next week on."""
        last_day = min(self.weeks[week] + 6, self.days.today)
        for _ in range(self.arrivals[week]):
            day = self.weeks[week] + int(self.rng.random() * (last_day - self.weeks[week] + 1))
            called_at = self.days.to_instant(day, 480 + int(self.rng.random() * 700))
            client = self.add_client(min(called_at, self.days.until))
            if (
                self.medication_slots
                and self.rng.random() < self.medical_share
                and self.assign_prescriber_slot(client, day)
            ):
                continue
            self.waiting.append(client)

    def place_waiting(self, week: int, sunday: int) -> None:
        """Assign free slots to waiting clients, and end the wait of those who have waited too long."""
        current_slots = [slot for slot in self.therapy_slots if slot.first_day <= sunday < slot.end_day - 42]
        open_slots = [slot for slot in current_slots if None in slot.owners]
        self.adjust_pace(
            sum(slot.count_free_weeks() for slot in open_slots) / max(1, WEEKS_PER_ROUND * len(current_slots))
        )
        still_waiting = []
        for client in self.waiting:
            if client.ended_on != NEVER or (open_slots and self.assign_slot(client, open_slots, sunday)):
                continue
            if sunday - max(client.admitted_on, client.clinicians[-1][0] if client.clinicians else 0) > MAX_WAIT_DAYS:
                client.end(sunday, "INACTIVE")
            else:
                still_waiting.append(client)
                client.weeks_between = min(WEEKS_PER_ROUND, client.weeks_between * 2)  # seldom is better than never
        self.waiting = still_waiting
        self.schedule_evaluations(week, sunday)

    def adjust_pace(self, free: float) -> None:
        """Make treatments shorter while many clients wait, and longer while many slots are free."""
        queue = len(self.waiting) / self.mean_arrivals
        if queue > 2 or (queue > 1 and free < 0.1):
            self.mean_pace = min(self.mean_pace * 1.03, self.first_pace * 5)
        elif free > 0.1:
            self.mean_pace = max(self.mean_pace * 0.97, self.first_pace / 5)
        # the chance that a treatment ends in a week, so that as many clients leave as arrive
        self.pace = self.mean_pace * (1 + 0.4 * max(0.0, queue - 1))

    def assign_slot(self, client: Client, open_slots: list[Slot], day: int, new: bool = True) -> bool:
        """Assign a random free slot that fits, and return whether there is one. First visits need 45 minutes."""
        for _ in range(MAX_ATTEMPTS):
            index = int(self.rng.random() * len(open_slots))
            slot = open_slots[index]
            if (
                client.taken_weekdays >> slot.weekday & 1
                or (slot.minutes < 45 and new)
                or (client.is_family and slot.minutes < 60)
            ):
                continue
            weeks = self.find_free_weeks(slot, client.weeks_between)
            if weeks is None:
                continue
            client.take_turns(slot, weeks)
            client.clinicians.append((day, slot.clinician))
            if None not in slot.owners:
                open_slots[index] = open_slots[-1]
                open_slots.pop()
            return True
        return False

    def find_free_weeks(self, slot: Slot, period: int) -> list[int] | None:
        """Return free weeks of a slot at the given interval, or None."""
        offset = int(self.rng.random() * period)
        for shift in range(period):
            weeks = list(range((offset + shift) % period, WEEKS_PER_ROUND, period))
            if all(slot.owners[week] is None for week in weeks):
                return weeks
        return None

    def assign_prescriber_slot(self, client: Client, day: int) -> bool:
        """Assign a prescriber's slot every four weeks, and return whether one was free. An evaluation comes first."""
        for _ in range(MAX_ATTEMPTS):
            slot = self.medication_slots[int(self.rng.random() * len(self.medication_slots))]
            weeks = self.find_free_weeks(slot, WEEKS_PER_ROUND)
            if weeks and not client.taken_weekdays >> slot.weekday & 1 and slot.first_day <= day < slot.end_day - 42:
                client.take_turns(slot, weeks)
                client.prescriber_slot = slot
                client.evaluation_attempts = 0
                self.to_evaluate.append(client)
                if not client.clinicians:
                    client.clinicians.append((day, slot.clinician))
                return True
        return False

    def schedule_evaluations(self, week: int, sunday: int) -> None:
        """Give clients who wait for an evaluation a long slot of their prescriber this week."""
        still_waiting = []
        for client in self.to_evaluate:
            medication_slot = client.prescriber_slot
            if client.is_evaluated or medication_slot is None or medication_slot not in client.slots:
                continue
            client.evaluation_attempts += 1
            if client.evaluation_attempts > 16:
                client.leave(medication_slot)
                client.prescriber_slot = None
                if not client.slots and client.first_seen_at == NEVER:
                    client.end(sunday, "INACTIVE")
                continue
            still_waiting.append(client)
            if client.moved_week == week:
                continue
            for slot in self.evaluation_slots:
                if (
                    slot.clinician is medication_slot.clinician
                    and slot.guest_week != week
                    and slot.first_day <= sunday < slot.end_day - 7
                    and (slot.weekday == medication_slot.weekday or not client.taken_weekdays >> slot.weekday & 1)
                ):
                    slot.guest, slot.guest_week = client, week
                    client.moved_week = week
                    break
        self.to_evaluate = still_waiting

    def release_clients(self, sunday: int, clinicians: list[Clinician]) -> None:
        """Put the clients of slots that have ended back on the waiting list."""
        for clinician in clinicians:
            for slot in clinician.slots:
                if not sunday - 7 < slot.end_day <= sunday:
                    continue
                owners = [*slot.owners, *(slot.members or ())]
                for client in dict.fromkeys(owner for owner in owners if owner is not None):
                    client.leave(slot)
                    if client.prescriber_slot is slot:
                        client.prescriber_slot = None
                    if not client.slots or (slot.members is None and not clinician.is_prescriber):
                        self.waiting.append(client)


def distribute(total: int, weights: list[float]) -> list[int]:
    """Return the parts of a total in proportion to the weights. They add up to the total."""
    total_weight, distributed, weight_so_far, parts = sum(weights), 0, 0.0, []
    for weight in weights:
        weight_so_far += weight
        target = round(total * weight_so_far / total_weight)
        parts.append(target - distributed)
        distributed = target
    return parts
