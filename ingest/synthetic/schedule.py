"""The weekly schedule: which visits take place, are missed, cancelled or rescheduled, and how open times are used."""

from random import Random

from ingest.synthetic import practice_setup
from ingest.synthetic.days import DAY, NEVER, Days, get_absence_rate
from ingest.synthetic.files import quote_cell
from ingest.synthetic.model import WEEKS_PER_ROUND, Client, Clinician, Slot
from ingest.synthetic.names import pick
from ingest.synthetic.practice_setup import Service
from ingest.synthetic.referrals import Referrals
from ingest.synthetic.visits import Visit, VisitWriter

CANCELLATION_REASONS = tuple(
    quote_cell(reason)
    for reason in (
        "Client ill",
        "Child ill",
        "Work",
        "Car trouble, no bus",
        "Bad weather",
        "Another appointment",
        'Said "not today"',
        "Family emergency",
    )
)
MIN_GROUP, MAX_GROUP = 3, 8


class OpenTime:
    """Time of a slot that nobody uses this week, and since when that is known."""

    __slots__ = ("day", "open_since", "slot", "starts_at")

    def __init__(self, slot: Slot, day: int, starts_at: int, open_since: int) -> None:
        self.slot, self.day, self.starts_at, self.open_since = slot, day, starts_at, open_since


