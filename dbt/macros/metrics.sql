{# The two shapes of metrics. A metric's file names its facts and conditions; its sums are made by `day_sums` and `state_sums`. #}

{% macro one_if(condition) %}case when {{ condition }} then 1 else 0 end{% endmacro %}

{# The kind of the rows of each fact, for the rows behind a value. #}
{% macro row_kind(fact) %}
{{ return({
    'appointments': 'appointment', 'unsigned_sessions': 'appointment', 'charges': 'charge', 'matured_charges': 'charge',
    'receivables': 'charge', 'claims': 'claim', 'remittance_claims': 'remittance_claim', 'client_spans': 'client',
    'discipline_spans': 'client', 'retention_cohorts': 'client', 'clinician_days': 'clinician_day', 'staff_spans': 'staff',
    'backlog_alerts': 'staff', 'incidents': 'incident', 'supervision_sessions': 'supervision'
}[fact]) }}
{% endmacro %}

{# A metric of rows that have a date: the rows `among`, of which those `counting` are counted, or `summing` is summed. #}
{% macro dated_metric(fact, counting=none, summing=none, among='true', per='1', date='on_date') %}
{{ config(meta={'shape': 'dated', 'fact': fact, 'row_kind': row_kind(fact), 'date': date, 'among': among, 'numerator': summing or one_if(counting), 'denominator': per}) }}
select tenant_id, clinician_id, row_id, {{ date }} as on_date, {{ summing or one_if(counting) }} as numerator, {{ per }} as denominator
from {{ ref(fact) }}
where {{ among }}
{% endmacro %}

{# A metric of rows that hold from a day until another. #}
{% macro state_metric(fact, counting=none, summing=none, among='true', per='1') %}
{{ config(meta={'shape': 'state', 'fact': fact, 'row_kind': row_kind(fact), 'date': 'from_on', 'among': among, 'numerator': summing or one_if(counting), 'denominator': per}) }}
select tenant_id, clinician_id, row_id, from_on, until_on, {{ summing or one_if(counting) }} as numerator, {{ per }} as denominator
from {{ ref(fact) }}
where {{ among }}
{% endmacro %}

{# The metrics of the project, sorted by key; of one shape, one fact and date where these are given. #}
{% macro list_metrics(shape=none, fact=none, date=none) %}
{% set metrics = [] %}
{% for node in graph.nodes.values() if node.resource_type == 'model' and (node.path.startswith('metrics/') or node.path.startswith('measures/')) %}
    {% set meta = node.config.meta %}
    {% if (shape is none or meta.shape == shape) and (fact is none or meta.fact == fact) and (date is none or meta.date == date) %}
        {% do metrics.append({'key': node.name, 'meta': meta}) %}
    {% endif %}
{% endfor %}
{{ return(metrics | sort(attribute='key')) }}
{% endmacro %}

{# The settings whose value in force on the last day of a period decides the windows of its metrics. #}
{% macro window_names() %}
{{ return((list_metrics() | map(attribute='meta.window') | select | unique | sort) if execute else []) }}
{% endmacro %}

{# Sums of each day for each clinician, team and the practice: one pass over the facts, whatever the number of metrics. #}
{% macro day_sums(fact, date='on_date') %}
-- depends_on: {{ ref(fact) }}
-- depends_on: {{ ref('entity_members') }}
{% if execute %}
{% set metrics = list_metrics('dated', fact, date) %}
with days as (
    select
        tenant_id, clinician_id, {{ date }} as on_date
        {%- for m in metrics %},
        sum(case when {{ m.meta.among }} then {{ m.meta.numerator }} end) as {{ m.key }}_n,
        sum(case when {{ m.meta.among }} then {{ m.meta.denominator }} end) as {{ m.key }}_d{% endfor %}
    from {{ ref(fact) }}
    where {{ date }} is not null
    group by tenant_id, clinician_id, {{ date }}
)

select
    d.tenant_id, m.entity_kind, m.entity_id, d.on_date
    {%- for m in metrics %},
    {{ whole('sum(d.' ~ m.key ~ '_n)') }} as {{ m.key }}_n,
    {{ whole('sum(d.' ~ m.key ~ '_d)') }} as {{ m.key }}_d{% endfor %}
from days as d
join {{ ref('entity_members') }} as m on m.tenant_id = d.tenant_id and m.clinician_id = d.clinician_id
    and m.from_on <= d.on_date and m.until_on > d.on_date
group by d.tenant_id, m.entity_kind, m.entity_id, d.on_date
union all
select
    tenant_id, 'practice', tenant_id, on_date
    {%- for m in metrics %},
    {{ whole('sum(' ~ m.key ~ '_n)') }},
    {{ whole('sum(' ~ m.key ~ '_d)') }}{% endfor %}
from days
group by tenant_id, on_date
{% else %}
select 1 as placeholder
{% endif %}
{% endmacro %}

{# The changes of sums of states on each day, for each clinician, team and the practice. They add up, also from parts. #}
{% macro state_steps(fact) %}
-- depends_on: {{ ref(fact) }}
-- depends_on: {{ ref('entity_members') }}
{% if execute %}
{% set metrics = list_metrics('state', fact) %}
with ends as (
    select tenant_id, clinician_id, from_on as on_date
        {%- for m in metrics %},
        sum(case when {{ m.meta.among }} then {{ m.meta.numerator }} end) as {{ m.key }}_n,
        sum(case when {{ m.meta.among }} then {{ m.meta.denominator }} end) as {{ m.key }}_d{% endfor %}
    from {{ ref(fact) }}
    where from_on is not null and (until_on is null or until_on > from_on)
    group by tenant_id, clinician_id, from_on
    union all
    select tenant_id, clinician_id, until_on
        {%- for m in metrics %},
        -sum(case when {{ m.meta.among }} then {{ m.meta.numerator }} end),
        -sum(case when {{ m.meta.among }} then {{ m.meta.denominator }} end){% endfor %}
    from {{ ref(fact) }}
    where until_on > from_on
    group by tenant_id, clinician_id, until_on
),

-- each clinician's own sums over time; their changes count for an entity while they are one of its members
clinicians as (
    select tenant_id, clinician_id, on_date as from_on,
        coalesce(lead(on_date) over clinician, date '9999-01-01') as until_on
        {%- for m in metrics %},
        sum({{ m.key }}_n) over clinician as {{ m.key }}_n, sum({{ m.key }}_d) over clinician as {{ m.key }}_d{% endfor %}
    from (
        select tenant_id, clinician_id, on_date
            {%- for m in metrics %},
            coalesce(sum({{ m.key }}_n), 0) as {{ m.key }}_n, coalesce(sum({{ m.key }}_d), 0) as {{ m.key }}_d{% endfor %}
        from ends
        where clinician_id is not null
        group by tenant_id, clinician_id, on_date
    ) as e
    window clinician as (partition by tenant_id, clinician_id order by on_date)
),

members as (
    select
        c.tenant_id, m.entity_kind, m.entity_id, greatest(c.from_on, m.from_on) as from_on, least(c.until_on, m.until_on) as until_on
        {%- for m in metrics %}, c.{{ m.key }}_n, c.{{ m.key }}_d{% endfor %}
    from clinicians as c
    join {{ ref('entity_members') }} as m on m.tenant_id = c.tenant_id and m.clinician_id = c.clinician_id
        and m.from_on < c.until_on and m.until_on > c.from_on
),

changes as (
    select tenant_id, 'practice' as entity_kind, tenant_id as entity_id, on_date
        {%- for m in metrics %},
        coalesce({{ m.key }}_n, 0) as {{ m.key }}_n, coalesce({{ m.key }}_d, 0) as {{ m.key }}_d{% endfor %}
    from ends
    union all
    select tenant_id, entity_kind, entity_id, from_on{% for m in metrics %}, {{ m.key }}_n, {{ m.key }}_d{% endfor %}
    from members
    union all
    select tenant_id, entity_kind, entity_id, until_on{% for m in metrics %}, -{{ m.key }}_n, -{{ m.key }}_d{% endfor %}
    from members
    where until_on < date '9999-01-01'
)

select
    tenant_id, entity_kind, entity_id, on_date
    {%- for m in metrics %},
    {{ whole('sum(' ~ m.key ~ '_n)') }} as {{ m.key }}_n,
    {{ whole('sum(' ~ m.key ~ '_d)') }} as {{ m.key }}_d{% endfor %}
from changes
group by tenant_id, entity_kind, entity_id, on_date
{% else %}
select 1 as placeholder
{% endif %}
{% endmacro %}

{# Sums of states: their changes, added up from the first day on. #}
{% macro state_sums(steps, fact) %}
-- depends_on: {{ ref(steps) }}
{% if execute %}
{% set metrics = list_metrics('state', fact) %}
select
    tenant_id, entity_kind, entity_id, on_date as from_on,
    coalesce(lead(on_date) over entity, date '9999-01-01') as until_on
    {%- for m in metrics %},
    {{ whole('sum(' ~ m.key ~ '_n) over entity') }} as {{ m.key }}_n,
    {{ whole('sum(' ~ m.key ~ '_d) over entity') }} as {{ m.key }}_d{% endfor %}
from {{ ref(steps) }}
where {% for m in metrics %}{{ m.key }}_n <> 0 or {{ m.key }}_d <> 0{{ " or " if not loop.last }}{% endfor %}
window entity as (partition by tenant_id, entity_kind, entity_id order by on_date)
{% else %}
select 1 as placeholder
{% endif %}
{% endmacro %}
