"""`caseload era parse` on the command line."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from caseload import era_output
from edi import synthetic
from tests.edi.test_edi_frames import FILE
from tests.support.drivers.commands import RunCommand


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.835"
    path.write_bytes(FILE)
    return path


def test_the_complete_json_document(run: RunCommand, file: Path) -> None:
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
    result = run("era", "parse", str(file), "--json")
    assert result.code == 0
    (document,) = result.json["files"]
    (transaction,) = document.pop("transactions")
    first, second = transaction.pop("claims")
    assert document == {
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


def test_problems_are_located_and_do_not_fail_the_command(run: RunCommand, tmp_path: Path) -> None:
    path = tmp_path / "broken.835"
    path.write_bytes(
        synthetic.corrupt("BAD_DATE: another format", synthetic.generate(synthetic.Plan(claims=2), 1)).data
    )
    result = run("era", "parse", str(path), "--json")
    assert result.code == 0
    assert result.json["files"][0]["problems"] == [
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
    assert result.json["files"][0]["transactions"][0]["date"] is None
    text = run("era", "parse", str(path))
    assert text.code == 0
    assert "segment 4, transaction 0001" in " ".join(text.out.replace("│", " ").split())


def test_a_problem_names_the_control_number_of_its_claim(run: RunCommand, tmp_path: Path) -> None:
    path = tmp_path / "broken.835"
    path.write_bytes(synthetic.corrupt("CLAIM_UNBALANCED", synthetic.generate(synthetic.Plan(claims=2), 3)).data)
    problems = run("era", "parse", str(path), "--json").json["files"][0]["problems"]
    assert {problem["claim"] for problem in problems if problem["code"] == "CLAIM_UNBALANCED"} == {"PCN0000000001"}


def test_a_file_that_is_not_a_remittance_is_refused_and_the_others_are_shown(
    run: RunCommand, file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "invoice.pdf"
    other.write_bytes(b"%PDF-1.7")
    result = run("era", "parse", str(other), str(file), "--json")
    assert result.code == 1
    pdf, remittance = result.json["files"]
    assert [problem["code"] for problem in pdf["problems"]] == ["NOT_X12"]
    assert pdf["transactions"] == []
    assert len(remittance["transactions"]) == 1
    text = run("era", "parse", str(other))
    assert text.code == 1
    assert "contains no readable remittance" in text.err


def test_a_missing_file_is_reported_before_anything_is_printed(run: RunCommand, file: Path, tmp_path: Path) -> None:
    result = run("era", "parse", str(file), str(tmp_path / "nowhere.835"), "--json")
    assert (result.code, result.out) == (1, "")
    assert "nowhere.835" in result.err
    assert run("era", "parse").code == 2


def test_file_content_cannot_control_the_terminal(run: RunCommand, file: Path) -> None:
    file.write_bytes(FILE.replace(b"A HEALTH PLAN", b"[red]A \x1b[31mPLAN"))
    text = run("era", "parse", str(file)).out
    assert "\x1b" not in text
    assert "[red]" in text


@pytest.mark.parametrize("width", [80, 40])
def test_a_narrow_terminal_folds_text_and_truncates_nothing(
    run: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    service = synthetic.ServiceSpec("90837", 16500, paid_override=12_345_678)
    claims = tuple(synthetic.ClaimSpec(f"PCN{number:035}", (service,)) for number in range(1200))
    payment = synthetic.PaymentSpec(claims, trace="T" * 40 + "END", payer=("A PLAN OF THE WHOLE OF SOMEWHERE", "00999"))
    path = tmp_path / "one.835"
    path.write_bytes(synthetic.render(synthetic.RemittanceFile((((payment,),),))).data.replace(b"*0001", b"*000000017"))
    monkeypatch.setattr(era_output.out, "width", width)
    text = run("era", "parse", str(path)).out
    assert "…" not in text
    words = set(text.replace("│", " ").split())
    assert {"000000017", "2026-03-16", "1,200", "148148136.00", "NO", "CLAIM_UNBALANCED"} <= words
    cells = [[cell.strip() for cell in line.split("│")] for line in text.splitlines() if line.startswith("│")]
    assert "".join(row[3] for row in cells if len(row) == 9) == payment.trace
    assert claims[0].control_number in "".join(row[2] for row in cells if len(row) == 5)
    assert max(len(line) for line in text.splitlines()[1:]) <= 80  # the first line is the file name


def test_an_unsound_payment_is_not_shown_as_balanced(run: RunCommand, tmp_path: Path) -> None:
    rendered = synthetic.generate(synthetic.Plan(claims=2), 1)
    path = tmp_path / "truncated.835"
    path.write_bytes(
        rendered.replace_segments([list(segment) for segment in rendered.segments[:-2]]).data
    )  # no GE, no IEA
    text = run("era", "parse", str(path)).out
    assert "unsound" in text
    assert "TRUNCATED" in text
    assert " yes " not in text


def test_a_missing_file_is_named(run: RunCommand, tmp_path: Path) -> None:
    refused = run("era", "parse", str(tmp_path / "nothing.835"))
    assert refused.code == 1
    assert f"File not found: {tmp_path / 'nothing.835'}." in refused.err.replace("\n", "")


def test_many_transactions_are_printed_as_one_document(run: RunCommand, tmp_path: Path) -> None:
    path = tmp_path / "many.835"
    path.write_bytes(synthetic.generate(synthetic.Plan(claims=2, payments=3, groups=2, interchanges=2), 1).data)
    (document,) = json.loads(run("era", "parse", str(path), "--json").out)["files"]
    assert document["interchanges"] == 2
    assert len(document["transactions"]) == 12
