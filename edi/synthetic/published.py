"""The files in docs/remittances: what payer and practice exchange after a first payment.

Each is a 5010 file, and together they close every balance that they open. `python -m edi.synthetic FOLDER` writes them.
"""

from dataclasses import replace
from datetime import date

from edi.synthetic.content import (
    AdjustmentSpec,
    ClaimSpec,
    PaymentSpec,
    ProviderAdjustmentSpec,
    RemittanceFile,
    ServiceSpec,
)
from edi.synthetic.renderer import render

FIRST, LATER, LAST = date(2026, 3, 16), date(2026, 4, 13), date(2026, 5, 11)


def _make_claim(number: int, contractual: int, *patient: AdjustmentSpec) -> ClaimSpec:
    """Return a claim for one session of 165 dollars."""
    adjustments = (AdjustmentSpec("CO", "45", contractual), *patient)
    service = ServiceSpec("90837", 16500, adjustments, date(2026, 3, 2), control=f"L{number:04}0")
    member = ("ROWAN", "KIT", f"M{number:08}")
    return ClaimSpec(f"PCN{number:06}", (service,), payer_claim_number=f"P{number:08}", patient=member)


def _correct_claim(claim: ClaimSpec, contractual: int, *patient: AdjustmentSpec) -> ClaimSpec:
    """Return the same claim with a new decision, under a new claim number of the payer."""
    service = replace(claim.services[0], adjustments=(AdjustmentSpec("CO", "45", contractual), *patient))
    return replace(claim, services=(service,), payer_claim_number=f"{claim.payer_claim_number}C")


def _render_file(day: date, *payments: PaymentSpec) -> bytes:
    return render(RemittanceFile(((payments,),), line_breaks=True, day=day)).data


def _render_payment(
    day: date, trace: str, claims: tuple[ClaimSpec, ...], *provider_adjustments: ProviderAdjustmentSpec
) -> bytes:
    return _render_file(day, PaymentSpec(claims, provider_adjustments, trace, day))


def build_published_files() -> dict[str, bytes]:
    """Return the published files by name."""
    copay = AdjustmentSpec("PR", "3", 2000)
    first, second, third, fourth, fifth, sixth = (_make_claim(number, 4000, copay) for number in range(1, 7))
    first_corrected = _correct_claim(first, 3000, copay)
    fifth_corrected = _correct_claim(fifth, 2500, copay)
    add_on = ServiceSpec("90785", 3000, (AdjustmentSpec("CO", "45", 500),), date(2026, 3, 2), control="L00061")
    two_lines = replace(sixth, services=(*sixth.services, add_on))
    bundled = replace(add_on, adjustments=(AdjustmentSpec("CO", "97", 3000),), remarks=("N20",))
    one_line_bundled = replace(
        two_lines,
        payer_claim_number=f"{sixth.payer_claim_number}C",
        services=(two_lines.services[0], bundled),
    )
    late = replace(fourth, interest=321)
    return {
        "01-first-payment.835": _render_payment(FIRST, "T1001", (first, second, third, fifth)),
        "02-reversal-and-correction.835": _render_payment(LATER, "T1002", (first.reverse(), first_corrected)),
        "03-reversal-carried-forward.835": _render_payment(
            LATER, "T1003", (second.reverse(),), ProviderAdjustmentSpec("FB", -second.paid, "F1003")
        ),
        "04-forwarding-balance-taken.835": _render_payment(
            LAST,
            "T1004",
            (_make_claim(7, 4000), _make_claim(8, 3000)),
            ProviderAdjustmentSpec("FB", second.paid, "F1003"),
        ),
        "05-recovery-announced.835": _render_payment(
            LATER,
            "T1005",
            (third.reverse(), _make_claim(9, 1000)),
            ProviderAdjustmentSpec("WO", -third.paid, third.payer_claim_number),
        ),
        "06-recovery-taken.835": _render_payment(
            LAST,
            "T1006",
            (_make_claim(10, 500),),
            ProviderAdjustmentSpec("WO", third.paid, third.payer_claim_number),
        ),
        "07-interest-on-a-late-claim.835": _render_payment(
            LAST, "T1007", (late,), ProviderAdjustmentSpec("L6", -late.interest)
        ),
        "08-correction-before-its-reversal.835": _render_payment(LATER, "T1008", (fifth_corrected,)),
        "09-reversal-after-its-correction.835": _render_payment(
            LAST, "T1009", (fifth.reverse(), _make_claim(11, 1500), _make_claim(12, 1500))
        ),
        "10-one-line-taken-back.835": _render_file(
            LATER,
            PaymentSpec((two_lines,), trace="T1010", day=FIRST),
            PaymentSpec((two_lines.reverse(), one_line_bundled, _make_claim(13, 4000)), trace="T1011", day=LATER),
        ),
    }
