"""What can be wrong: every code with its severity and its sentence.

An error is structural: the transaction that it is in is not sound and should not be posted. A warning is about money or
repetition, and a person decides. Sentences carry segment names, counts, amounts and codes, never names or values that
could not be read.
"""

from typing import Any, NamedTuple

# code: (severity, sentence)
CODES: dict[str, tuple[str, str]] = {
    # nothing is read
    "TOO_LARGE": ("error", "The file has more than {most:,} bytes; raise the limit or split it."),
    "SEGMENT_TOO_LONG": (
        "error",
        "There is no end of segment within {most:,} bytes; this is no 835, or it is damaged.",
    ),
    "TRANSACTION_TOO_LONG": ("error", "More than {most:,} segments stand in one transaction, or between two."),
    "TOO_MANY_PARTS": ("error", "The file falls into more than {most:,} segments and elements; it is damaged."),
    "BAD_ARCHIVE": ("error", "The archive cannot be opened; it is damaged, encrypted or of a kind not supported."),
    "EMPTY": ("error", "The file is empty."),
    "NOT_X12": ("error", "The file holds no interchange: there is no ISA whose delimiters can be read."),
    # structure
    "NOT_835": ("error", "The transaction is no remittance (835) but {what}; nothing in it was read."),
    "NO_INTERCHANGE": ("error", "The segment stands outside any interchange: the ISA before it is missing."),
    "NO_GROUP": ("error", "The transaction stands outside any group: the GS before it is missing."),
    "TRUNCATED": ("error", "The file ends too early: {missing} missing."),
    "UNTERMINATED": ("warning", "The last segment has no terminator; the end of the file may be missing."),
    "MISSING_END": ("error", "The {opened} has no {closed} before the next segment of the envelope begins."),
    "COUNT_DIFFERS": ("error", "{element} counts {said} {things}, but there are {found}."),
    "CONTROL_NUMBER_DIFFERS": ("error", "{element} is not the control number of the {opened} it closes."),
    "CONTROL_NUMBER_REPEATED": ("error", "The control number in {element} was used before {where}."),
    "UNKNOWN_SEGMENT": ("error", "The 835 has no such segment; it is kept as it is."),
    "MISPLACED_SEGMENT": ("error", "{id} cannot stand here: {why}."),
    "MISSING_SEGMENT": ("error", "The transaction has no {id}."),
    "MISSING_ELEMENT": ("error", "{element} is missing."),
    "BAD_AMOUNT": ("error", "{element} is not an amount of whole cents below ten billion."),
    "BAD_DATE": ("error", "{element} is not a date written CCYYMMDD."),
    "BAD_NUMBER": ("error", "{element} is not a number."),
    "EXTRA_ELEMENT": ("warning", "The segment has more elements than {id} has; it is kept as it is."),
    "UNKNOWN_CODE": ("warning", "{element} is not a code that the 835 knows."),
    "MISSING_PATIENT": ("warning", "The claim names no patient: NM1*QC is missing."),
    # money
    "LINE_UNBALANCED": ("warning", "The line's charge less its adjustments is {should}, but {found} was paid."),
    "CLAIM_UNBALANCED": ("warning", "The claim's charge less all adjustments is {should}, but {found} was paid."),
    "PAYMENT_UNBALANCED": (
        "warning",
        "The claims less the provider adjustments come to {should}, but BPR02 is {found}.",
    ),
    "LINES_DIFFER": (
        "warning",
        "The lines were paid {should} together, the claim {found}, and no adjustment is the claim's own.",
    ),
    "INTEREST_DIFFERS": ("warning", "The claims tell of {should} interest, the provider adjustments of {found}."),
    "TOTALS_DIFFER": ("warning", "{element} does not agree with the claims that follow."),
    # repetition
    "CLAIM_REPEATED": (
        "warning",
        "The same claim, with the same numbers, status and amounts, stands in the transaction before.",
    ),
    "PAYMENT_REPEATED": (
        "warning",
        "The same payment (payer, trace number, amount, date, claims) stands in the file before.",
    ),
    "TRACE_REPEATED": ("warning", "The payer's trace number stands in the file before, with other content."),
}

TRANSACTIONS = {
    "270": "an eligibility inquiry (270)",
    "271": "an eligibility answer (271)",
    "276": "a claim status request (276)",
    "277": "a claim status answer (277)",
    "278": "a services review (278)",
    "820": "a premium payment (820)",
    "834": "an enrolment (834)",
    "837": "a claim (837)",
    "997": "an acknowledgment (997)",
    "999": "an acknowledgment (999)",
}


class Found(NamedTuple):
    """A problem and its place, before it is a row of the frame."""

    code: str
    file: int
    segment: int | None = None
    transaction: int | None = None
    element: str | None = None
    values: dict[str, Any] = {}  # noqa: RUF012

    @property
    def severity(self) -> str:
        return CODES[self.code][0]

    @property
    def message(self) -> str:
        return CODES[self.code][1].format(element=self.element, **self.values)
