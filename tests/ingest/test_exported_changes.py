"""A field of each table is changed through the API: the export shows these changes, and no other."""

import csv
import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from ingest.bundle import column_mapping
from ingest.bundle.format import TABLES
from practice.people.models.practices import Practice, Training
from practice.security.installation import Installation
from practice.store.ids import NOBODY, new_id
from tests.support.builders.bundles import NOW, contents, move_in, move_out, named, small, write_folder
from tests.support.builders.people import give_credentials, make_platform_admin, sign_in, take_place
from tests.support.drivers.http import V1, with_token
from tests.support.drivers.sign_in_flow import enter

GOLDEN = Path(os.environ.get("CASELOAD_GOLDEN", "nowhere"))

# No operation writes these yet. Who adds the first moves its table to CHANGES.
NOT_WRITTEN_YET = {
    "charges", "claims", "payments", "payment_applications", "refunds", "adjustments",
}  # fmt: skip

Row = dict[str, str]


@dataclass(frozen=True)
class Change:
    """What is sent for the first row that is like this, and what the export shows of it afterwards. With `like` None
    it shows another row."""

    table: str
    method: str
    path: str
    sent: dict[str, Any]
    seen: Row
    like: Row | None = field(default_factory=dict)


def at(path: str) -> dict[str, Any]:
    return {"method": "PATCH", "path": path}


CLINICIAN = {"roles": "clinician", "left_on": ""}
CHANGES = [
    Change("practice", **at("/practices/{id}"), sent={"npi": "1245319599"}, seen={"npi": "1245319599"}),
    Change(
        "practice", "POST", "/settings/average_reimbursement_target_cents",
        {"value": 11725, "effective_on": "2026-03-18"}, {"average_reimbursement_target": "117.25"},
    ),
    Change(
        "staff", **at("/staff/{id}"), sent={"license_number": "L-9"}, seen={"license_number": "L-9"}, like=CLINICIAN
    ),
    Change(
        "staff", "POST", "/staff/{id}/pay-rates", {"rate": "71.25", "effective_on": "2026-03-18"},
        {"base_pay_rate": "71.25"}, CLINICIAN,
    ),
    Change("clients", **at("/clients/{id}"), sent={"city": "Decatur"}, seen={"city": "Decatur"}, like={"ended_on": ""}),
    Change("coverages", **at("/coverages/{id}"), sent={"group_number": "G-9"}, seen={"group_number": "G-9"}),
    Change("services", **at("/services/{code}"), sent={"name": "Talking"}, seen={"name": "Talking"}),
    Change(
        "services", "POST", "/services/{code}/rates", {"rate": "131.07", "effective_on": "2026-03-18"},
        {"rate": "131.07"},
    ),
    Change("rooms", **at("/rooms/{id}"), sent={"capacity": 7}, seen={"capacity": "7"}),
    Change(
        "availability", **at("/clinicians/{clinician_id}/availability/{id}"), sent={"ends_on": "2031-12-31"},
        seen={"ends_on": "2031-12-31"}, like={"ends_on": ""},
    ),
    Change(
        "availability_exceptions", **at("/clinicians/{clinician_id}/exceptions/{id}"), sent={"reason": "Moved house"},
        seen={"reason": "Moved house"},
    ),
    Change(
        "appointments", **at("/appointments/{id}"), sent={"special_requests": "A lamp"},
        seen={"special_requests": "A lamp"}, like={"status": "SCHEDULED", "group_id": ""},
    ),
    Change("consents", **at("/consents/{id}"), sent={"expires_on": "2027-01-31"}, seen={"expires_on": "2027-01-31"}),
    Change(
        "trainings", "POST", "/staff/{staff}/trainings", {"kind": "OTHER", "completed_on": "2026-03-01"},
        {"staff_id": "{staff}", "kind": "OTHER", "completed_on": "2026-03-01"}, None,
    ),
    Change(
        "treatment_plan_reviews", **at("/treatment-plan-reviews/{id}"), sent={"reviewed_on": "2024-12-25"},
        seen={"reviewed_on": "2024-12-25"}, like={"id": "{review}"},
    ),
    Change(
        "supervision", **at("/supervision-sessions/{id}"), sent={"hours": "0.75"}, seen={"hours": "0.75"},
        like={"note_signed_at": ""},
    ),
    Change(
        "notes", "POST", "/notes/{id}/amend", {"sections": {"text": "It was so."}, "reason": "It was not"},
        {"status": "AMENDED", "text": "It was so."}, {"status": "SIGNED", "clinician_id": "{reviewer}"},
    ),
    Change("incidents", **at("/incidents/{id}"), sent={"summary": "It was found."}, seen={"summary": "It was found."}),
    Change(
        "rates", "POST", "/pay/multipliers", {"kind": "CRISIS", "multiplier": "1.65", "effective_on": "2026-04-05"},
        {"staff_id": "", "kind": "CRISIS", "multiplier": "1.65", "effective_on": "2026-04-05"}, None,
    ),
    Change(
        "closures", "POST", "/closures", {"closed_on": "2026-12-31", "reason": "The year ends"},
        {"date": "2026-12-31", "reason": "The year ends"}, None,
    ),
]  # fmt: skip


