"""The values of a file that is brought up to date: of the entities and periods whose sums differ, or that are new."""

from warehouse.increments import DAY_SUMS, SMALL_DAY_SUMS, SMALL_STATES, STATES, Increment

CELL = "entity_kind, entity_id, period_kind, period_start"
REQUIREMENT = (
    "'clinician' as entity_kind, clinician_id as entity_id, period_kind, period_start, "
    "held_hundredths, required_hundredths"
)


def replace_cells(increment: Increment) -> None:
    """Compute the values of the entities and periods whose sums differ, or that go on or are new."""
    increment.execute("create table own.touched.entity_periods as select * from {schema}.entity_periods")
    increment.execute(f"create table own.touched.cell as {' union '.join(list_touched_cells(increment))}")
    query = f"select * from own.touched.entity_periods semi join own.touched.cell using ({CELL})"
    increment.keep("own.cells", "entity_periods", query)
    increment.execute("""
        create table own.touched.span as
        select min(period_start) as first_on, max(period_end) as end_on from own.cells.entity_periods
    """)
    for model in DAY_SUMS:
        within = "on_date >= first_on and on_date < end_on"
        increment.keep("own.cells", model, f"select s.* from {{schema}}.{model} as s, own.touched.span where {within}")
    for state in STATES:
        within = "s.from_on < end_on and s.until_on > first_on"
        query = f"select s.* from {{schema}}.{state}_states as s, own.touched.span where {within}"
        increment.keep("own.cells", f"{state}_states", query)
    for model in ("metric_sums", "metric_sums_of_days", "metric_cells"):
        increment.create(model, "table", into="own.cells")
    same = " and ".join(f"s.{key} = c.{key}" for key in CELL.split(", "))
    increment.execute(f"delete from {{schema}}.metric_sums as s using own.touched.cell as c where {same}")
    increment.execute("insert into {schema}.metric_sums select * from own.cells.metric_sums")


def list_touched_cells(increment: Increment) -> list[str]:
    """Return queries of the entities and periods whose values can differ."""
    queries = [
        f"""
        select s.entity_kind, s.entity_id, d.period_kind, d.period_start
        from own.differing.{model} as s join {{schema}}.days_of_periods as d on d.on_date = s.on_date
        """
        for model in (*DAY_SUMS, *SMALL_DAY_SUMS)
    ]
    for state in (*STATES, *SMALL_STATES):
        sums = increment.list_sums(f"{state}_steps")
        differs = " or ".join(f"sum({name}) over entity <> 0" for name in sums)
        queries.append(f"""
            select c.entity_kind, c.entity_id, c.period_kind, c.period_start
            from (
                from own.touched.entity_periods
                where last_on >= (from own.differing.{state}_steps select min(on_date))
            ) as c
            asof join (
                select entity_kind, entity_id, on_date, {differs} as differs from own.differing.{state}_steps
                window entity as (partition by entity_kind, entity_id order by on_date)
            ) as s on s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and c.last_on >= s.on_date
            where s.differs
        """)
    queries.append(f"""
        select {CELL} from own.touched.entity_periods semi join (
            {select_differing("periods", "period_kind, period_start, period_end, last_on, is_running")}
        ) using (period_kind, period_start)
    """)
    queries.append(f"""
        select {CELL} from own.touched.entity_periods as c semi join (
            {select_differing("receivable_days", "entity_kind, entity_id, on_date, days")}
        ) as r on r.entity_kind = c.entity_kind and r.entity_id = c.entity_id and r.on_date = c.last_on
    """)
    queries.append(f"""
        select 'clinician', s.clinician_id, d.period_kind, d.period_start
        from ({select_differing("supervision_sessions", "row_id, clinician_id, on_date, hundredths")}) as s
        join {{schema}}.days_of_periods as d on d.on_date = s.on_date
    """)
    queries.append(f"select {CELL} from ({select_differing('supervision_requirements', REQUIREMENT)})")
    queries.append(f"select {CELL} from own.differing.late_matured_charges")
    for into in ("removed", "added"):
        queries.append(f"select {CELL} from own.{into}.telehealth_clients")
    return queries


def select_differing(model: str, columns: str) -> str:
    """Return the query of the rows that the model has now or had before, not both."""
    now, before = f"select {columns} from {{schema}}.{model}", f"select {columns} from own.before.{model}"
    return f"({now} except {before}) union all ({before} except {now})"
