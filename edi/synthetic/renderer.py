"""Rendering: from the content of a remittance to segments, and from segments to bytes."""

from dataclasses import dataclass, replace
from datetime import date

from edi.synthetic.content import (
    AdjustmentSpec,
    ClaimSpec,
    PaymentSpec,
    ProviderAdjustmentSpec,
    RemittanceFile,
    ServiceSpec,
)

Segment = list[str]
COMPONENT = "\ue002"  # placeholder until the delimiters are known
VERSIONS = {"5010": ("00501", "005010X221A1", "^"), "4010": ("00401", "004010X091A1", "U")}
CAS_TRIPLETS = PLB_PAIRS = 6


@dataclass(frozen=True)
class RenderedFile:
    """A file as segments; segment number n is `segments[n - 1]`."""

    segments: tuple[Segment, ...]
    delimiters: str = "*:~"
    line_breaks: bool = False

    @property
    def data(self) -> bytes:
        element, component, terminator = self.delimiters
        end = terminator + ("\n" if self.line_breaks and terminator not in "\r\n" else "")
        text = "".join(element.join(segment) + end for segment in self.segments)
        return text.replace(COMPONENT, component).encode()

    def replace_segments(self, segments: list[Segment]) -> "RenderedFile":
        return replace(self, segments=tuple(segments))


def render(file: RemittanceFile) -> RenderedFile:
    version, convention, repetition = VERSIONS[file.version]
    if repetition in file.delimiters:
        repetition = "`"
    segments: list[Segment] = []
    group_number = 0
    for interchange_number, groups in enumerate(file.interchanges, 1):
        control_number = f"{interchange_number:09}"
        segments.append(_render_isa(control_number, version, repetition, file.day))
        for payments in groups:
            group_number += 1
            stamp = [f"{file.day:%Y%m%d}", "0900", str(group_number), "X", convention]
            segments.append(["GS", "HP", "MADEUPPAYER", "MADEUPCLINIC", *stamp])
            for number, payment in enumerate(payments, 1):
                segments += _render_payment(payment, f"{number:04}")
            segments.append(["GE", str(len(payments)), str(group_number)])
        segments.append(["IEA", str(len(groups)), control_number])
    return RenderedFile(tuple(segments), file.delimiters, file.line_breaks)


def _render_isa(control_number: str, version: str, repetition: str, day: date) -> Segment:
    parties = ["ZZ", f"{'MADEUPPAYER':15}", "ZZ", f"{'MADEUPCLINIC':15}"]
    return [
        "ISA",
        "00",
        " " * 10,
        "00",
        " " * 10,
        *parties,
        f"{day:%y%m%d}",
        "0900",
        repetition,
        version,
        control_number,
        "0",
        "T",
        COMPONENT,
    ]


def _render_payment(payment: PaymentSpec, control_number: str) -> list[Segment]:
    amount, day = payment.amount, f"{payment.day:%Y%m%d}"
    if amount:
        bank = [
            "ACH",
            "CCP",
            "01",
            "999999992",
            "DA",
            "123456",
            payment.originator,
            "",
            "01",
            "999988880",
            "DA",
            "98765",
        ]
    else:
        bank = ["NON", *[""] * 11]
    segments = [
        ["ST", "835", control_number],
        ["BPR", "I" if amount else "H", format_money(amount), "C", *bank, day],
        ["TRN", "1", payment.trace, payment.originator],
        ["DTM", "405", day],
        ["N1", "PR", payment.payer[0]],
        ["N3", "1 PLAN WAY"],
        ["N4", "COLUMBUS", "OH", "43215"],
        ["REF", "2U", payment.payer[1]],
        ["PER", "BL", "EDI", "TE", "5555550100"],
        ["N1", "PE", payment.payee[0], "XX", payment.payee[1]],
        ["REF", "TJ", "123456789"],
        ["LX", "1"],
    ]
    if payment.with_totals:
        charge = format_money(sum(claim.charge for claim in payment.claims))
        segments.append(["TS3", payment.payee[1], "11", f"{payment.day:%Y}1231", str(len(payment.claims)), charge])
    for claim in payment.claims:
        segments += _render_claim(claim)
    segments += _render_provider_adjustments(payment)
    return [*segments, ["SE", str(len(segments) + 1), control_number]]


