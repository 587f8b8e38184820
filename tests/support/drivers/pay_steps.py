"""Where a run of the pay state machine begins, and what its steps choose from."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.drivers.booking import DAY, HOUR, MINUTE, SECOND
from tests.support.harness.steps import Steps
from tests.support.oracles.pay_oracle import WEEK

# Each is a few weeks before a clock change, in spring or autumn.
BEGINNINGS = [
    ("America/New_York", datetime(2026, 2, 20, 17, tzinfo=UTC)),
    ("America/Denver", datetime(2026, 10, 16, 16, tzinfo=UTC)),
    ("Pacific/Auckland", datetime(2026, 3, 18, 22, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 16, 16, tzinfo=UTC)),
]

# The values of the steps' parameters, by parameter name.
CHOICES: dict[str, Any] = {
    "clinician": [0, 0, 1, 1, 2],
    "client": [0, 1],
    "code": ["TALK", "TALK", "FIRST", "CIRCLE"],
    "ago": ["Saturday night", "Sunday morning", -1, 0, 0, 1, 1, 2, 4, 5, 6, 9, 20],  # days
    "recently": [0, 0, 1, 1, 2, 3, "Saturday night", "Sunday morning"],
    "lag": [0, 0, 1, 4, 6, 12],
    "seats": [1, 2, 3],
    "number": range(1000),  # selects one of the existing sessions or notes
    "delta": [MINUTE, 3 * HOUR, 12 * HOUR, DAY, DAY, 2 * DAY, 4 * DAY, WEEK, 16 * DAY],
    "offset": [-SECOND, timedelta(0), timedelta(0), SECOND],
    "cents": [0, 4999, 6001, 7500, 10007],
    "multiplier": ["0", "1", "1.1", "1.33", "2"],
    "kind": ["INDIVIDUAL", "GROUP", "INTAKE"],
    "days": [-45, -20, -20, -8, -8, -3, 0, 2, 9],  # days from now
    "minutes": [30, 45, 50, 60, 90],
    "shift": [-1, 0, 0, 0, 1],  # weeks
    "step": [
        *("complete", "sign", "void", "reverse", "set_rate", "set_multiplier"),
        *("restore", "take_back", "strike"),
    ],
    "hours_late": [1, 3, 20],  # hours
    "hours_back": [1, 5, 26, 100, 300, 700],  # hours
    **dict.fromkeys(("with_completion", "signed", "at_cut_off", "own", "always", "other_kind"), (False, True)),
}
WEIGHTS = {
    "add_signed_session": 12,
    "add_appointment": 4,
    "add_group": 4,
    "complete": 8,
    "sign": 6,
    "cosign": 5,
    "unlock": 3,
    "import_session": 2,
    "pass_time": 3,
    "pass_to_cut_off": 3,
    "close_next_week": 10,
    "set_rate": 5,
    "set_multiplier": 3,
    "void": 2,
    "reverse": 3,
    "restore": 3,
    "take_back": 3,
    "strike": 2,
    "preview_and_remember": 3,
    "preview_earlier_instant": 4,
    "run_late": 6,
    "sign_at_cut_off": 3,
    "reverse_group": 3,
    "open_week": 4,
}
steps = Steps(CHOICES, WEIGHTS)
