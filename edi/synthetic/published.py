"""The files under docs/remittances: what goes back and forth between payer and practice after a first payment.

Each is a 5010 file; together they close everything that they open. `python -m edi.synthetic FOLDER` writes them.
"""

from dataclasses import replace
from datetime import date

from edi.synthetic.content import Adjust, Bill, Mail, ProviderAdjust, Service, Transfer
from edi.synthetic.renderer import written

FIRST, LATER, LAST = date(2026, 3, 16), date(2026, 4, 13), date(2026, 5, 11)


def _bill(number: int, contractual: int, *patient: Adjust) -> Bill:
    """A session of 165 dollars."""
    adjustments = (Adjust("CO", "45", contractual), *patient)
    service = Service("90837", 16500, adjustments, date(2026, 3, 2), control=f"L{number:04}0")
    member = ("ROWAN", "KIT", f"M{number:08}")
    return Bill(f"PCN{number:06}", (service,), payer_claim_number=f"P{number:08}", patient=member)


def _corrected(bill: Bill, contractual: int, *patient: Adjust) -> Bill:
    """The same claim, decided anew, under another number of the payer's."""
    service = replace(bill.services[0], adjustments=(Adjust("CO", "45", contractual), *patient))
    return replace(bill, services=(service,), payer_claim_number=f"{bill.payer_claim_number}C")


def _file(day: date, trace: str, bills: tuple[Bill, ...], *provider: ProviderAdjust) -> bytes:
    transfer = Transfer(bills, provider, trace, day)
    return written(Mail((((transfer,),),), line_breaks=True, day=day)).data


def published() -> dict[str, bytes]:
    copay = Adjust("PR", "3", 2000)
    one, two, three, four, five, six = (_bill(number, 4000, copay) for number in range(1, 7))
    more = _corrected(one, 3000, copay)
    fully = _corrected(five, 2500, copay)
    two_lines = replace(
        six,
        services=(
            *six.services,
            Service("90785", 3000, (Adjust("CO", "45", 500),), date(2026, 3, 2), control="L00061"),
        ),
    )
    one_line_less = replace(
        two_lines,
        payer_claim_number=f"{six.payer_claim_number}C",
        services=(
            two_lines.services[0],
            replace(two_lines.services[1], adjustments=(Adjust("CO", "97", 3000),), remarks=("N20",)),
        ),
    )
    late = replace(four, interest=321)
    owed = two.paid
    return {
        "01-first-payment.835": _file(FIRST, "T1001", (one, two, three, five)),
        "02-reversal-and-correction.835": _file(LATER, "T1002", (one.reversed(), more)),
        "03-reversal-carried-forward.835": _file(
            LATER, "T1003", (two.reversed(),), ProviderAdjust("FB", -owed, "F1003")
        ),
        "04-forwarding-balance-taken.835": _file(
            LAST, "T1004", (_bill(7, 4000), _bill(8, 3000)), ProviderAdjust("FB", owed, "F1003")
        ),
        "05-recovery-announced.835": _file(
            LATER,
            "T1005",
            (three.reversed(), _bill(9, 1000)),
            ProviderAdjust("WO", -three.paid, three.payer_claim_number),
        ),
        "06-recovery-taken.835": _file(
            LAST, "T1006", (_bill(10, 500),), ProviderAdjust("WO", three.paid, three.payer_claim_number)
        ),
        "07-interest-on-a-late-claim.835": _file(LAST, "T1007", (late,), ProviderAdjust("L6", -late.interest)),
        "08-correction-before-its-reversal.835": _file(LATER, "T1008", (fully,)),
        "09-reversal-after-its-correction.835": _file(
            LAST, "T1009", (five.reversed(), _bill(11, 1500), _bill(12, 1500))
        ),
        "10-one-line-taken-back.835": written(
            Mail(
                (
                    (
                        (
                            Transfer((two_lines,), trace="T1010", day=FIRST),
                            Transfer((two_lines.reversed(), one_line_less, _bill(13, 4000)), trace="T1011", day=LATER),
                        ),
                    ),
                ),
                line_breaks=True,
                day=LATER,
            )
        ).data,
    }
