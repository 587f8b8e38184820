"""The mapping from the bundle's tables and columns to the database. Names not listed here are the same in both."""

from typing import Final

from ingest.bundle.format import Column, Table

TABLES = {
    "practice": "practices",
    "availability": "availability_windows",
    "supervision": "supervision_sessions",
    "rates": "pay_multipliers",
}
COLUMNS = {
    ("appointments", "service_code"): "service_id",
    ("appointments", "group_id"): "group_session_id",
    ("availability_exceptions", "date"): "on_date",
    ("adjustments", "group"): "group_code",
    ("closures", "date"): "closed_on",
}
STORED_ELSEWHERE = {  # in tables of their own
    ("practice", "average_reimbursement_target"),
    ("staff", "base_pay_rate"),
    ("services", "rate"),
    ("claims", "charge_ids"),
    ("payments", "provider_adjustments"),
}
SEALED = {("clients", "medical_notes"), ("notes", "text"), ("incidents", "summary"), ("practice", "tax_id")}
REIMBURSEMENT_TARGET: Final = "average_reimbursement_target_cents"  # the key of the rule setting


def get_table_name(table: Table) -> str:
    """Return the name of the database table that stores a bundle table."""
    return TABLES.get(table.name, table.name)


def get_column_name(table: Table, column: Column) -> str:
    """Return the name of the database column that stores a bundle column."""
    if column.name == "id":
        return "external_id"
    return COLUMNS.get((table.name, column.name), f"{column.name}_cents" if column.kind == "money" else column.name)
