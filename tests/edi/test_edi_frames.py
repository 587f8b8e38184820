"""One small remittance with every kind of segment, and the rows it must give."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

import edi

FILE = "~".join(
    [
        "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         *260316*0900*^*00501*000000001*0*T*:",
        "GS*HP*PAYER*CLINIC*20260316*0900*7*X*005010X221A1",
        "ST*835*0001",
        "BPR*I*150.5*C*ACH*CCP*01*999999992*DA*123456*1999999999**01*999988880*DA*98765*20260317",
        "TRN*1*T77*1999999999",
        "REF*EV*CLINIC",
        "DTM*405*20260316",
        "N1*PR*A HEALTH PLAN",
        "REF*2U*00123",
        "PER*BL*EDI*TE*5555550100",
        "N1*PE*A PRACTICE*XX*1234567893",
        "REF*TJ*123456789",
        "LX*1",
        "TS3*1234567893*11*20261231*2*35",
        "CLP*PCN1*1*165*100.5*40*12*P1*11*1",
        "CAS*CO*253*1.5**45*3",
        "NM1*QC*1*BIRCH*ASH*M***MI*M1",
        "NM1*IL*1*OAK*HOLLY****MI*M2",
        "NM1*74*1*BIRCH*ROSE",
        "NM1*82*1*HAZEL*MAY****XX*1234567893",
        "MOA***MA01*MA18",
        "REF*1L*G9",
        "DTM*232*20260301",
        "AMT*AU*140.5",
        "QTY*CA*2.5",
        "SVC*HC:90837:95:HO*165*105**1*HC:90834*2",
        "DTM*472*20260302",
        "CAS*PR*1*15*1*3*25",
        "CAS*CO*45*20",
        "REF*6R*L1",
        "AMT*B6*145",
        "LQ*HE*N1",
        "CLP*PCN2*22*-130*-50*-20*12*P2",
        "NM1*QC*1*ELM*FERN****MI*M3",
        "SVC*HC:90834*-130*-50*0900",
        "CAS*OA*23*-60",
        "CAS*PR*2*-20",
        "PLB*1234567893*20261231*WO:P2*-100*L6*0",
        "SE*37*0001",
        "GE*1*7",
        "IEA*1*000000001",
        "",
    ]
).encode()


@pytest.fixture(scope="module")
def read() -> edi.Remittance:
    return edi.read(FILE, "one.835")


def select_rows(frame: pl.DataFrame, *names: str) -> list[tuple[object, ...]]:
    return frame.select(names).rows()


def test_it_balances_without_problems(read: edi.Remittance) -> None:
    assert select_rows(read.problems, "code", "message") == []
    assert select_rows(read.payments, "balanced", "balanced_throughout", "sound") == [(True, True, True)]
    assert read.claims["balanced"].all()
    assert read.lines["balanced"].all()


def test_the_envelope(read: edi.Remittance) -> None:
    assert select_rows(read.files, "name", "bytes", "segments", "refused") == [("one.835", len(FILE), 41, False)]
    assert select_rows(read.interchanges, "sender", "control_number", "group_count", "element_separator") == [
        ("PAYER", "000000001", 1, "*")
    ]
    assert select_rows(read.groups, "control_number", "version", "transaction_count", "end_segment") == [
        ("7", "005010X221A1", 1, 40)
    ]


def test_the_payment(read: edi.Remittance) -> None:
    head = read.payments.row(0, named=True)
    expected = {
        "control_number": "0001",
        "version": "005010X221A1",
        "handling": "I",
        "amount_cents": 15050,
        "method": "ACH",
        "date": date(2026, 3, 17),
        "trace_number": "T77",
        "originator": "1999999999",
        "payer_name": "A HEALTH PLAN",
        "payer_id": "00123",
        "payee_name": "A PRACTICE",
        "payee_npi": "1234567893",
        "claim_count": 2,
        "charge_cents": 3500,
        "paid_cents": 5050,
        "patient_cents": 2000,
        "provider_cents": -10000,
        "segment": 3,
        "bpr_segment": 4,
        "trn_segment": 5,
        "end_segment": 39,
        "segment_count": 37,
    }
    assert {name: head[name] for name in expected} == expected


def test_provider_adjustments(read: edi.Remittance) -> None:
    names = ("provider", "fiscal_date", "reason", "reference", "amount_cents", "position", "segment")
    assert select_rows(read.provider_adjustments, *names) == [
        ("1234567893", date(2026, 12, 31), "WO", "P2", -10000, 1, 38),
        ("1234567893", date(2026, 12, 31), "L6", None, 0, 2, 38),
    ]


def test_claims(read: edi.Remittance) -> None:
    names = ("claim", "control_number", "status", "charge_cents", "paid_cents", "patient_cents", "payer_claim_number")
    assert select_rows(read.claims, *names, "adjusted_cents", "segment") == [
        (0, "PCN1", "1", 16500, 10050, 4000, "P1", 6450, 15),
        (1, "PCN2", "22", -13000, -5000, -2000, "P2", -8000, 33),
    ]


def test_lines(read: edi.Remittance) -> None:
    names = ("claim", "line", "procedure_kind", "procedure", "modifiers", "charge_cents", "paid_cents", "revenue_code")
    assert select_rows(read.lines, *names, "units", "submitted_procedure", "submitted_units", "adjusted_cents") == [
        (0, 0, "HC", "90837", ["95", "HO"], 16500, 10500, None, Decimal(1), "90834", Decimal(2), 6000),
        (1, 1, "HC", "90834", [], -13000, -5000, "0900", None, None, None, -8000),
    ]


def test_adjustments_of_claims_and_lines(read: edi.Remittance) -> None:
    names = ("claim", "line", "segment", "position", "group", "reason", "amount_cents", "quantity")
    assert select_rows(read.adjustments, *names) == [
        (0, None, 16, 1, "CO", "253", 150, None),
        (0, None, 16, 2, "CO", "45", 300, None),
        (0, 0, 28, 1, "PR", "1", 1500, Decimal(1)),
        (0, 0, 28, 2, "PR", "3", 2500, None),
        (0, 0, 29, 1, "CO", "45", 2000, None),
        (1, 1, 36, 1, "OA", "23", -6000, None),
        (1, 1, 37, 1, "PR", "2", -2000, None),
    ]


def test_people_and_parties(read: edi.Remittance) -> None:
    assert select_rows(read.names, "claim", "entity", "last", "first", "id_kind", "id") == [
        (0, "QC", "BIRCH", "ASH", "MI", "M1"),
        (0, "IL", "OAK", "HOLLY", "MI", "M2"),
        (0, "74", "BIRCH", "ROSE", None, None),
        (0, "82", "HAZEL", "MAY", "XX", "1234567893"),
        (1, "QC", "ELM", "FERN", "MI", "M3"),
    ]
    assert select_rows(read.parties, "entity", "name", "id_kind", "id") == [
        ("PR", "A HEALTH PLAN", None, None),
        ("PE", "A PRACTICE", "XX", "1234567893"),
    ]


def test_references_dates_amounts_quantities(read: edi.Remittance) -> None:
    assert select_rows(read.references, "claim", "line", "entity", "kind", "value") == [
        (None, None, None, "EV", "CLINIC"),
        (None, None, "PR", "2U", "00123"),
        (None, None, "PE", "TJ", "123456789"),
        (0, None, None, "1L", "G9"),
        (0, 0, None, "6R", "L1"),
    ]
    assert select_rows(read.dates, "claim", "line", "kind", "date") == [
        (None, None, "405", date(2026, 3, 16)),
        (0, None, "232", date(2026, 3, 1)),
        (0, 0, "472", date(2026, 3, 2)),
    ]
    assert select_rows(read.amounts, "claim", "line", "kind", "amount_cents") == [
        (0, None, "AU", 14050),
        (0, 0, "B6", 14500),
    ]
    assert select_rows(read.quantities, "claim", "line", "kind", "quantity") == [(0, None, "CA", Decimal("2.5"))]


def test_remarks_totals_and_segments_stored_unchanged(read: edi.Remittance) -> None:
    assert select_rows(read.remarks, "claim", "line", "source", "kind", "code") == [
        (0, None, "MOA", None, "MA01"),
        (0, None, "MOA", None, "MA18"),
        (0, 0, "LQ", "HE", "N1"),
    ]
    assert select_rows(read.provider_totals, "provider", "claim_count", "charge_cents") == [
        ("1234567893", Decimal(2), 3500)
    ]
    assert read.others["id"].to_list() == ["PER", "LX", "TS3", "MOA"]
    assert read.others["elements"][0].to_list() == ["PER", "BL", "EDI", "TE", "5555550100"]