class Schedule:
    """Runs the practice week by week."""

    def __init__(
        self,
        rng: Random,
        days: Days,
        closed: dict[int, str],
        clinicians: list[Clinician],
        referrals: Referrals,
        visits: VisitWriter,
    ) -> None:
        self.rng, self.days, self.closed, self.visits = rng, days, closed, visits
        self.clinicians, self.referrals = clinicians, referrals
        self.groups = 0

    def run_week(self, week: int, sunday: int) -> None:
        """Place waiting clients, and run the week of each clinician."""
        if sunday <= self.days.today + 14:
            self.referrals.release_clients(sunday, self.clinicians)
            self.referrals.place_waiting(week, sunday)
        for clinician in self.clinicians:
            if clinician.hired_on < sunday + 7 and clinician.left_on > sunday:
                self.run_clinician_week(clinician, week, sunday)
        if sunday <= self.days.today:
            self.referrals.add_referrals(week)

    def run_clinician_week(self, clinician: Clinician, week: int, sunday: int) -> None:
        """Run all sessions of a clinician's week, then use the times that are left open."""
        days, closed, absences, week_of_round = self.days, self.closed, clinician.absences, week % WEEKS_PER_ROUND
        open_times: list[OpenTime] = []
        rescheduled: list[tuple[Visit, Slot]] = []
        for slot in clinician.slots:
            day = sunday + slot.weekday
            if not slot.first_day <= day < slot.end_day or day in closed:
                continue
            absence, is_sick = absences.get(day), False
            if absence and absence[0] < slot.start + slot.minutes and slot.start < absence[1]:
                if not absence[2]:
                    continue
                is_sick = True
            starts_at = days.to_instant(day, slot.start)
            if slot.members is not None:
                self.run_group(slot, week, day, starts_at, is_sick)
                continue
            guest = slot.guest_week == week
            client = slot.guest if guest else slot.owners[week_of_round]
            if (
                client is None
                or starts_at < client.called_at + DAY
                or day >= client.ended_on
                or (clinician.is_prescriber and not guest and not client.is_evaluated)
            ):
                if not is_sick:
                    open_times.append(OpenTime(slot, day, starts_at, 0))
                continue
            self.run_session(client, slot, week, day, starts_at, is_sick, open_times, rescheduled)
        for day in range(sunday, sunday + 7):
            open_times += [
                OpenTime(slot, day, days.to_instant(day, slot.start), 0) for slot in clinician.extra_slots.get(day, ())
            ]
        for visit, slot in rescheduled:
            self.reschedule(visit, slot, week, open_times)
        self.add_extra_visits(clinician, week, open_times)

    def run_session(
        self,
        client: Client,
        slot: Slot,
        week: int,
        day: int,
        starts_at: int,
        is_sick: bool,
        open_times: list[OpenTime],
        rescheduled: list[tuple[Visit, Slot]],
    ) -> None:
        """Plan the session of a slot's owner and decide its outcome."""
        random = self.rng.random
        on_holiday = not is_sick and random() < get_absence_rate(day)
        if on_holiday and client.first_seen_at < starts_at and random() < 0.6:
            open_times.append(OpenTime(slot, day, starts_at, 0))
            return
        visit = self.plan_visit(client, slot, week, day, starts_at)
        if on_holiday:
            self.cancel(visit, "Holiday", 2 * DAY + int(random() * 9 * DAY))
        else:
            self.decide_outcome(visit, is_sick)
        if visit.outcome == "MOVED":
            rescheduled.append((visit, slot))
            return
        if visit.outcome == "CANCELLED" and not is_sick:
            open_times.append(OpenTime(slot, day, starts_at, visit.outcome_at))
        self.visits.write(visit)
        if not is_sick and not on_holiday:
            self.apply_outcome(visit, slot)

    def plan_visit(self, client: Client, slot: Slot, week: int, day: int, starts_at: int) -> Visit:
        service = self.choose_service(client, slot, starts_at)
        created_at = self.choose_booking_time(client, slot, week, day, starts_at)
        ends_at = starts_at + service.minutes
        return Visit(
            client,
            slot.clinician,
            service,
            day,
            starts_at,
            ends_at,
            slot.room,
            created_at,
            self.choose_channel(client, created_at),
            is_first=service.kind == "INTAKE",
        )

    def choose_service(self, client: Client, slot: Slot, starts_at: int) -> Service:
        if slot.clinician.is_prescriber:
            return practice_setup.MEDICATION if slot.minutes == 30 else practice_setup.INTAKE_60
        if slot.minutes == 30:
            return practice_setup.INDIVIDUAL_30
        if client.first_seen_at > starts_at:
            return practice_setup.INTAKE_45 if slot.minutes == 45 else practice_setup.INTAKE_60
        if slot.minutes == 45:
            return practice_setup.INDIVIDUAL_45
        if not client.is_family:
            return practice_setup.INDIVIDUAL_60
        return practice_setup.PARENTS if self.rng.random() < 0.15 else practice_setup.FAMILY

    def choose_booking_time(self, client: Client, slot: Slot, week: int, day: int, starts_at: int) -> int:
        """Return when the visit was booked.

        It is booked at an earlier visit, as one of a series, or through the portal some days before.
        """
        random = self.rng.random
        if client.first_seen_at > starts_at or slot.guest_week == week or client.booking_habit == "portal":
            created_at = self.days.shift_to_daytime(starts_at - DAY - int(random() * 12 * DAY))
        else:
            period = WEEKS_PER_ROUND if slot.clinician.is_prescriber else client.weeks_between
            sessions_before = (
                1
                if client.booking_habit == "next"
                else 1 + (week // period + client.number) % (WEEKS_PER_ROUND // period)
            )
            created_at = self.days.to_instant(
                day - 7 * period * sessions_before, slot.start + slot.minutes + 3 + int(random() * 12)
            )
        return created_at if created_at > client.called_at else client.called_at + 5 + int(random() * 50)

    def choose_channel(self, client: Client, created_at: int) -> str:
        r = self.rng.random()
        if r < 0.68 and created_at > client.portal_activated_at:
            return "PORTAL"
        return "FRONT_DESK" if r < 0.85 else "CLINICIAN" if r < 0.98 else "SYNC"

    def decide_outcome(self, visit: Visit, is_sick: bool) -> None:
        """Decide whether the visit is completed, missed, cancelled or moved.

        Clients miss more visits after a missed one.
        """
        client, random = visit.client, self.rng.random
        if is_sick:
            self.cancel(visit, "Clinician ill", 60 + int(random() * 200))
            return
        missed = client.no_show_rate * visit.clinician.no_show_factor * (2.6 if client.missed_in_a_row else 1.0)
        cancels = client.cancellation_rate * (1.4 if client.missed_in_a_row else 1.0)
        if client.visits_until_dropout:
            missed, cancels = 0.5, 0.35
        r = random()
        if r < missed:
            visit.outcome, visit.outcome_at = "NO_SHOW", visit.starts_at + 15 + int(random() * 90)
        elif (r := r - missed) < cancels:
            minutes_ahead = 90 + int(random() * 1_300) if random() < 0.35 else DAY + int(random() * 5 * DAY)
            self.cancel(visit, pick(self.rng, CANCELLATION_REASONS), minutes_ahead)
        elif r - cancels < 0.035:
            visit.outcome = "MOVED"
            visit.outcome_at = self.days.shift_to_daytime(visit.starts_at - DAY - int(random() * 5 * DAY))
        else:
            self.complete(visit)

    def complete(self, visit: Visit) -> None:
        r = self.rng.random()
        visit.outcome = "COMPLETED"
        visit.outcome_at = visit.ends_at + (int(r * 25) if r < 0.93 else 600 + int(r * 800))

    def cancel(self, visit: Visit, reason: str, minutes_ahead: int) -> None:
        visit.outcome, visit.cancellation_reason = "CANCELLED", reason
        instant = visit.starts_at - minutes_ahead
        visit.outcome_at = min(
            max(visit.created_at + 5, self.days.shift_to_daytime(instant) if minutes_ahead >= DAY else instant),
            visit.starts_at,
        )

    def reschedule(self, visit: Visit, slot: Slot, week: int, open_times: list[OpenTime]) -> None:
        """Move the visit to a time of this week that was open by then, or cancel it."""
        client, original_day = visit.client, visit.day
        visit.outcome_at = min(max(visit.created_at + 5, visit.outcome_at), visit.starts_at - 30)
        for index, open_time in enumerate(open_times):
            if (
                open_time.slot.minutes == slot.minutes
                and open_time.slot is not slot
                and open_time.open_since <= visit.outcome_at
                and open_time.starts_at > visit.outcome_at + 120
                and self.can_come(client, open_time, week, original_day)
            ):
                del open_times[index]
                new_visit = Visit(
                    client,
                    visit.clinician,
                    visit.service,
                    open_time.day,
                    open_time.starts_at,
                    open_time.starts_at + visit.service.minutes,
                    open_time.slot.room,
                    visit.outcome_at,
                    visit.booked_via,
                    is_first=visit.is_first,
                )
                if self.rng.random() < 0.07:
                    new_visit.outcome, new_visit.outcome_at = "NO_SHOW", new_visit.starts_at + 20
                else:
                    self.complete(new_visit)
                client.moved_week = week
                visit.rescheduled_to_id = self.visits.write(new_visit)
                visit.outcome = "RESCHEDULED"
                self.visits.write(visit)
                self.apply_outcome(new_visit, slot)
                return
        self.cancel(visit, "No other time found", visit.starts_at - visit.outcome_at)
        self.visits.write(visit)
        self.apply_outcome(visit, slot)

    def can_come(self, client: Client, open_time: OpenTime, week: int, original_day: int | None) -> bool:
        """Return whether the client can come: on a weekday without another slot, and to one extra visit a week."""
        if client.moved_week == week or open_time.day >= client.ended_on:
            return False
        return open_time.day == original_day or not client.taken_weekdays >> open_time.slot.weekday & 1

    def add_extra_visits(self, clinician: Clinician, week: int, open_times: list[OpenTime]) -> None:
        """Give some open times to clients of the same clinician."""
        random = self.rng.random
        for open_time in open_times:
            if clinician.is_prescriber or random() > 0.3:
                continue
            client = pick(self.rng, clinician.slots).owners[week % WEEKS_PER_ROUND]
            if (
                client is None
                or client.first_seen_at > open_time.starts_at
                or client.visits_until_dropout
                or not self.can_come(client, open_time, week, None)
            ):
                continue
            created_at = max(
                open_time.open_since + 20, self.days.shift_to_daytime(open_time.starts_at - int(random() * 6 * DAY))
            )
            if not client.called_at < created_at < open_time.starts_at - 60:
                continue
            service = self.choose_service(client, open_time.slot, open_time.starts_at)
            ends_at = open_time.starts_at + service.minutes
            booked_via = self.choose_channel(client, created_at)
            day, starts_at, room = open_time.day, open_time.starts_at, open_time.slot.room
            visit = Visit(client, clinician, service, day, starts_at, ends_at, room, created_at, booked_via)
            self.complete(visit)
            client.moved_week = week
            self.visits.write(visit)

    def run_group(self, slot: Slot, week: int, day: int, starts_at: int, is_sick: bool) -> None:
        """Run a group session if enough members come, and invite clients who are free on its weekday."""
        members = slot.members if slot.members is not None else []
        random = self.rng.random
        if starts_at <= self.days.until:
            for client in [client for client in members if random() < 0.05]:
                client.leave(slot)
            self.invite(slot, members, week, starts_at)
        present = [client for client in members if day < client.ended_on and random() >= get_absence_rate(day)]
        if len(present) < MIN_GROUP:
            return
        self.groups += 1
        minutes_ahead = 60 + int(random() * 200)
        for client in present:
            created_at = self.choose_booking_time(client, slot, week, day, starts_at)
            visit = Visit(
                client,
                slot.clinician,
                practice_setup.GROUP,
                day,
                starts_at,
                starts_at + 90,
                slot.room,
                created_at,
                self.choose_channel(client, created_at),
                group_id=f"X{self.groups:06d}",
            )
            if is_sick:
                self.cancel(visit, "Clinician ill", minutes_ahead)
            else:
                self.decide_outcome(visit, is_sick=False)
            if visit.outcome == "MOVED":
                self.complete(visit)
            self.visits.write(visit)

    def invite(self, slot: Slot, members: list[Client], week: int, starts_at: int) -> None:
        """Try to add members to a group."""
        for _ in range(3 if len(members) < MAX_GROUP - 2 else 1):
            other_slot = pick(self.rng, pick(self.rng, self.clinicians).slots)
            client = pick(self.rng, other_slot.owners)
            if (
                client is not None
                and len(members) < MAX_GROUP
                and client.first_seen_at < starts_at
                and not client.visits_until_dropout
                and client.moved_week != week
                and not client.taken_weekdays >> slot.weekday & 1
                and all(other_slot.members is None for other_slot in client.slots)
            ):
                members.append(client)
                client.join(slot)

    def apply_outcome(self, visit: Visit, slot: Slot) -> None:
        """Update the client after a visit, which may end the treatment."""
        client, random = visit.client, self.rng.random
        if visit.starts_at > self.days.until:
            return
        if visit.outcome == "COMPLETED":
            self.apply_completed_visit(visit, slot)
            return
        client.missed_in_a_row += 1
        if client.visits_until_dropout:
            client.visits_until_dropout -= 1
            if not client.visits_until_dropout:
                client.end(visit.day + 3 + int(random() * 20), "INACTIVE")
        elif (client.first_seen_at == NEVER and client.missed_in_a_row >= 2) or (
            client.missed_in_a_row >= 3 and random() < 0.4
        ):
            client.end(visit.day + 7, "INACTIVE")

    def apply_completed_visit(self, visit: Visit, slot: Slot) -> None:
        """Update the client after a completed visit: it may end the treatment or lead to a prescriber."""
        client, random = visit.client, self.rng.random
        client.missed_in_a_row = 0
        client.visits += 1
        if slot.clinician.is_prescriber:
            client.is_evaluated = True
        client.first_seen_at = min(client.first_seen_at, visit.ends_at)
        if client.ended_on != NEVER:
            return
        weeks = WEEKS_PER_ROUND if slot.clinician.is_prescriber else client.weeks_between
        if random() < self.referrals.pace * weeks * (2.2 if client.visits < 4 else 0.85):
            if random() < 0.6:
                client.end(visit.day + 1 + int(random() * 6), "DISCHARGED")
            else:
                client.visits_until_dropout = 2
        elif self.referrals.medication_slots and client.prescriber_slot is None and random() < 0.012 * weeks:
            self.referrals.assign_prescriber_slot(client, visit.day)