def _render_claim(claim: ClaimSpec) -> list[Segment]:
    share = format_money(claim.patient_share) if claim.patient_share else ""
    amounts = [format_money(claim.charge), format_money(claim.paid), share]
    segments = [
        ["CLP", claim.control_number, claim.status, *amounts, claim.filing, claim.payer_claim_number, "11", "1"]
    ]
    segments += _render_adjustments(claim.adjustments)
    people = (("QC", claim.patient, "MI"), ("IL", claim.insured, "MI"), ("74", claim.corrected, "C"))
    for entity, person, id_kind in people:
        if person:
            segments.append(["NM1", entity, "1", person[0], person[1], "", "", "", id_kind, person[2]])
    if claim.rendering:
        segments.append(["NM1", "82", "1", "HAZEL", "MAY", "", "", "", "XX", claim.rendering])
    if claim.remarks:
        segments.append(_render_remarks(claim))
    days = [service.day for service in claim.services]
    if days:
        segments += [["DTM", "232", f"{min(days):%Y%m%d}"], ["DTM", "233", f"{max(days):%Y%m%d}"]]
    if claim.interest:
        segments.append(["AMT", "I", format_money(claim.interest)])
    for service in claim.services:
        segments += _render_service(service)
    return segments


def _render_remarks(claim: ClaimSpec) -> Segment:
    if claim.inpatient:
        return ["MIA", "0", "", "", format_money(claim.paid), claim.remarks[0]]
    return ["MOA", "", "", *claim.remarks]


def _render_service(service: ServiceSpec) -> list[Segment]:
    procedure = COMPONENT.join([service.kind, service.procedure, *service.modifiers])
    submitted = [COMPONENT.join([service.kind, service.submitted])] if service.submitted else []
    amounts = [format_money(service.charge), format_money(service.paid), ""]
    segments = [
        ["SVC", procedure, *amounts, str(service.units), *submitted],
        ["DTM", "472", f"{service.day:%Y%m%d}"],
    ]
    segments += _render_adjustments(service.adjustments)
    if service.control:
        segments.append(["REF", "6R", service.control])
    patient_share = sum(adjustment.cents for adjustment in service.adjustments if adjustment.group == "PR")
    segments.append(["AMT", "B6", format_money(service.paid + patient_share)])
    return [*segments, *(["LQ", "HE", code] for code in service.remarks)]


def _render_adjustments(adjustments: tuple[AdjustmentSpec, ...]) -> list[Segment]:
    """Return the CAS segments: one for each group, with at most six triplets."""
    segments = []
    for group in dict.fromkeys(adjustment.group for adjustment in adjustments):
        members = [adjustment for adjustment in adjustments if adjustment.group == group]
        for start in range(0, len(members), CAS_TRIPLETS):
            triplets: Segment = []
            for adjustment in members[start : start + CAS_TRIPLETS]:
                triplets += [adjustment.reason, format_money(adjustment.cents), str(adjustment.quantity or "")]
            segments.append(["CAS", group, *_trim(triplets)])
    return segments


def _render_provider_adjustments(payment: PaymentSpec) -> list[Segment]:
    segments = []
    for start in range(0, len(payment.provider_adjustments), PLB_PAIRS):
        pairs: Segment = []
        for adjustment in payment.provider_adjustments[start : start + PLB_PAIRS]:
            pairs += [_render_reason(adjustment), format_money(adjustment.cents)]
        segments.append(["PLB", payment.payee[1], f"{payment.day:%Y}1231", *pairs])
    return segments


def _render_reason(adjustment: ProviderAdjustmentSpec) -> str:
    if not adjustment.reference:
        return adjustment.reason
    return f"{adjustment.reason}{COMPONENT}{adjustment.reference}"


def _trim(elements: Segment) -> Segment:
    while elements and not elements[-1]:
        elements.pop()
    return elements


def format_money(cents: int) -> str:
    """Write an amount as payers do: without decimals for whole dollars."""
    dollars, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{dollars}{f'.{rest:02}' if rest else ''}"
