"""A field of each table is changed through the API: the export shows these changes and no others."""

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
from practice.store.ids import SYSTEM_TENANT, new_id
from tests.support.builders.bundles import (
    NOW,
    export_files,
    import_practice,
    load_sample_rows,
    make_unique,
    read_files,
    write_folder,
)
from tests.support.builders.people import accept_membership, give_credentials, make_platform_admin, sign_in
from tests.support.drivers.http import V1, token_headers
from tests.support.drivers.sign_in_flow import enter_code

GOLDEN = Path(os.environ.get("CASELOAD_GOLDEN", "nowhere"))

# No operation writes these yet. With the first one, move its table to CHANGES.
NOT_WRITTEN_YET = {
    "charges",
    "claims",
    "payments",
    "payment_applications",
    "refunds",
    "adjustments",
}

Row = dict[str, str]


@dataclass(frozen=True)
class Change:
    """A request for the first row with the values of `matching`, and what the export then shows of that row.

    If `matching` is None, the export shows a new row.
    """

    table: str
    method: str
    path: str
    body: dict[str, Any]
    expected: Row
    matching: Row | None = field(default_factory=dict)


CLINICIAN = {"roles": "clinician", "left_on": ""}
CHANGES = [
    Change("practice", "PATCH", "/practices/{id}", body={"npi": "1245319599"}, expected={"npi": "1245319599"}),
    Change(
        "practice",
        "POST",
        "/settings/average_reimbursement_target_cents",
        {"value": 11725, "effective_on": "2026-03-18"},
        {"average_reimbursement_target": "117.25"},
    ),
    Change(
        "staff",
        "PATCH",
        "/staff/{id}",
        body={"license_number": "L-9"},
        expected={"license_number": "L-9"},
        matching=CLINICIAN,
    ),
    Change(
        "staff",
        "POST",
        "/staff/{id}/pay-rates",
        {"rate": "71.25", "effective_on": "2026-03-18"},
        {"base_pay_rate": "71.25"},
        CLINICIAN,
    ),
    Change(
        "clients",
        "PATCH",
        "/clients/{id}",
        body={"city": "Decatur"},
        expected={"city": "Decatur"},
        matching={"ended_on": ""},
    ),
    Change("coverages", "PATCH", "/coverages/{id}", body={"group_number": "G-9"}, expected={"group_number": "G-9"}),
    Change("services", "PATCH", "/services/{code}", body={"name": "Talking"}, expected={"name": "Talking"}),
    Change(
        "services",
        "POST",
        "/services/{code}/rates",
        {"rate": "131.07", "effective_on": "2026-03-18"},
        {"rate": "131.07"},
    ),
    Change("rooms", "PATCH", "/rooms/{id}", body={"capacity": 7}, expected={"capacity": "7"}),
    Change(
        "availability",
        "PATCH",
        "/clinicians/{clinician_id}/availability/{id}",
        body={"ends_on": "2031-12-31"},
        expected={"ends_on": "2031-12-31"},
        matching={"ends_on": ""},
    ),
    Change(
        "availability_exceptions",
        "PATCH",
        "/clinicians/{clinician_id}/exceptions/{id}",
        body={"reason": "Moved away"},
        expected={"reason": "Moved away"},
    ),
    Change(
        "appointments",
        "PATCH",
        "/appointments/{id}",
        body={"special_requests": "A lamp"},
        expected={"special_requests": "A lamp"},
        matching={"status": "SCHEDULED", "group_id": ""},
    ),
    Change(
        "consents",
        "POST",
        "/consents/{id}/revoke",
        {"revoked_at": "2026-03-17T09:00:00Z"},
        {"revoked_at": "2026-03-17T09:00:00Z"},
        {"revoked_at": ""},
    ),
    Change(
        "trainings",
        "POST",
        "/staff/{staff}/trainings",
        {"kind": "OTHER", "completed_on": "2026-03-01"},
        {"staff_id": "{staff}", "kind": "OTHER", "completed_on": "2026-03-01"},
        None,
    ),
    Change(
        "treatment_plan_reviews",
        "PATCH",
        "/treatment-plan-reviews/{id}",
        body={"reviewed_on": "2024-12-25"},
        expected={"reviewed_on": "2024-12-25"},
        matching={"id": "{review}"},
    ),
    Change(
        "supervision",
        "PATCH",
        "/supervision-sessions/{id}",
        body={"hours": "0.75"},
        expected={"hours": "0.75"},
        matching={"note_signed_at": ""},
    ),
    Change(
        "notes",
        "POST",
        "/notes/{id}/amend",
        {"sections": {"text": "It was so."}, "reason": "It was not"},
        {"status": "AMENDED", "text": "It was so."},
        {"status": "SIGNED", "clinician_id": "{reviewer}"},
    ),
    Change(
        "incidents",
        "PATCH",
        "/incidents/{id}",
        body={"summary": "It was found."},
        expected={"summary": "It was found."},
    ),
    Change(
        "rates",
        "POST",
        "/pay/multipliers",
        {"kind": "CRISIS", "multiplier": "1.65", "effective_on": "2026-04-05"},
        {"staff_id": "", "kind": "CRISIS", "multiplier": "1.65", "effective_on": "2026-04-05"},
        None,
    ),
    Change(
        "closures",
        "POST",
        "/closures",
        {"closed_on": "2026-12-31", "reason": "The year ends"},
        {"date": "2026-12-31", "reason": "The year ends"},
        None,
    ),
]


