"""The queries of an export: each column of a file as its text in the bundle.

Connections use UTC and ISO dates, so the text of an instant needs two replacements and no formatting.
"""

from typing import LiteralString

from psycopg import sql

from ingest.bundle import column_mapping
from ingest.bundle.format import TABLES, Column, Table

# columns that are not in the table itself
COMPUTED: dict[tuple[str, str], LiteralString] = {
    ("practice", "average_reimbursement_target"): f"""
        round(rule_value(r.id, '{column_mapping.REIMBURSEMENT_TARGET}', %(today)s)::bigint * 0.01, 2)
    """,
    ("staff", "base_pay_rate"): """
        (
            select round(p.rate_cents * 0.01, 2) from pay_rates as p
            where p.tenant_id = r.tenant_id and p.staff_id = r.id
                and (p.effective_on is null or p.effective_on <= %(today)s)
            order by p.effective_on desc nulls last, p.set_at desc limit 1
        )
    """,
    ("services", "rate"): """
        coalesce((
            select round(p.rate_cents * 0.01, 2) from service_rates as p
            where p.tenant_id = r.tenant_id and p.service_id = r.id
                and (p.effective_on is null or p.effective_on <= %(today)s)
            order by p.effective_on desc nulls last, p.set_at desc limit 1
        ), 0.00)
    """,
    ("payments", "provider_adjustments"): """
        (
            select round(r.provider_cents * 0.01, 2)
            where exists (select from provider_adjustments as v where v.tenant_id = r.tenant_id and v.payment_id = r.id)
                or exists (select from settlements as s where s.tenant_id = r.tenant_id and s.payment_id = r.id)
        )
    """,
    ("claims", "charge_ids"): """
        (
            select string_agg(coalesce(h.external_id, h.id::text), '|' order by l.position)
            from claim_charges as l join charges as h on h.tenant_id = l.tenant_id and h.id = l.charge_id
            where l.tenant_id = r.tenant_id and l.claim_id = r.id
        )
    """,
}
SOURCES: dict[str, LiteralString] = {  # tables of which not every row is exported, or without a `tenant_id`
    "practice": "(select *, id as tenant_id from practices)",
    "rates": """
        (
            select distinct on (staff_id, kind, effective_on) * from pay_multipliers where tenant_id = %(tenant_id)s
            order by staff_id, kind, effective_on, set_at desc
        )
    """,
}
NOT_VOIDED: LiteralString = "r.voided_at is null"
CONDITIONS: dict[str, LiteralString] = {
    "coverages": f"""
        {NOT_VOIDED} or exists (select from claims as c where c.tenant_id = r.tenant_id and c.coverage_id = r.id)
    """,
    "consents": NOT_VOIDED,
    "trainings": NOT_VOIDED,
    "incidents": NOT_VOIDED,
    "notes": f"{NOT_VOIDED} and r.entered_in_error_at is null",
    "treatment_plan_reviews": NOT_VOIDED,
    "supervision": NOT_VOIDED,
    "closures": NOT_VOIDED,
    "availability": NOT_VOIDED,
    "availability_exceptions": NOT_VOIDED,
    "payments": NOT_VOIDED,
    "payment_applications": "to_payment_id.voided_at is null",
    "refunds": "to_payment_id.voided_at is null",
}


def build_export_query(table: Table) -> sql.Composed:
    """Return the query for all rows of a file in its order, with the row's id first. Sealed columns stay sealed."""
    order = [sql.SQL('{} collate "C" nulls first, ').format(sql.Identifier(name)) for name in table.key]
    return sql.SQL(
        "select * from (select r.id as row_id, {columns} from {source} as r {joins} "
        "where r.tenant_id = %(tenant_id)s and ({condition})) as written order by {order} row_id"
    ).format(
        columns=sql.SQL(", ").join(
            sql.SQL("{} as {}").format(build_expression(table, column), sql.Identifier(column.name))
            for column in table.columns
        ),
        **build_source(table),
        order=sql.SQL("").join(order),
    )


def build_count_query(table: Table) -> sql.Composed:
    """Return the query for the number of rows of a file."""
    return sql.SQL(
        "select count(*) from {source} as r {joins} where r.tenant_id = %(tenant_id)s and ({condition})"
    ).format(**build_source(table))


def build_source(table: Table) -> dict[str, sql.Composable]:
    """Return where the rows of a file come from: the table, what its columns refer to, and which rows."""
    return {
        "source": sql.SQL(SOURCES[table.name])
        if table.name in SOURCES
        else sql.Identifier(column_mapping.get_table_name(table)),
        "joins": sql.SQL(" ").join(build_join(table, column) for column in table.columns if get_target(table, column)),
        "condition": sql.SQL(CONDITIONS.get(table.name, "true")),
    }


def build_expression(table: Table, column: Column) -> sql.Composable:
    """Return the SQL expression for the text of a column."""
    if (table.name, column.name) in COMPUTED:
        return sql.SQL("({})::text").format(sql.SQL(COMPUTED[table.name, column.name]))
    if get_target(table, column):
        return build_id_expression(make_alias(column), get_target(table, column))
    if column.name == "id":
        return build_id_expression(sql.Identifier("r"), column_mapping.get_table_name(table))
    value = sql.SQL("r.{}").format(sql.Identifier(column_mapping.get_column_name(table, column)))
    if (table.name, column.name) in column_mapping.SEALED:
        return value
    match column.kind:
        case "instant":
            template: LiteralString = "replace(replace({}::text, ' ', 'T'), '+00', 'Z')"
        case "time":
            template = "to_char({}, 'HH24:MI')"
        case "money":
            template = "round({} * 0.01, 2)::text"
        case "list":
            template = "nullif(array_to_string({}, '|'), '')"
        case "text" | "prose" | "email":
            template = "nullif({}, '')"
        case _:
            template = "{}::text"
    return sql.SQL(template).format(value)


def get_target(table: Table, column: Column) -> str:
    """Return the database table that the column refers to, or an empty string."""
    if column.references and column.kind != "list":
        return column_mapping.get_table_name(TABLES[column.references])
    return "group_sessions" if (table.name, column.name) == ("appointments", "group_id") else ""


def build_id_expression(alias: sql.Composable, table: str) -> sql.Composable:
    """Return the expression for a record's id in the system it came from, or else its own."""
    if table == "services":
        return sql.SQL("{}.code").format(alias)
    return sql.SQL("coalesce({0}.external_id, {0}.id::text)").format(alias)


def make_alias(column: Column) -> sql.Identifier:
    """Return the alias under which the table that a column refers to is joined."""
    return sql.Identifier(f"to_{column.name}")


def build_join(table: Table, column: Column) -> sql.Composed:
    """Return the join of the table that a column refers to."""
    return sql.SQL(
        "left join {target} as {alias} on {alias}.tenant_id = r.tenant_id and {alias}.id = r.{column}"
    ).format(
        target=sql.Identifier(get_target(table, column)),
        alias=make_alias(column),
        column=sql.Identifier(column_mapping.get_column_name(table, column)),
    )
