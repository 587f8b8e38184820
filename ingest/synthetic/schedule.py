"""Week by week: who comes, who does not, who moves, and what becomes of the time that falls free."""

from random import Random

from ingest.synthetic import practice_setup
from ingest.synthetic.days import DAY, NEVER, Days, away
from ingest.synthetic.files import cell as csv_cell
from ingest.synthetic.model import TURNS, Cell, Client, Clinician
from ingest.synthetic.names import pick
from ingest.synthetic.practice_setup import Service
from ingest.synthetic.referrals import Waiting
from ingest.synthetic.visits import Visit, Visits

REASONS = tuple(
    csv_cell(reason)
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
GROUP_LEAST, GROUP_MOST = 3, 8


class Open:
    """Time of a cell that nobody uses this week, and since when that is known."""

    __slots__ = ("cell", "day", "since", "starts")

    def __init__(self, cell: Cell, day: int, starts: int, since: int) -> None:
        self.cell, self.day, self.starts, self.since = cell, day, starts, since


class Schedule:
    def __init__(
        self,
        rng: Random,
        days: Days,
        closed: dict[int, str],
        clinicians: list[Clinician],
        waiting: Waiting,
        visits: Visits,
    ) -> None:
        self.rng, self.days, self.closed, self.visits = rng, days, closed, visits
        self.clinicians, self.waiting = clinicians, waiting
        self.groups = 0

    def week(self, week: int, sunday: int) -> None:
        if sunday <= self.days.today + 14:
            self.waiting.release(sunday, self.clinicians)
            self.waiting.place(week, sunday)
        for clinician in self.clinicians:
            if clinician.hired < sunday + 7 and clinician.left > sunday:
                self.week_of(clinician, week, sunday)
        if sunday <= self.days.today:
            self.waiting.arrive(week)

    def week_of(self, clinician: Clinician, week: int, sunday: int) -> None:
        days, closed, absences, turn = self.days, self.closed, clinician.away, week % TURNS
        free: list[Open] = []
        moves: list[tuple[Visit, Cell]] = []
        for cell in clinician.cells:
            day = sunday + cell.weekday
            if not cell.first <= day < cell.last or day in closed:
                continue
            absence, sick = absences.get(day), False
            if absence and absence[0] < cell.start + cell.minutes and cell.start < absence[1]:
                if not absence[2]:
                    continue
                sick = True
            starts = days.at(day, cell.start)
            if cell.members is not None:
                self.group(cell, week, day, starts, sick)
                continue
            guest = cell.guest_week == week
            client = cell.guest if guest else cell.owners[turn]
            if (
                client is None
                or starts < client.asked + DAY
                or day >= client.ended
                or (clinician.prescriber and not guest and not client.evaluated)
            ):
                if not sick:
                    free.append(Open(cell, day, starts, 0))
                continue
            self.session(client, cell, week, day, starts, sick, free, moves)
        for day in range(sunday, sunday + 7):
            free += [Open(cell, day, days.at(day, cell.start), 0) for cell in clinician.opened.get(day, ())]
        for visit, cell in moves:
            self.move(visit, cell, week, free)
        self.extras(clinician, week, free)

    def session(
        self,
        client: Client,
        cell: Cell,
        week: int,
        day: int,
        starts: int,
        sick: bool,
        free: list[Open],
        moves: list[tuple[Visit, Cell]],
    ) -> None:
        """What happens in a cell that belongs to somebody this week."""
        random = self.rng.random
        on_holiday = not sick and random() < away(day)
        if on_holiday and client.seen < starts and random() < 0.6:
            free.append(Open(cell, day, starts, 0))
            return
        visit = self.plan(client, cell, week, day, starts)
        if on_holiday:
            self.cancel(visit, "Holiday", 2 * DAY + int(random() * 9 * DAY))
        else:
            self.decide(visit, sick)
        if visit.outcome == "MOVED":
            moves.append((visit, cell))
            return
        if visit.outcome == "CANCELLED" and not sick:
            free.append(Open(cell, day, starts, visit.at))
        self.visits.write(visit)
        if not sick and not on_holiday:
            self.lived(visit, cell)

    def plan(self, client: Client, cell: Cell, week: int, day: int, starts: int) -> Visit:
        service = self.service(client, cell, starts)
        created = self.booked(client, cell, week, day, starts)
        ends = starts + service.minutes
        first = service.kind == "INTAKE"
        return Visit(
            client,
            cell.clinician,
            service,
            day,
            starts,
            ends,
            cell.room,
            created,
            self.via(client, created),
            first=first,
        )

    def service(self, client: Client, cell: Cell, starts: int) -> Service:
        if cell.clinician.prescriber:
            return practice_setup.MEDICATION if cell.minutes == 30 else practice_setup.INTAKE_60
        if cell.minutes == 30:
            return practice_setup.INDIVIDUAL_30
        if client.seen > starts:
            return practice_setup.INTAKE_45 if cell.minutes == 45 else practice_setup.INTAKE_60
        if cell.minutes == 45:
            return practice_setup.INDIVIDUAL_45
        if not client.family:
            return practice_setup.INDIVIDUAL_60
        return practice_setup.PARENTS if self.rng.random() < 0.15 else practice_setup.FAMILY

    def booked(self, client: Client, cell: Cell, week: int, day: int, starts: int) -> int:
        """When the visit was booked: at the last one, in a run of several, or some days before through the portal."""
        random = self.rng.random
        if client.seen > starts or cell.guest_week == week or client.books == "portal":
            created = self.days.waking(starts - DAY - int(random() * 12 * DAY))
        else:
            period = TURNS if cell.clinician.prescriber else client.period
            many = 1 if client.books == "next" else 1 + (week // period + client.number) % (TURNS // period)
            created = self.days.at(day - 7 * period * many, cell.start + cell.minutes + 3 + int(random() * 12))
        return created if created > client.asked else client.asked + 5 + int(random() * 50)

    def via(self, client: Client, created: int) -> str:
        r = self.rng.random()
        if r < 0.68 and created > client.portal:
            return "PORTAL"
        return "FRONT_DESK" if r < 0.85 else "CLINICIAN" if r < 0.98 else "SYNC"

    def decide(self, visit: Visit, sick: bool) -> None:
        """Kept, missed, called off or moved. Those who missed the last one miss the next one more easily."""
        client, random = visit.client, self.rng.random
        if sick:
            self.cancel(visit, "Clinician ill", 60 + int(random() * 200))
            return
        missed = client.no_show * visit.clinician.missed * (2.6 if client.missed else 1.0)
        cancels = client.cancels * (1.4 if client.missed else 1.0)
        if client.stays_away:
            missed, cancels = 0.5, 0.35
        r = random()
        if r < missed:
            visit.outcome, visit.at = "NO_SHOW", visit.starts + 15 + int(random() * 90)
        elif (r := r - missed) < cancels:
            ahead = 90 + int(random() * 1_300) if random() < 0.35 else DAY + int(random() * 5 * DAY)
            self.cancel(visit, pick(self.rng, REASONS), ahead)
        elif r - cancels < 0.035:
            visit.outcome, visit.at = "MOVED", self.days.waking(visit.starts - DAY - int(random() * 5 * DAY))
        else:
            self.keep(visit)

    def keep(self, visit: Visit) -> None:
        r = self.rng.random()
        visit.outcome = "COMPLETED"
        visit.at = visit.ends + (int(r * 25) if r < 0.93 else 600 + int(r * 800))

    def cancel(self, visit: Visit, reason: str, ahead: int) -> None:
        visit.outcome, visit.reason = "CANCELLED", reason
        at = visit.starts - ahead
        visit.at = min(max(visit.created + 5, self.days.waking(at) if ahead >= DAY else at), visit.starts)

    def move(self, visit: Visit, cell: Cell, week: int, free: list[Open]) -> None:
        """To another open time of this week that was known to be open; else the visit is called off."""
        client, old_day = visit.client, visit.day
        visit.at = min(max(visit.created + 5, visit.at), visit.starts - 30)
        for at, other in enumerate(free):
            if (
                other.cell.minutes == cell.minutes
                and other.cell is not cell
                and other.since <= visit.at
                and other.starts > visit.at + 120
                and self.may_come(client, other, week, old_day)
            ):
                del free[at]
                new = Visit(
                    client,
                    visit.clinician,
                    visit.service,
                    other.day,
                    other.starts,
                    other.starts + visit.service.minutes,
                    other.cell.room,
                    visit.at,
                    visit.via,
                    first=visit.first,
                )
                if self.rng.random() < 0.07:
                    new.outcome, new.at = "NO_SHOW", new.starts + 20
                else:
                    self.keep(new)
                client.moved_week = week
                visit.moved_to = self.visits.write(new)
                visit.outcome = "RESCHEDULED"
                self.visits.write(visit)
                self.lived(new, cell)
                return
        self.cancel(visit, "No other time found", visit.starts - visit.at)
        self.visits.write(visit)
        self.lived(visit, cell)

    def may_come(self, client: Client, other: Open, week: int, own_day: int | None) -> bool:
        """Never on a weekday on which the client may be somewhere else, and once a week at most."""
        if client.moved_week == week or other.day >= client.ended:
            return False
        return other.day == own_day or not client.taken >> other.cell.weekday & 1

    def extras(self, clinician: Clinician, week: int, free: list[Open]) -> None:
        """Open time that somebody of the clinician's own takes in addition."""
        random = self.rng.random
        for other in free:
            if clinician.prescriber or random() > 0.3:
                continue
            client = pick(self.rng, clinician.cells).owners[week % TURNS]
            if (
                client is None
                or client.seen > other.starts
                or client.stays_away
                or not self.may_come(client, other, week, None)
            ):
                continue
            created = max(other.since + 20, self.days.waking(other.starts - int(random() * 6 * DAY)))
            if not client.asked < created < other.starts - 60:
                continue
            service = self.service(client, other.cell, other.starts)
            ends = other.starts + service.minutes
            via = self.via(client, created)
            visit = Visit(client, clinician, service, other.day, other.starts, ends, other.cell.room, created, via)
            self.keep(visit)
            client.moved_week = week
            self.visits.write(visit)

    def group(self, cell: Cell, week: int, day: int, starts: int, sick: bool) -> None:
        """A group meets when there are enough; it invites those who are free on its weekday."""
        members = cell.members if cell.members is not None else []
        random = self.rng.random
        if starts <= self.days.until:
            for client in [client for client in members if random() < 0.05]:
                client.leave(cell)
            self.invite(cell, members, week, starts)
        coming = [client for client in members if day < client.ended and random() >= away(day)]
        if len(coming) < GROUP_LEAST:
            return
        self.groups += 1
        ill_at = 60 + int(random() * 200)
        for client in coming:
            created = self.booked(client, cell, week, day, starts)
            visit = Visit(
                client,
                cell.clinician,
                practice_setup.GROUP,
                day,
                starts,
                starts + 90,
                cell.room,
                created,
                self.via(client, created),
                group=f"X{self.groups:06d}",
            )
            if sick:
                self.cancel(visit, "Clinician ill", ill_at)
            else:
                self.decide(visit, sick=False)
            if visit.outcome == "MOVED":
                self.keep(visit)
            self.visits.write(visit)

    def invite(self, cell: Cell, members: list[Client], week: int, starts: int) -> None:
        for _ in range(3 if len(members) < GROUP_MOST - 2 else 1):
            other = pick(self.rng, pick(self.rng, self.clinicians).cells)
            client = pick(self.rng, other.owners)
            if (
                client is not None
                and len(members) < GROUP_MOST
                and client.seen < starts
                and not client.stays_away
                and client.moved_week != week
                and not client.taken >> cell.weekday & 1
                and all(one.members is None for one in client.cells)
            ):
                members.append(client)
                client.join(cell)

    def lived(self, visit: Visit, cell: Cell) -> None:
        """What the visit changes for the client: seen, discouraged, done."""
        client, random = visit.client, self.rng.random
        if visit.starts > self.days.until:
            return
        if visit.outcome == "COMPLETED":
            self.kept(visit, cell)
            return
        client.missed += 1
        if client.stays_away:
            client.stays_away -= 1
            if not client.stays_away:
                client.end(visit.day + 3 + int(random() * 20), "INACTIVE")
        elif (client.seen == NEVER and client.missed >= 2) or (client.missed >= 3 and random() < 0.4):
            client.end(visit.day + 7, "INACTIVE")

    def kept(self, visit: Visit, cell: Cell) -> None:
        client, random = visit.client, self.rng.random
        client.missed = 0
        client.visits += 1
        if cell.clinician.prescriber:
            client.evaluated = True
        client.seen = min(client.seen, visit.ends)
        if client.ended != NEVER:
            return
        weeks = TURNS if cell.clinician.prescriber else client.period
        if random() < self.waiting.pace * weeks * (2.2 if client.visits < 4 else 0.85):
            if random() < 0.6:
                client.end(visit.day + 1 + int(random() * 6), "DISCHARGED")
            else:
                client.stays_away = 2
        elif self.waiting.visits and client.prescriber_cell is None and random() < 0.012 * weeks:
            self.waiting.seat_medical(client, visit.day)
