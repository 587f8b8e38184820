"""`caseload era parse`, as somebody types it."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from caseload import era_output
from edi import synthetic
from tests.edi.test_edi_frames import FILE
from tests.support.drivers.commands import Run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.835"
    path.write_bytes(FILE)
    return path


def test_the_whole_document(run: Run, file: Path) -> None:
    adjustment = {"quantity": None}
    claim = {
        "control_number": "PCN1",
        "status": "1",
        "charge": "165.00",
        "paid": "100.50",
        "patient_responsibility": "40.00",
        "filing": "12",
        "payer_claim_number": "P1",
        "patient": {"last": "BIRCH", "first": "ASH", "member_id": "M1"},
        "insured": {"last": "OAK", "first": "HOLLY", "member_id": "M2"},
        "corrected": {"last": "BIRCH", "first": "ROSE", "member_id": None},
        "rendering_npi": "1234567893",
        "service_from": "2026-03-01",
        "service_to": "2026-03-02",
        "reversal": False,
        "balanced": True,
        "adjustments": [
            adjustment | {"group": "CO", "reason": "253", "amount": "1.50"},
            adjustment | {"group": "CO", "reason": "45", "amount": "3.00"},
        ],
        "remarks": ["MA01", "MA18"],
        "lines": [
            {
                "procedure": "90837",
                "modifiers": ["95", "HO"],
                "submitted_procedure": "90834",
                "charge": "165.00",
                "paid": "105.00",
                "units": 1,
                "date": "2026-03-02",
                "control": "L1",
                "balanced": True,
                "adjustments": [
                    {"group": "PR", "reason": "1", "amount": "15.00", "quantity": 1},
                    adjustment | {"group": "PR", "reason": "3", "amount": "25.00"},
                    adjustment | {"group": "CO", "reason": "45", "amount": "20.00"},
                ],
                "remarks": ["N1"],
            }
        ],
    }
    ran = run("era", "parse", str(file), "--json")
    assert ran.code == 0
    (told,) = ran.json["files"]
    (transaction,) = told.pop("transactions")
    first, second = transaction.pop("claims")
    assert told == {
        "file": str(file),
        "sha256": sha256(FILE).hexdigest(),
        "bytes": len(FILE),
        "interchanges": 1,
        "problems": [],
    }
    assert transaction == {
        "control_number": "0001",
        "version": "005010X221A1",
        "payer": {"name": "A HEALTH PLAN", "id": "00123"},
        "payee": {"name": "A PRACTICE", "npi": "1234567893"},
        "handling": "I",
        "amount": "150.50",
        "method": "ACH",
        "date": "2026-03-17",
        "trace_number": "T77",
        "originator": "1999999999",
        "balanced": True,
        "provider_adjustments": [
            {"provider": "1234567893", "reason": "WO", "reference": "P2", "amount": "-100.00"},
            {"provider": "1234567893", "reason": "L6", "reference": None, "amount": "0.00"},
        ],
    }
    assert first == claim
    assert (second["reversal"], second["charge"], second["insured"], second["service_from"]) == (
        True,
        "-130.00",
        None,
        None,
    )


def test_problems_are_located_and_do_not_fail_the_command(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "broken.835"
    path.write_bytes(synthetic.broken("BAD_DATE: another form", synthetic.make_up(synthetic.Plan(claims=2), 1)).data)
    ran = run("era", "parse", str(path), "--json")
    assert ran.code == 0
    assert ran.json["files"][0]["problems"] == [
        {
            "severity": "error",
            "code": "BAD_DATE",
            "message": "BPR16 is not a date written CCYYMMDD.",
            "transaction": "0001",
            "claim": None,
            "segment": 4,
            "offset": path.read_bytes().index(b"BPR*"),
        }
    ]
    assert ran.json["files"][0]["transactions"][0]["date"] is None
    shown = run("era", "parse", str(path))
    assert shown.code == 0
    assert "segment 4, transaction 0001" in " ".join(shown.out.replace("│", " ").split())


def test_a_claim_is_named_by_its_control_number(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "broken.835"
    path.write_bytes(synthetic.broken("CLAIM_UNBALANCED", synthetic.make_up(synthetic.Plan(claims=2), 3)).data)
    problems = run("era", "parse", str(path), "--json").json["files"][0]["problems"]
    assert {one["claim"] for one in problems if one["code"] == "CLAIM_UNBALANCED"} == {"PCN0000000001"}


def test_what_is_no_remittance_is_refused_and_the_rest_is_told(run: Run, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "letter.pdf"
    other.write_bytes(b"%PDF-1.7")
    ran = run("era", "parse", str(other), str(file), "--json")
    assert ran.code == 1
    letter, remittance = ran.json["files"]
    assert [problem["code"] for problem in letter["problems"]] == ["NOT_X12"]
    assert letter["transactions"] == []
    assert len(remittance["transactions"]) == 1
    shown = run("era", "parse", str(other))
    assert shown.code == 1
    assert "holds no remittance" in shown.err


def test_a_file_that_is_not_there_is_an_error_before_anything_is_said(run: Run, file: Path, tmp_path: Path) -> None:
    ran = run("era", "parse", str(file), str(tmp_path / "nowhere.835"), "--json")
    assert (ran.code, ran.out) == (1, "")
    assert "nowhere.835" in ran.err
    assert run("era", "parse").code == 2


def test_what_a_file_holds_cannot_talk_to_the_terminal(run: Run, file: Path) -> None:
    file.write_bytes(FILE.replace(b"A HEALTH PLAN", b"[red]A \x1b[31mPLAN"))
    shown = run("era", "parse", str(file))
    assert "\x1b" not in shown.out
    assert "[red]" in shown.out


@pytest.mark.parametrize("width", [80, 40])
def test_on_a_narrow_terminal_words_fold_and_nothing_is_cut(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    service = synthetic.Service("90837", 16500, paid_otherwise=12_345_678)
    bills = tuple(synthetic.Bill(f"PCN{number:035}", (service,)) for number in range(1200))
    transfer = synthetic.Transfer(bills, trace="T" * 40 + "END", payer=("A PLAN OF THE WHOLE OF SOMEWHERE", "00999"))
    path = tmp_path / "one.835"
    path.write_bytes(synthetic.written(synthetic.Mail((((transfer,),),))).data.replace(b"*0001", b"*000000017"))
    monkeypatch.setattr(era_output.out, "width", width)
    shown = run("era", "parse", str(path)).out
    assert "…" not in shown
    words = set(shown.replace("│", " ").split())
    assert {"000000017", "2026-03-16", "1,200", "148148136.00", "NO", "CLAIM_UNBALANCED"} <= words
    cells = [[cell.strip() for cell in line.split("│")] for line in shown.splitlines() if line.startswith("│")]
    assert "".join(row[3] for row in cells if len(row) == 9) == transfer.trace
    assert bills[0].control_number in "".join(row[2] for row in cells if len(row) == 5)
    assert max(len(line) for line in shown.splitlines()[1:]) <= 80  # the first has the file's name


def test_of_a_payment_that_is_not_sound_nothing_says_that_it_balances(run: Run, tmp_path: Path) -> None:
    written = synthetic.make_up(synthetic.Plan(claims=2), 1)
    path = tmp_path / "cut.835"
    path.write_bytes(written.with_segments([list(one) for one in written.segments[:-2]]).data)  # no GE, no IEA
    shown = run("era", "parse", str(path)).out
    assert "unsound" in shown
    assert "TRUNCATED" in shown
    assert " yes " not in shown


def test_a_file_that_is_not_there_is_told_as_that(run: Run, tmp_path: Path) -> None:
    told = run("era", "parse", str(tmp_path / "nothing.835"))
    assert told.code == 1
    assert f"There is no file {tmp_path / 'nothing.835'}." in told.err.replace("\n", "")


def test_many_transactions_come_out_as_one_document(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "many.835"
    path.write_bytes(synthetic.make_up(synthetic.Plan(claims=2, payments=3, groups=2, interchanges=2), 1).data)
    (told,) = json.loads(run("era", "parse", str(path), "--json").out)["files"]
    assert told["interchanges"] == 2
    assert len(told["transactions"]) == 12
