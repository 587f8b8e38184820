"""How the schedule says no."""

from practice.errors import Refusal


class SlotTaken(Refusal):
    code = "SLOT_TAKEN"
