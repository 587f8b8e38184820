"""Who asks for help, who waits, and who is given which place in the week."""

from random import Random

from ingest.synthetic.clients import new_client
from ingest.synthetic.days import NEVER, Days, asking
from ingest.synthetic.files import Files
from ingest.synthetic.model import TURNS, Cell, Client, Clinician
from ingest.synthetic.size import Size

GIVES_UP_AFTER = 84  # days
TRIES = 12
UNITS_PER_CLIENT = 2.7  # of the four turns of a cell, on average


class Waiting:
    def __init__(
        self, size: Size, rng: Random, clinicians: list[Clinician], first: int, days: Days, files: Files
    ) -> None:
        self.rng, self.days, self.files = rng, days, files
        self.clients: list[Client] = []
        self.waiting: list[Client] = []
        self.to_evaluate: list[Client] = []
        self.therapy = [cell for one in clinicians if not one.prescriber for cell in one.cells if cell.members is None]
        medical = [cell for one in clinicians for cell in one.cells if one.prescriber]
        self.visits = [cell for cell in medical if cell.minutes == 30]
        self.evaluations = [cell for cell in medical if cell.minutes == 60]
        here = [cell for cell in self.therapy if cell.first <= first < cell.last]
        served = max(1.0, len(here) * TURNS * 0.9 / UNITS_PER_CLIENT)
        self.share_medical = len(self.visits) / max(1, len(self.visits) + len(self.therapy))
        before = int(min(served * 0.95, size.clients * 0.7))
        self.fill(before, here, first)
        self.weeks = list(range(first, self.days.today + 1, 7))
        self.arrivals = spread(size.clients - len(self.clients), [asking(day) for day in self.weeks])
        self.mean_arrivals = max(0.2, (size.clients - before) / len(self.weeks))
        self.pace = self.mean_pace = self.first_pace = self.mean_arrivals / served
        """How likely a client's treatment ends in a week, so that as many go as come."""

    def add(self, asked: int) -> Client:
        client = new_client(self.rng, len(self.clients) + 1, asked, self.days, self.files)
        self.clients.append(client)
        return client

    def fill(self, many: int, cells: list[Cell], first: int) -> None:
        """Those who were clients before the record begins, the longest first."""
        ago = sorted((int(self.rng.random() ** 2 * 700) + 8 for _ in range(many)), reverse=True)
        open_cells = list(cells)
        for back in ago:
            client = self.add(self.days.at(first - back, 600 + int(self.rng.random() * 400)))
            client.seen = client.asked
            client.first_visit = self.days.at(first - back + 3, 600)
            client.visits = back // (7 * client.period)
            if not open_cells or not self.seat(client, open_cells, first, new=False):
                self.waiting.append(client)
                continue
            clinician = client.clinicians[-1][1]
            if client.admitted < clinician.hired:
                client.clinicians.insert(0, (client.admitted - 1, clinician.supervisor or clinician))

    def arrive(self, week: int) -> None:
        """Those who ask during a week; they are placed from the next one on."""
        last = min(self.weeks[week] + 6, self.days.today)
        for _ in range(self.arrivals[week]):
            day = self.weeks[week] + int(self.rng.random() * (last - self.weeks[week] + 1))
            asked = self.days.at(day, 480 + int(self.rng.random() * 700))
            client = self.add(min(asked, self.days.until))
            if self.visits and self.rng.random() < self.share_medical and self.seat_medical(client, day):
                continue
            self.waiting.append(client)

    def place(self, week: int, sunday: int) -> None:
        here = [cell for cell in self.therapy if cell.first <= sunday < cell.last - 42]
        open_cells = [cell for cell in here if None in cell.owners]
        self.keep_pace(sum(cell.turns_free for cell in open_cells) / max(1, TURNS * len(here)))
        still = []
        for client in self.waiting:
            if client.ended != NEVER or (open_cells and self.seat(client, open_cells, sunday)):
                continue
            if sunday - max(client.admitted, client.clinicians[-1][0] if client.clinicians else 0) > GIVES_UP_AFTER:
                client.end(sunday, "INACTIVE")
            else:
                still.append(client)
                client.period = min(TURNS, client.period * 2)  # rather seldom than not at all
        self.waiting = still
        self.evaluate(week, sunday)

    def keep_pace(self, free: float) -> None:
        """Treatments end sooner where many wait, and last longer where much is free."""
        queue = len(self.waiting) / self.mean_arrivals
        if queue > 2 or (queue > 1 and free < 0.1):
            self.mean_pace = min(self.mean_pace * 1.03, self.first_pace * 5)
        elif free > 0.1:
            self.mean_pace = max(self.mean_pace * 0.97, self.first_pace / 5)
        self.pace = self.mean_pace * (1 + 0.4 * max(0.0, queue - 1))

    def seat(self, client: Client, open_cells: list[Cell], day: int, new: bool = True) -> bool:
        """A free cell whose weekday and turns suit; for a first visit it is long enough."""
        for _ in range(TRIES):
            at = int(self.rng.random() * len(open_cells))
            cell = open_cells[at]
            if client.taken >> cell.weekday & 1 or (cell.minutes < 45 and new) or (client.family and cell.minutes < 60):
                continue
            turns = self.turns(cell, client.period)
            if turns is None:
                continue
            client.own(cell, turns)
            client.clinicians.append((day, cell.clinician))
            if None not in cell.owners:
                open_cells[at] = open_cells[-1]
                open_cells.pop()
            return True
        return False

    def turns(self, cell: Cell, period: int) -> list[int] | None:
        offset = int(self.rng.random() * period)
        for shift in range(period):
            turns = list(range((offset + shift) % period, TURNS, period))
            if all(cell.owners[turn] is None for turn in turns):
                return turns
        return None

    def seat_medical(self, client: Client, day: int) -> bool:
        """A place with a prescriber every four weeks, after an evaluation."""
        for _ in range(TRIES):
            cell = self.visits[int(self.rng.random() * len(self.visits))]
            turns = self.turns(cell, TURNS)
            if turns and not client.taken >> cell.weekday & 1 and cell.first <= day < cell.last - 42:
                client.own(cell, turns)
                client.prescriber_cell = cell
                client.tries = 0
                self.to_evaluate.append(client)
                if not client.clinicians:
                    client.clinicians.append((day, cell.clinician))
                return True
        return False

    def evaluate(self, week: int, sunday: int) -> None:
        """A long cell of the prescriber this week for those who have not been evaluated."""
        still = []
        for client in self.to_evaluate:
            own = client.prescriber_cell
            if client.evaluated or own is None or own not in client.cells:
                continue
            client.tries += 1
            if client.tries > 16:
                client.leave(own)
                client.prescriber_cell = None
                if not client.cells and client.seen == NEVER:
                    client.end(sunday, "INACTIVE")
                continue
            still.append(client)
            if client.moved_week == week:
                continue
            for cell in self.evaluations:
                if (
                    cell.clinician is own.clinician
                    and cell.guest_week != week
                    and cell.first <= sunday < cell.last - 7
                    and (cell.weekday == own.weekday or not client.taken >> cell.weekday & 1)
                ):
                    cell.guest, cell.guest_week = client, week
                    client.moved_week = week
                    break
        self.to_evaluate = still

    def release(self, sunday: int, clinicians: list[Clinician]) -> None:
        """Clients of hours that are no more look for another place."""
        for clinician in clinicians:
            for cell in clinician.cells:
                if not sunday - 7 < cell.last <= sunday:
                    continue
                everyone = [*cell.owners, *(cell.members or ())]
                for client in dict.fromkeys(owner for owner in everyone if owner is not None):
                    client.leave(cell)
                    if client.prescriber_cell is cell:
                        client.prescriber_cell = None
                    if not client.cells or (cell.members is None and not clinician.prescriber):
                        self.waiting.append(client)


def spread(total: int, weights: list[float]) -> list[int]:
    """A total over weeks by their weights, to the last one."""
    whole, done, so_far, parts = sum(weights), 0, 0.0, []
    for weight in weights:
        so_far += weight
        until_now = round(total * so_far / whole)
        parts.append(until_now - done)
        done = until_now
    return parts