class ImportedPractice:
    """An imported practice with a signed-in admin, and a signed-in clinician for changes that need one."""

    def __init__(self, installation: Installation, practice: Practice, folder: Path) -> None:
        self.installation, self.practice, self.folder = installation, practice, folder
        with installation.store.begin_session(practice.id) as db:
            self.admin, self.account, self.email = db.execute(
                text("select external_id, account_id, email from staff where 'admin' = any(roles) limit 1")
            ).one()
        accept_membership(installation, self.account, practice.id)
        self.token = sign_in(installation, self.account, practice.id).access
        self.review, self.reviewer, self.clinician_token = self.sign_in_reviewer()
        self.platform_token = sign_in(installation, make_platform_admin(installation).account_id, SYSTEM_TENANT).access

    def sign_in_reviewer(self) -> tuple[str, str, str]:
        """Return a treatment plan review, its author, and the author's token.

        They treat the client, are trained, and have no supervisor, so they amend notes alone.
        """
        query = text("""
            select r.external_id, s.external_id as reviewer, s.id, s.account_id from treatment_plan_reviews as r
            join clients as c on c.id = r.client_id and c.primary_clinician_id = r.clinician_id
            join staff as s on s.id = r.clinician_id and s.left_on is null
            order by r.reviewed_on, r.external_id limit 1
        """)
        with self.installation.store.begin_session(self.practice.id) as db:
            review, reviewer, staff_id, account = db.execute(query).one()
            db.execute(text("update staff set supervisor_id = null where id = :id"), {"id": staff_id})
            db.add(
                Training(
                    tenant_id=self.practice.id,
                    id=new_id(),
                    staff_id=staff_id,
                    kind="HIPAA",
                    completed_on=NOW.date(),
                    recorded_at=NOW,
                )
            )
        accept_membership(self.installation, account, self.practice.id)
        return review, reviewer, sign_in(self.installation, account, self.practice.id).access

    def choose_token(self, path: str) -> str:
        if path.startswith("/practices"):
            return self.platform_token
        return self.clinician_token if path.startswith(("/treatment-plan", "/notes")) else self.token

    def export(self, name: str) -> dict[str, list[Row]]:
        files = export_files(self.installation, self.practice, self.folder / name)
        return {
            Path(file).stem: list(csv.DictReader(io.StringIO(content, newline=""))) for file, content in files.items()
        }

    def load_id_and_version(self, table: str, row: Row) -> tuple[UUID, int | None]:
        if table == "practice":
            return self.practice.id, self.load_version("practices", self.practice.id)
        key = "code" if table == "services" else "external_id"
        name = column_mapping.get_table_name(TABLES[table])
        with self.installation.store.begin_session(self.practice.id) as db:
            row_id = db.scalar(text(f"select id from {name} where {key} = :key"), {"key": row.get("id") or row["code"]})
        assert row_id
        return row_id, self.load_version(name, row_id)

    def load_version(self, table: str, row_id: UUID) -> int | None:
        with self.installation.store.begin_session(self.practice.id) as db:
            record = db.execute(text(f"select * from {table} where id = :id"), {"id": row_id}).mappings().one()
            return record.get("version")

    def apply(self, client: TestClient, change: Change, files: dict[str, list[Row]]) -> None:
        """Make the change through the API, and apply it to the expected files."""
        headers = token_headers(self.choose_token(change.path))
        names = {"staff": str(self.load_id_and_version("staff", {"id": self.admin})[0])}
        if change.matching is not None:
            ids = {"{review}": self.review, "{reviewer}": self.reviewer}
            matching = {name: ids.get(value, value) for name, value in change.matching.items()}
            row = next(row for row in files[change.table] if matching.items() <= row.items())
            row_id, version = self.load_id_and_version(change.table, row)
            names |= {"id": str(row_id), "code": row.get("code", "")}
            if "clinician_id" in row:
                names["clinician_id"] = str(self.load_id_and_version("staff", {"id": row["clinician_id"]})[0])
            if change.method == "PATCH" or change.path.endswith("/amend"):
                headers["If-Match"] = f'"{version}"'
            assert not change.expected.items() <= row.items()
            row |= change.expected
        response = client.request(change.method, V1 + change.path.format(**names), headers=headers, json=change.body)
        assert response.status_code < 300, (change.path, response.text)
        if change.matching is None:
            values = {name: self.admin if value == "{staff}" else value for name, value in change.expected.items()}
            new_id_column = {"id": response.json()["id"]} if "id" in TABLES[change.table].columns_by_name else {}
            files[change.table].append(new_id_column | values)