class Moved:
    """A practice that came in as a bundle, with its admin signed in, and a clinician for what is theirs to write."""

    def __init__(self, installation: Installation, practice: Practice, folder: Path) -> None:
        self.installation, self.practice, self.folder = installation, practice, folder
        with installation.store.session_in(practice.id) as db:
            self.admin, self.account, self.email = db.execute(
                text("select external_id, account_id, email from staff where 'admin' = any(roles) limit 1")
            ).one()
        take_place(installation, self.account, practice.id)
        self.token = sign_in(installation, self.account, practice.id).access
        self.review, self.reviewer, self.clinician_token = self.who_reviews()
        self.platform_token = sign_in(installation, make_platform_admin(installation).account_id, NOBODY).access

    def who_reviews(self) -> tuple[str, str, str]:
        """A review of a treatment plan, who entered it, and their token: they treat the client, and are trained."""
        query = text("""
            select r.external_id, s.external_id as reviewer, s.id, s.account_id from treatment_plan_reviews as r
            join clients as c on c.id = r.client_id and c.primary_clinician_id = r.clinician_id
            join staff as s on s.id = r.clinician_id and s.left_on is null
            order by r.reviewed_on, r.external_id limit 1
        """)
        with self.installation.store.session_in(self.practice.id) as db:
            review, reviewer, staff_id, account = db.execute(query).one()
            trained = {"kind": "HIPAA", "completed_on": NOW.date(), "recorded_at": NOW}
            db.add(Training(tenant_id=self.practice.id, id=new_id(), staff_id=staff_id, **trained))
        take_place(self.installation, account, self.practice.id)
        return review, reviewer, sign_in(self.installation, account, self.practice.id).access

    def token_for(self, path: str) -> str:
        if path.startswith("/practices"):
            return self.platform_token
        return self.clinician_token if path.startswith(("/treatment-plan", "/notes")) else self.token

    def out(self, name: str) -> dict[str, list[Row]]:
        files = move_out(self.installation, self.practice, self.folder / name)
        return {Path(file).stem: list(csv.DictReader(io.StringIO(whole, newline=""))) for file, whole in files.items()}

    def id_and_version(self, table: str, row: Row) -> tuple[UUID, int | None]:
        if table == "practice":
            return self.practice.id, self.version("practices", self.practice.id)
        key = "code" if table == "services" else "external_id"
        name = column_mapping.table_of(TABLES[table])
        with self.installation.store.session_in(self.practice.id) as db:
            found = db.scalar(text(f"select id from {name} where {key} = :key"), {"key": row.get("id") or row["code"]})
        assert found
        return found, self.version(name, found)

    def version(self, table: str, row_id: UUID) -> int | None:
        with self.installation.store.session_in(self.practice.id) as db:
            kept = db.execute(text(f"select * from {table} where id = :id"), {"id": row_id}).mappings().one()
            return kept.get("version")

    def make(self, client: TestClient, change: Change, files: dict[str, list[Row]]) -> None:
        """Through the API, and what it must lead to in the files."""
        headers = with_token(self.token_for(change.path))
        names = {"staff": str(self.id_and_version("staff", {"id": self.admin})[0])}
        if change.like is not None:
            known = {"{review}": self.review, "{reviewer}": self.reviewer}
            like = {name: known.get(value, value) for name, value in change.like.items()}
            row = next(row for row in files[change.table] if like.items() <= row.items())
            row_id, version = self.id_and_version(change.table, row)
            names |= {"id": str(row_id), "code": row.get("code", "")}
            if "clinician_id" in row:
                names["clinician_id"] = str(self.id_and_version("staff", {"id": row["clinician_id"]})[0])
            if change.method == "PATCH" or change.path.endswith("/amend"):
                headers["If-Match"] = f'"{version}"'
            assert not change.seen.items() <= row.items()
            row |= change.seen
        answer = client.request(change.method, V1 + change.path.format(**names), headers=headers, json=change.sent)
        assert answer.status_code < 300, (change.path, answer.text)
        if change.like is None:
            seen = {name: self.admin if value == "{staff}" else value for name, value in change.seen.items()}
            own = {"id": answer.json()["id"]} if "id" in TABLES[change.table].by_name else {}
            files[change.table].append(own | seen)


def sorted_rows(files: dict[str, list[Row]]) -> dict[str, list[list[tuple[str, str]]]]:
    return {table: sorted(sorted(row.items()) for row in rows) for table, rows in files.items()}


def oak_street(folder: Path) -> Path:
    return write_folder(folder / "oak_street", named(small()))


def golden(name: str) -> Any:
    missing = pytest.mark.skipif("CASELOAD_GOLDEN" not in os.environ, reason="CASELOAD_GOLDEN names no folder")
    return pytest.param(lambda _folder: GOLDEN / name, marks=missing, id=name)


@pytest.mark.parametrize("bundle", [oak_street, golden("practice_a"), golden("practice_b")])
def test_the_export_shows_what_was_changed_through_the_api_and_nothing_else(
    own_installation: Installation,
    own_client: TestClient,
    other_installation: Installation,
    tmp_path: Path,
    bundle: Any,
) -> None:
    moved = Moved(own_installation, move_in(own_installation, bundle(tmp_path)).practice, tmp_path)
    files = moved.out("before")
    for change in CHANGES:
        moved.make(own_client, change, files)
    enter(own_client, moved.email, give_credentials(own_installation, moved.account), NOW)
    after = moved.out("after")
    (entered,) = [row for row in after["sign_ins"] if row not in files["sign_ins"]]
    files["sign_ins"].append({"id": entered["id"], "staff_id": moved.admin, "at": "2026-03-18T15:30:00Z"})
    assert sorted_rows(after) == sorted_rows(files)

    other = move_in(other_installation, tmp_path / "after").practice
    assert move_out(other_installation, other, tmp_path / "again") == contents(tmp_path / "after")


def test_every_table_is_changed_or_named_as_one_that_nothing_writes_yet() -> None:
    changed = {change.table for change in CHANGES} | {"sign_ins"}
    assert changed | NOT_WRITTEN_YET == set(TABLES)
    assert not changed & NOT_WRITTEN_YET
