"""Builds that go on from the one before: only what a change or the clock touches is computed again.

The same statements run over the records of the touched clients alone. Their facts as they were are subtracted from the
sums, and their facts as they are added: sums are whole numbers, so nothing is lost. Values are then computed for the
entities and periods whose sums differ.
"""

import re
from collections.abc import Iterable

import duckdb

from warehouse.statements import load_statements
from warehouse.touched import CHANGES, CLOCK, LINKS, RECORDS

# Models of a client's records: they run for the touched clients alone.
STAGING = (
    *("stg_claims", "stg_charges", "stg_postings", "stg_appointments", "stg_client_versions", "stg_coverages"),
    *("stg_notes", "stg_client_activity", "stg_consents", "stg_plan_reviews", "stg_primary_clinicians"),
)
# Tables of their facts, in the order in which they run, and the column of the client; claims have none.
FACTS = {
    "charges": "client_id",
    "appointments": "client_id",
    "claims": None,
    "client_conditions": "client_id",
    "client_spans": "row_id",
    "discipline_spans": "row_id",
    "retention_cohorts": "row_id",
    "telehealth_clients": "client_id",
}
FACT_VIEWS = ("matured_charges", "receivables", "unsigned_sessions")
DAY_SUMS = (
    *("adjudicated_claim_sums", "submitted_claim_sums", "appointment_sums", "charge_sums", "matured_charge_sums"),
    *("retention_sums", "clinician_day_sums"),
)
STATES = ("client", "discipline", "receivable", "unsigned_session")
# Models of few rows are computed whole.
CALENDAR = ("calendar", "days", "periods", "days_of_periods")
HOURS = ("local_times", "clinician_hours")
SMALL = ("supervision_sessions", "supervision_requirements", "incidents", "remittance_claims", "staff_spans")
SMALL_DAY_SUMS = ("incident_sums", "remittance_claim_sums", "supervision_session_sums")
SMALL_STATES = ("staff", "backlog_alert")
SCHEMAS = ("touched", "records", "before", "after", "hours", "removed", "added", "differing", "states", "cells")
IS_TOUCHED = "in (select id from own.touched.client)"
ENTITY = ("tenant_id", "entity_kind", "entity_id")
DAY = (*ENTITY, "on_date")
PERIOD = (*ENTITY, "period_kind", "period_start")
SAME_ENTITY = " and ".join(f"s.{key} = d.{key}" for key in ENTITY)
READ = re.compile(r'\{schema\}\."(\w+)"')