def sort_rows(files: dict[str, list[Row]]) -> dict[str, list[list[tuple[str, str]]]]:
    return {table: sorted(sorted(row.items()) for row in rows) for table, rows in files.items()}


def write_oak_street(folder: Path) -> Path:
    return write_folder(folder / "oak_street", make_unique(load_sample_rows()))


def golden_bundle(name: str) -> Any:
    needs_golden = pytest.mark.skipif("CASELOAD_GOLDEN" not in os.environ, reason="CASELOAD_GOLDEN names no folder")
    return pytest.param(lambda _folder: GOLDEN / name, marks=needs_golden, id=name)


@pytest.mark.parametrize("bundle", [write_oak_street, golden_bundle("practice_a"), golden_bundle("practice_b")])
def test_the_export_shows_exactly_the_changes_made_through_the_api(
    own_installation: Installation,
    own_client: TestClient,
    other_installation: Installation,
    tmp_path: Path,
    bundle: Any,
) -> None:
    imported = ImportedPractice(
        own_installation, import_practice(own_installation, bundle(tmp_path)).practice, tmp_path
    )
    files = imported.export("before")
    for change in CHANGES:
        imported.apply(own_client, change, files)
    enter_code(own_client, imported.email, give_credentials(own_installation, imported.account), NOW)
    after = imported.export("after")
    (entered,) = [row for row in after["sign_ins"] if row not in files["sign_ins"]]
    files["sign_ins"].append({"id": entered["id"], "staff_id": imported.admin, "at": "2026-03-18T15:30:00Z"})
    assert sort_rows(after) == sort_rows(files)

    other = import_practice(other_installation, tmp_path / "after").practice
    assert export_files(other_installation, other, tmp_path / "again") == read_files(tmp_path / "after")


def test_every_table_is_changed_or_not_written_yet() -> None:
    changed = {change.table for change in CHANGES} | {"sign_ins"}
    assert changed | NOT_WRITTEN_YET == set(TABLES)
    assert not changed & NOT_WRITTEN_YET
