"""Every problem code with its severity and its message.

An error is structural: its transaction is not sound and should not be posted. A warning is about money or repetition,
and a person decides. Messages carry segment names, counts, amounts and codes, never names or values that could not be
read.
"""

from typing import Any, NamedTuple

# code: (severity, message)
CODES: dict[str, tuple[str, str]] = {
    # nothing is read
    "TOO_LARGE": ("error", "The file has more than {limit:,} bytes. Raise the limit or split the file."),
    "SEGMENT_TOO_LONG": (
        "error",
        "No segment ends within {limit:,} bytes. The file is not an 835, or it is damaged.",
    ),
    "TRANSACTION_TOO_LONG": (
        "error",
        "A transaction, or a gap between two, has more than {limit:,} segments. Raise the limit or split it.",
    ),
    "TOO_MANY_PARTS": ("error", "The file has more than {limit:,} segments and elements. It is damaged."),
    "BAD_ARCHIVE": ("error", "The archive cannot be opened: it is damaged, encrypted or of an unsupported kind."),
    "EMPTY": ("error", "The file is empty."),
    "NOT_X12": ("error", "The file has no interchange: no ISA declares delimiters that can be read."),
    # structure
    "NOT_835": ("error", "The transaction is not a remittance (835) but {transaction_set}. It was not read."),
    "NO_INTERCHANGE": ("error", "The segment is outside any interchange: the ISA before it is missing."),
    "NO_GROUP": ("error", "The transaction is outside any group: the GS before it is missing."),
    "TRUNCATED": ("error", "The file ends too early: {missing} missing."),
    "UNTERMINATED": ("warning", "The last segment has no terminator. The end of the file may be missing."),
    "MISSING_END": ("error", "The {opener} has no {closer} before the next segment of the envelope."),
    "COUNT_DIFFERS": ("error", "{element} declares {declared} {unit}, but there are {actual}."),
    "CONTROL_NUMBER_DIFFERS": ("error", "{element} differs from the control number of the {opener} it closes."),
    "CONTROL_NUMBER_REPEATED": ("error", "The control number in {element} was used before {scope}."),
    "UNKNOWN_SEGMENT": ("error", "The 835 has no such segment. It is stored unchanged."),
    "MISPLACED_SEGMENT": ("error", "{id} is not allowed here: {reason}."),
    "MISSING_SEGMENT": ("error", "The transaction has no {id}."),
    "MISSING_ELEMENT": ("error", "{element} is missing."),
    "BAD_AMOUNT": ("error", "{element} is not an amount of whole cents below ten billion."),
    "BAD_DATE": ("error", "{element} is not a date written CCYYMMDD."),
    "BAD_NUMBER": ("error", "{element} is not a number."),
    "EXTRA_ELEMENT": ("warning", "The segment has more elements than {id} defines. It is stored unchanged."),
    "UNKNOWN_CODE": ("warning", "{element} is not a code of the 835."),
    "MISSING_PATIENT": ("warning", "The claim has no patient: NM1*QC is missing."),
    # money
    "LINE_UNBALANCED": ("warning", "The line's charge less its adjustments is {expected}, but {actual} was paid."),
    "CLAIM_UNBALANCED": ("warning", "The claim's charge less all adjustments is {expected}, but {actual} was paid."),
    "PAYMENT_UNBALANCED": (
        "warning",
        "The claims less the provider adjustments come to {expected}, but BPR02 is {actual}.",
    ),
    "LINES_DIFFER": (
        "warning",
        "The lines were paid {expected} in total, but the claim {actual}, and it has no adjustment of its own.",
    ),
    "INTEREST_DIFFERS": ("warning", "The claims report {expected} of interest, the provider adjustments {actual}."),
    "TOTALS_DIFFER": ("warning", "{element} does not agree with the claims that follow."),
    # repetition
    "CLAIM_REPEATED": (
        "warning",
        "An earlier claim of the transaction has the same numbers, status and amounts.",
    ),
    "PAYMENT_REPEATED": (
        "warning",
        "An earlier payment in the file has the same payer, trace number, amount, date and claims.",
    ),
    "TRACE_REPEATED": (
        "warning",
        "An earlier payment in the file has the same payer and trace number, but different content.",
    ),
}

TRANSACTION_SETS = {
    "270": "an eligibility inquiry (270)",
    "271": "an eligibility response (271)",
    "276": "a claim status request (276)",
    "277": "a claim status response (277)",
    "278": "a services review (278)",
    "820": "a premium payment (820)",
    "834": "an enrollment (834)",
    "837": "a claim (837)",
    "997": "an acknowledgment (997)",
    "999": "an acknowledgment (999)",
}


class ProblemRecord(NamedTuple):
    """A problem and its location, before it becomes a row of the `problems` frame."""

    code: str
    file: int
    segment: int | None = None
    transaction: int | None = None
    element: str | None = None
    values: dict[str, Any] = {}  # noqa: RUF012

    @property
    def message(self) -> str:
        return CODES[self.code][1].format(element=self.element, **self.values)