class Increment:
    """A schema of a practice's file that is brought up to date. What it needs beside it is in memory, in `own`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: str, number: int) -> None:
        self.connection, self.own = connection, f"own{number}"
        self.file = connection.execute("select current_database()").fetchall()[0][0]
        self.schema = f"{self.file}.{schema}"
        self.statements = {statement.name: statement for statement in load_statements("duckdb")}
        self.execute(f"attach ':memory:' as {self.own}")
        for name in SCHEMAS:
            self.execute(f"create schema own.{name}")
        self.made: dict[str, set[str]] = {}
        for model in ("stg_practices", "calendar", "periods"):
            self.keep("own.before", model, f"select * from {{schema}}.{model}")

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Execute a statement about the schema, the records of its file and `own`: views elsewhere need full names."""
        sql = re.sub(r"(?<![\w.])records\.", f"{self.file}.records.", sql.replace("{schema}", self.schema))
        return self.connection.execute(re.sub(r"(?<![\w.])own\.", f"{self.own}.", sql))

    def ask(self, condition: str) -> bool:
        return bool(self.execute(f"select {condition}").fetchall()[0][0])

    def create(self, model: str, kind: str | None = None, into: str = "{schema}", records: str = "records") -> None:
        """Create a model, in the schema itself or beside it: there it reads what is made there, else the schema's."""
        statement = self.statements[model]
        query = statement.query.replace('records."', f'{records}."')
        if into != "{schema}":
            made = self.made.setdefault(into, set())
            query = READ.sub(lambda found: f"{into if found[1] in made else '{schema}'}.{found[1]}", query)
            made.add(model)
        self.execute(f"create or replace {kind or statement.kind} {into}.{model} as {query}")

    def keep(self, into: str, model: str, query: str) -> None:
        """Create a table beside the schema in the place of a model."""
        self.execute(f"create table {into}.{model} as {query}")
        self.made.setdefault(into, set()).add(model)

    # Before the changes are applied to the records

    def find_touched(self) -> None:
        """Find the clients that changes and the clock touch, and the sign-ins."""
        for kind in ("claim", "charge", "note", "appointment", "client", "sign_in"):
            self.execute(f"create table own.touched.{kind} (id uuid)")
        for kind, query in (*CHANGES.values(), *CLOCK.values()):
            self.execute(f"insert into own.touched.{kind} {query}")
        for kind, query in LINKS.values():
            self.execute(f"insert into own.touched.{kind} {query}")
        self.execute(
            "create or replace table own.touched.client as "
            "select distinct id from own.touched.client where id is not null"  # `not in` finds nothing beside a null
        )

    def keep_facts(self) -> None:
        """Keep the facts of the touched clients, and the days of the touched sign-ins, as they are."""
        for table, condition in RECORDS.items():
            self.execute(f"create view own.records.{table} as select * from records.{table} where {condition}")
        for fact, column in FACTS.items():
            condition = f"{column} {IS_TOUCHED}" if column else "row_id in (select id from own.records.claims)"
            self.keep("own.before", fact, f"select * from {{schema}}.{fact} where {condition}")
        self.create_facts("own.before", FACT_VIEWS)
        self.create("stg_sign_ins", into="own.before", records="own.records")
        self.execute(
            "create table own.touched.day as select staff_id as clinician_id, on_date from own.before.stg_sign_ins"
        )

    def create_facts(self, into: str, facts: Iterable[str]) -> None:
        """Compute facts from the records of the touched clients."""
        for model in STAGING:
            self.create(model, into=into, records="own.records")
        for model in facts:
            self.create(model, "table", into=into, records="own.records")

    # After that

    def replace_calendar(self) -> bool:
        """Compute the calendar, and return whether it begins on the same day as before: else nothing can be kept."""
        for model in CALENDAR:
            self.create(model)
        grown = "(select last_on from {schema}.calendar) <> (select last_on from own.before.calendar)"
        if self.ask(grown):
            for model in HOURS:
                self.create(model)
            self.execute("""
                insert into own.touched.day
                select s.staff_id, d.on_date from {schema}.stg_staff as s, {schema}.days as d, own.before.calendar as c
                where d.on_date > c.last_on
            """)
        return self.ask("(select first_on from {schema}.calendar) = (select first_on from own.before.calendar)")

    def replace_facts(self) -> None:
        """Compute the facts of the touched clients, and put them in the place of those before."""
        self.create_facts("own.after", FACTS)
        for fact, column in FACTS.items():
            if column:  # the records of others, which they look up, are complete for them alone
                self.execute(f"delete from own.after.{fact} where not {column} {IS_TOUCHED}")
        self.create_facts("own.after", FACT_VIEWS)
        for fact, column in FACTS.items():
            either = "row_id in (from own.before.claims select row_id union from own.after.claims select row_id)"
            condition = f"{column} {IS_TOUCHED}" if column else either
            self.execute(f"delete from {{schema}}.{fact} where {condition}")
            self.execute(f"insert into {{schema}}.{fact} select * from own.after.{fact}")
        for fact in (*FACTS, *FACT_VIEWS):
            self.compare(fact)
        self.replace_clinician_days()

    def compare(self, fact: str) -> None:
        for into, one, other in (("removed", "before", "after"), ("added", "after", "before")):
            query = f"select * from own.{one}.{fact} except all select * from own.{other}.{fact}"
            self.keep(f"own.{into}", fact, query)

    def replace_clinician_days(self) -> None:
        """Compute the days of clinicians with touched appointments, which can pass midnight twice, or sign-ins."""
        self.create("stg_sign_ins", into="own.after", records="own.records")
        self.execute("""
            insert into own.touched.day
            select clinician_id, on_date + days
            from (select clinician_id, on_date from own.removed.appointments
                union select clinician_id, on_date from own.added.appointments) as a, (values (0), (1), (2)) as d (days)
            union all
            select staff_id, on_date from own.after.stg_sign_ins
            union all
            select d.clinician_id, d.on_date from {schema}.clinician_days as d, scratch.clock as c
            where d.on_date > c.former_today and d.on_date <= c.today
        """)
        self.execute("create or replace table own.touched.day as from own.touched.day select distinct *")
        touched = "(clinician_id, on_date) in (select (clinician_id, on_date) from own.touched.day)"
        around = """(clinician_id, on_date) in (
            select (clinician_id, on_date - d.days) from own.touched.day, (values (0), (1), (2)) as d (days)
        )"""
        self.keep("own.hours", "appointments", f"select * from {{schema}}.appointments where {around}")
        self.keep("own.hours", "clinician_hours", f"select * from {{schema}}.clinician_hours where {touched}")
        self.keep(
            "own.hours", "days", "select * from {schema}.days where on_date in (select on_date from own.touched.day)"
        )
        self.create("clinician_days", into="own.hours")
        self.keep("own.before", "clinician_days", f"select * from {{schema}}.clinician_days where {touched}")
        self.keep("own.after", "clinician_days", f"select * from own.hours.clinician_days where {touched}")
        self.execute(f"delete from {{schema}}.clinician_days where {touched}")
        self.execute("insert into {schema}.clinician_days select * from own.after.clinician_days")
        self.compare("clinician_days")

    def replace_sums(self) -> None:
        """Add the differences of facts to the sums. Sums of few rows are computed whole, and compared."""
        models = (*DAY_SUMS, *(f"{state}_steps" for state in STATES))
        for into in ("own.removed", "own.added"):
            for model in models:
                self.create(model, into=into)
        for model in models:
            self.add_differences(model, DAY)
        for state in STATES:
            self.replace_states(state)
        for model in (*SMALL, *SMALL_DAY_SUMS):
            self.replace_whole(model)
        for state in SMALL_STATES:
            self.replace_whole(f"{state}_steps")
            self.create(f"{state}_states")
        for model in (*SMALL_DAY_SUMS, *(f"{state}_steps" for state in SMALL_STATES)):
            self.subtract(model, DAY, f"{{schema}}.{model}", f"own.before.{model}")
        self.replace_money()

    def replace_money(self) -> None:
        """Compute what periods that go on know of charges, which is another day's from midnight on."""
        is_new_day = self.ask("(from scratch.clock select former_last_day <> last_day)")
        if is_new_day:
            self.replace_whole("late_matured_charges")
            self.subtract(
                "late_matured_charges", PERIOD, "{schema}.late_matured_charges", "own.before.late_matured_charges"
            )
        else:
            for into in ("own.removed", "own.added"):
                self.create("late_matured_charges", into=into)
            self.add_differences("late_matured_charges", PERIOD)
        if is_new_day or self.ask("exists (from own.removed.charges) or exists (from own.added.charges)"):
            self.replace_whole("receivable_days")
        else:
            self.keep("own.before", "receivable_days", "select * from {schema}.receivable_days")

    def replace_whole(self, model: str) -> None:
        self.keep("own.before", model, f"select * from {{schema}}.{model}")
        self.create(model)

    def list_sums(self, model: str, keys: Iterable[str] = DAY) -> list[str]:
        columns = self.execute(f"describe {{schema}}.{model}").fetchall()
        return [name for name, *_ in columns if name not in keys]

    def subtract(self, model: str, keys: Iterable[str], added: str, removed: str) -> None:
        """Keep by how much sums differ, where they do."""
        sums, key = self.list_sums(model, keys), ", ".join(keys)
        self.execute(f"""
            create table own.differing.{model} as
            select {key}, {", ".join(f"cast(coalesce(sum({name}), 0) as bigint) as {name}" for name in sums)}
            from (
                select * from {added}
                union all
                select {key}, {", ".join(f"-{name}" for name in sums)} from {removed}
            )
            group by all
            having {" or ".join(f"coalesce(sum({name}), 0) <> 0" for name in sums)}
        """)

    def add_differences(self, model: str, keys: Iterable[str]) -> None:
        """Add the sums of what is new to those of the schema, and subtract those of what is gone."""
        self.subtract(model, keys, f"own.added.{model}", f"own.removed.{model}")
        if not self.ask(f"exists (from own.differing.{model})"):
            return
        key = ", ".join(keys)
        self.execute(f"""
            create or replace table own.touched.sums as
            select {key}, {", ".join(f"sum({name}) as {name}" for name in self.list_sums(model, keys))}
            from (
                select * from {{schema}}.{model} semi join own.differing.{model} using ({key})
                union all
                select * from own.differing.{model}
            )
            group by all
        """)
        same = " and ".join(f"s.{name} = d.{name}" for name in keys)
        self.execute(f"delete from {{schema}}.{model} as s using own.differing.{model} as d where {same}")
        self.execute(f"insert into {{schema}}.{model} select * from own.touched.sums")

    def replace_states(self, state: str) -> None:
        """Add up the steps of an entity again from the first that differs on; what stood before it is carried on."""
        if not self.ask(f"exists (from own.differing.{state}_steps)"):
            return
        steps, states = f"{state}_steps", f"{state}_states"
        sums = ", ".join(f"s.{name}" for name in self.list_sums(steps))
        entity = ", ".join(f"s.{key}" for key in ENTITY)
        self.execute(f"""
            create or replace table own.touched.start as
            select {", ".join(ENTITY)}, min(on_date) as first_on from own.differing.{steps} group by all
        """)
        self.keep(
            "own.states",
            steps,
            f"""
            select {entity}, s.from_on as on_date, {sums} from {{schema}}.{states} as s
            join own.touched.start as d on {SAME_ENTITY} and s.from_on < d.first_on and s.until_on >= d.first_on
            union all
            select {entity}, s.on_date, {sums} from {{schema}}.{steps} as s
            join own.touched.start as d on {SAME_ENTITY} and s.on_date >= d.first_on
            """,
        )
        self.create(states, into="own.states")
        self.execute(f"""
            delete from {{schema}}.{states} as s using own.touched.start as d
            where {SAME_ENTITY} and s.from_on >= d.first_on
        """)
        self.execute(f"""
            insert into {{schema}}.{states} select s.* from own.states.{states} as s
            join own.touched.start as d on {SAME_ENTITY} and s.from_on >= d.first_on
        """)
        self.execute(f"""
            update {{schema}}.{states} as s set until_on = d.until_on
            from (
                select {", ".join(f"d.{key}" for key in ENTITY)}, d.first_on,
                    coalesce(min(s.from_on), date '9999-01-01') as until_on
                from own.touched.start as d
                left join own.states.{states} as s on {SAME_ENTITY} and s.from_on >= d.first_on
                group by all
            ) as d
            where {SAME_ENTITY} and s.from_on < d.first_on and s.until_on >= d.first_on
        """)
