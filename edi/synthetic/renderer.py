"""From what a remittance says to its segments, and from segments to bytes."""

from dataclasses import dataclass, replace
from datetime import date

from edi.synthetic.content import Adjust, Bill, Mail, ProviderAdjust, Service, Transfer

Segment = list[str]
COMPONENT = "\ue002"  # until the delimiters are known
VERSIONS = {"5010": ("00501", "005010X221A1", "^"), "4010": ("00401", "004010X091A1", "U")}
CAS_TRIPLETS = PLB_PAIRS = 6


@dataclass(frozen=True)
class Written:
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

    def with_segments(self, segments: list[Segment]) -> "Written":
        return replace(self, segments=tuple(segments))


def written(mail: Mail) -> Written:
    version, convention, repetition = VERSIONS[mail.version]
    if repetition in mail.delimiters:
        repetition = "`"
    found: list[Segment] = []
    group_number = 0
    for number, groups in enumerate(mail.interchanges, 1):
        control = f"{number:09}"
        found.append(_isa(control, version, repetition, mail.day))
        for transfers in groups:
            group_number += 1
            stamp = [f"{mail.day:%Y%m%d}", "0900", str(group_number), "X", convention]
            found.append(["GS", "HP", "MADEUPPAYER", "MADEUPCLINIC", *stamp])
            for at, transfer in enumerate(transfers, 1):
                found += _transaction(transfer, f"{at:04}")
            found.append(["GE", str(len(transfers)), str(group_number)])
        found.append(["IEA", str(len(groups)), control])
    return Written(tuple(found), mail.delimiters, mail.line_breaks)


def _isa(control: str, version: str, repetition: str, day: date) -> Segment:
    ends = ["ZZ", f"{'MADEUPPAYER':15}", "ZZ", f"{'MADEUPCLINIC':15}"]
    return [
        "ISA",
        "00",
        " " * 10,
        "00",
        " " * 10,
        *ends,
        f"{day:%y%m%d}",
        "0900",
        repetition,
        version,
        control,
        "0",
        "T",
        COMPONENT,
    ]


def _transaction(transfer: Transfer, control: str) -> list[Segment]:
    amount, day = transfer.amount, f"{transfer.day:%Y%m%d}"
    if amount:
        bank = [
            "ACH",
            "CCP",
            "01",
            "999999992",
            "DA",
            "123456",
            transfer.originator,
            "",
            "01",
            "999988880",
            "DA",
            "98765",
        ]
    else:
        bank = ["NON", *[""] * 11]
    found = [
        ["ST", "835", control],
        ["BPR", "I" if amount else "H", money(amount), "C", *bank, day],
        ["TRN", "1", transfer.trace, transfer.originator],
        ["DTM", "405", day],
        ["N1", "PR", transfer.payer[0]],
        ["N3", "1 PLAN WAY"],
        ["N4", "COLUMBUS", "OH", "43215"],
        ["REF", "2U", transfer.payer[1]],
        ["PER", "BL", "EDI", "TE", "5555550100"],
        ["N1", "PE", transfer.payee[0], "XX", transfer.payee[1]],
        ["REF", "TJ", "123456789"],
        ["LX", "1"],
    ]
    if transfer.with_totals:
        charge = sum(bill.charge for bill in transfer.bills)
        found.append(
            ["TS3", transfer.payee[1], "11", f"{transfer.day:%Y}1231", str(len(transfer.bills)), money(charge)]
        )
    for bill in transfer.bills:
        found += _claim(bill)
    found += _provider_adjustments(transfer)
    return [*found, ["SE", str(len(found) + 1), control]]


def _claim(bill: Bill) -> list[Segment]:
    share = money(bill.patient_share) if bill.patient_share else ""
    amounts = [money(bill.charge), money(bill.paid), share]
    found = [["CLP", bill.control_number, bill.status, *amounts, bill.filing, bill.payer_claim_number, "11", "1"]]
    found += _adjustments(bill.adjustments)
    people = (("QC", bill.patient, "MI"), ("IL", bill.insured, "MI"), ("74", bill.corrected, "C"))
    for entity, person, id_kind in people:
        if person:
            found.append(["NM1", entity, "1", person[0], person[1], "", "", "", id_kind, person[2]])
    if bill.rendering:
        found.append(["NM1", "82", "1", "HAZEL", "MAY", "", "", "", "XX", bill.rendering])
    if bill.remarks:
        found.append(_remarks(bill))
    days = [service.day for service in bill.services]
    if days:
        found += [["DTM", "232", f"{min(days):%Y%m%d}"], ["DTM", "233", f"{max(days):%Y%m%d}"]]
    if bill.interest:
        found.append(["AMT", "I", money(bill.interest)])
    for service in bill.services:
        found += _line(service)
    return found


def _remarks(bill: Bill) -> Segment:
    if bill.inpatient:
        return ["MIA", "0", "", "", money(bill.paid), bill.remarks[0]]
    return ["MOA", "", "", *bill.remarks]


def _line(service: Service) -> list[Segment]:
    product = COMPONENT.join([service.kind, service.procedure, *service.modifiers])
    submitted = [COMPONENT.join([service.kind, service.submitted])] if service.submitted else []
    amounts = [money(service.charge), money(service.paid), ""]
    found = [["SVC", product, *amounts, str(service.units), *submitted], ["DTM", "472", f"{service.day:%Y%m%d}"]]
    found += _adjustments(service.adjustments)
    if service.control:
        found.append(["REF", "6R", service.control])
    allowed = service.paid + sum(one.cents for one in service.adjustments if one.group == "PR")
    found.append(["AMT", "B6", money(allowed)])
    return [*found, *(["LQ", "HE", code] for code in service.remarks)]


def _adjustments(adjustments: tuple[Adjust, ...]) -> list[Segment]:
    """One CAS for each group, six triplets at most in each."""
    found = []
    for group in dict.fromkeys(one.group for one in adjustments):
        its = [one for one in adjustments if one.group == group]
        for first in range(0, len(its), CAS_TRIPLETS):
            triplets: Segment = []
            for one in its[first : first + CAS_TRIPLETS]:
                triplets += [one.reason, money(one.cents), str(one.quantity or "")]
            found.append(["CAS", group, *_trimmed(triplets)])
    return found


def _provider_adjustments(transfer: Transfer) -> list[Segment]:
    found = []
    for first in range(0, len(transfer.provider_adjustments), PLB_PAIRS):
        pairs: Segment = []
        for one in transfer.provider_adjustments[first : first + PLB_PAIRS]:
            pairs += [_reason(one), money(one.cents)]
        found.append(["PLB", transfer.payee[1], f"{transfer.day:%Y}1231", *pairs])
    return found


def _reason(adjust: ProviderAdjust) -> str:
    return f"{adjust.reason}{COMPONENT}{adjust.reference}" if adjust.reference else adjust.reason


def _trimmed(elements: Segment) -> Segment:
    while elements and not elements[-1]:
        elements.pop()
    return elements


def money(cents: int) -> str:
    """As payers write it: without decimals where there are none."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}{f'.{rest:02}' if rest else ''}"
