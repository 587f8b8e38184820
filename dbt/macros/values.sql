{# Sums of periods side by side, benchmarks and thresholds, and values with their status. #}

{# The benchmarks and thresholds that a metric can have. A setting `<metric>_<bound>` replaces the default. #}
{% macro bound_names() %}
{{ return(['target_at_least', 'target_at_most', 'target_below', 'alert_below', 'alert_above']) }}
{% endmacro %}

{% macro metric_bounds() %}
-- depends_on: {{ ref('stg_practices') }}
-- depends_on: {{ ref('stg_settings') }}
{% if execute %}
with settings as (select * from {{ ref('stg_settings') }}),

starts as (
    select tenant_id, date '0001-01-01' as from_on from {{ ref('stg_practices') }}
    union
    select tenant_id, from_on from settings
),

spans as (
    select
        tenant_id, from_on,
        coalesce(lead(from_on) over (partition by tenant_id order by from_on), date '9999-01-01') as until_on
    from starts
)

select
    p.tenant_id, p.from_on, p.until_on
    {%- for m in list_metrics() %}{% for bound in bound_names() if m.meta[bound] is defined %},
    cast(coalesce(max(case when s.key = '{{ m.key }}_{{ bound }}' then s.value end), {{ m.meta[bound] }}) as integer) as {{ m.key }}_{{ bound }}
    {%- endfor %}{% if m.meta.target_setting %},
    coalesce(max(case when s.key = '{{ m.meta.target_setting }}' then s.value end), 0) as {{ m.key }}_target{% endif %}{% endfor %}
from spans as p
left join settings as s on s.tenant_id = p.tenant_id and s.from_on <= p.from_on and (s.until_on is null or s.until_on > p.from_on)
group by p.tenant_id, p.from_on, p.until_on
{% else %}
select 1 as placeholder
{% endif %}
{% endmacro %}

{# The tables of sums, each with its facts. A new metric of these facts joins them by itself. #}
{% macro list_day_sums() %}
{{ return([
    {'name': 'adjudicated_claim_sums', 'fact': 'claims', 'date': 'adjudicated_on'},
    {'name': 'appointment_sums', 'fact': 'appointments', 'date': 'on_date'},
    {'name': 'charge_sums', 'fact': 'charges', 'date': 'service_date'},
    {'name': 'clinician_day_sums', 'fact': 'clinician_days', 'date': 'on_date'},
    {'name': 'incident_sums', 'fact': 'incidents', 'date': 'on_date'},
    {'name': 'matured_charge_sums', 'fact': 'matured_charges', 'date': 'on_date'},
    {'name': 'remittance_claim_sums', 'fact': 'remittance_claims', 'date': 'received_on'},
    {'name': 'retention_sums', 'fact': 'retention_cohorts', 'date': 'on_date'},
    {'name': 'submitted_claim_sums', 'fact': 'claims', 'date': 'submitted_on'},
    {'name': 'supervision_session_sums', 'fact': 'supervision_sessions', 'date': 'on_date'}
]) }}
{% endmacro %}

{% macro list_state_sums() %}
{{ return([
    {'name': 'backlog_alert_states', 'fact': 'backlog_alerts'},
    {'name': 'client_states', 'fact': 'client_spans'},
    {'name': 'discipline_states', 'fact': 'discipline_spans'},
    {'name': 'receivable_states', 'fact': 'receivables'},
    {'name': 'staff_states', 'fact': 'staff_spans'},
    {'name': 'unsigned_session_states', 'fact': 'unsigned_sessions'}
]) }}
{% endmacro %}

{% macro metric_sums(kinds) %}
{% for model in list_day_sums() + list_state_sums() -%}
-- depends_on: {{ ref(model.name) }}
{% endfor %}
{% for name in ['days_of_periods', 'entity_periods', 'late_matured_charges', 'receivable_days'] -%}
-- depends_on: {{ ref(name) }}
{% endfor %}
-- depends_on: {{ ref('stg_practices') }}
-- depends_on: {{ ref('supervision_hours') }}
-- depends_on: {{ ref('supervision_met_rate') }}
-- depends_on: {{ ref('telehealth_consent_compliance') }}
{% if execute %}
{% set columns = [] %}
{% set joins = [] %}
{% set period_join %}.tenant_id = c.tenant_id and {alias}.entity_kind = c.entity_kind and {alias}.entity_id = c.entity_id
        and {alias}.period_kind = c.period_kind and {alias}.period_start = c.period_start{% endset %}
{% for model in list_day_sums() %}
    {% set alias = 'd' ~ loop.index %}
    {% set metrics = list_metrics('dated', model.fact, model.date) %}
    {% set sums = [] %}
    {% for m in metrics %}
        {% do sums.append('sum(s.' ~ m.key ~ '_n) as ' ~ m.key ~ '_n, sum(s.' ~ m.key ~ '_d) as ' ~ m.key ~ '_d') %}
        {% do columns.append({'key': m.key, 'n': alias ~ '.' ~ m.key ~ '_n', 'd': alias ~ '.' ~ m.key ~ '_d', 'meta': m.meta}) %}
    {% endfor %}
    {% if kinds == ['day'] %}
        {% do joins.append('left join ' ~ ref(model.name) ~ ' as ' ~ alias ~ ' on ' ~ alias ~ '.tenant_id = c.tenant_id and ' ~ alias
            ~ '.entity_kind = c.entity_kind and ' ~ alias ~ '.entity_id = c.entity_id and ' ~ alias ~ '.on_date = c.period_start') %}
    {% else %}
        {% do joins.append('left join (select e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start, ' ~ sums | join(', ')
            ~ ' from cells as e join ' ~ ref('days_of_periods') ~ ' as d on d.tenant_id = e.tenant_id'
            ~ ' and d.period_kind = e.period_kind and d.period_start = e.period_start'
            ~ ' join ' ~ ref(model.name) ~ ' as s on s.tenant_id = e.tenant_id and s.entity_kind = e.entity_kind'
            ~ ' and s.entity_id = e.entity_id and s.on_date = d.on_date'
            ~ ' group by e.tenant_id, e.entity_kind, e.entity_id, e.period_kind, e.period_start) as ' ~ alias
            ~ ' on ' ~ alias ~ period_join.replace('{alias}', alias)) %}
    {% endif %}
{% endfor %}
{% for model in list_state_sums() %}
    {% set alias = 's' ~ loop.index %}
    {% for m in list_metrics('state', model.fact) %}
        {% do columns.append({'key': m.key, 'n': alias ~ '.' ~ m.key ~ '_n', 'd': alias ~ '.' ~ m.key ~ '_d', 'meta': m.meta}) %}
    {% endfor %}
    {% do joins.append(join_state(ref(model.name), alias, 'c.last_on')) %}
{% endfor %}
{% for m in list_metrics('period') %}
    {% set alias = 'p' ~ loop.index %}
    {% do columns.append({'key': m.key, 'n': alias ~ '.numerator', 'd': alias ~ '.denominator', 'meta': m.meta}) %}
    {% do joins.append('left join (select tenant_id, entity_kind, entity_id, period_kind, period_start, '
        ~ whole('sum(numerator)') ~ ' as numerator, ' ~ whole('sum(denominator)') ~ ' as denominator from ' ~ ref(m.key)
        ~ ' group by tenant_id, entity_kind, entity_id, period_kind, period_start) as ' ~ alias
        ~ ' on ' ~ alias ~ period_join.replace('{alias}', alias)) %}
{% endfor %}
with cells as (
    select * from {{ ref('entity_periods') }} where period_kind in ('{{ kinds | join("', '") }}')
)

select
    c.*
    {%- for m in columns | sort(attribute='key') %},
    {%- if m.meta.late_sums %}
    {{ whole('coalesce(' ~ m.n ~ ', 0) + coalesce(l.numerator, 0)') }} as {{ m.key }}_n,
    {{ whole('coalesce(' ~ m.d ~ ', 0) + coalesce(l.denominator, 0)') }} as {{ m.key }}_d
    {%- else %}
    {{ whole('coalesce(' ~ m.n ~ ', 0)') }} as {{ m.key }}_n, {{ whole('coalesce(' ~ m.d ~ ', 0)') }} as {{ m.key }}_d
    {%- endif %}{% endfor %},
    coalesce(r.days, w.receivable_days) as receivable_days
from cells as c
join {{ ref('stg_practices') }} as w on w.tenant_id = c.tenant_id
{% for join in joins %}
{{ join }}
{% endfor %}
left join {{ ref('late_matured_charges') }} as l on l{{ period_join.replace('{alias}', 'l') }}
left join {{ ref('receivable_days') }} as r on r.tenant_id = c.tenant_id and r.entity_kind = c.entity_kind and r.entity_id = c.entity_id
    and r.on_date = c.last_on
{% else %}
select 1 as placeholder
{% endif %}
{% endmacro %}

{# The values of all metrics as arrays in the order of their keys, so that a new metric needs no new column. #}
{% macro metric_cells() %}
-- depends_on: {{ ref('metric_bounds') }}
-- depends_on: {{ ref('metric_sums') }}
-- depends_on: {{ ref('metric_sums_of_days') }}
{% if execute %}
{% set metrics = list_published() %}
with sums as (
    select * from {{ ref('metric_sums') }}
    union all
    select * from {{ ref('metric_sums_of_days') }}
),

valued as (
    select
        s.*
        {%- for m in metrics %},
        {{ metric_value(m) }} as {{ m.key }}_value{% endfor %}
    from sums as s
)

select
    s.tenant_id, s.entity_kind, s.entity_id, s.external_id, s.period_kind, s.period_start, s.period_end, s.receivable_days,
    {{ array(metrics, 's.{}_n', 'bigint') }} as numerators,
    {{ array(metrics, 's.{}_d', 'bigint') }} as denominators,
    {{ array(metrics, '(s.{}_value * 100)::bigint', 'bigint') }} as value_hundredths,
    concat(
        {%- for m in metrics %}
        {{ metric_status(m) }}{{ ',' if not loop.last }}
        {%- endfor %}
    ) as statuses
from valued as s
join {{ ref('metric_bounds') }} as b on b.tenant_id = s.tenant_id and b.from_on <= s.last_on and b.until_on > s.last_on
{% else %}
select 1 as placeholder
{% endif %}
{% endmacro %}

{% macro list_published() %}
{{ return(list_metrics() | rejectattr('meta.is_measure') | list) }}
{% endmacro %}

{% macro array(metrics, expression, type) -%}
array[{% for m in metrics %}{{ expression.replace('{}', m.key) }}{{ ', ' if not loop.last }}{% endfor %}]
{%- endmacro %}

{% macro metric_value(m) -%}
{%- set n = big('s.' ~ m.key ~ '_n') -%}
{%- set d = big('s.' ~ m.key ~ '_d') -%}
{%- set numerator_scale = m.meta.numerator_scale or 1 -%}
{%- set denominator_scale = m.meta.denominator_scale or 1 -%}
{%- if m.meta.value == 'count' -%} {{ n }}
{%- elif m.meta.value == 'numerator' -%} {{ exact_quotient(n, numerator_scale, 2) }}
{%- elif m.meta.value == 'quotient' -%}
{{ exact_quotient(n ~ ' * ' ~ denominator_scale ~ (' * s.receivable_days' if m.meta.divisor else ''), d ~ ' * ' ~ numerator_scale, m.meta.decimals or 2) }}
{%- else -%} {{ exact_quotient('100 * ' ~ n ~ ' * ' ~ denominator_scale, d ~ ' * ' ~ numerator_scale, 2) }}
{%- endif -%}
{%- endmacro %}

{# The status of a value as one letter: alert, below_target, on_target, info, no_data, and - where it does not exist. Values
   are compared as rounded, but for a requirement and a target amount. #}
{% macro metric_status(m) -%}
{%- set value = 's.' ~ m.key ~ '_value' -%}
{%- set bounded = {} -%}
{%- for bound in bound_names() if m.meta[bound] is defined -%}
    {%- do bounded.update({bound: 'b.' ~ m.key ~ '_' ~ bound}) -%}
{%- endfor -%}
case
    {%- if m.meta.entities in ['practice', 'clinician'] %}
    when s.entity_kind <> '{{ m.meta.entities }}' then '-'
    {%- elif m.meta.entities == 'above_clinician' %}
    when s.entity_kind = 'clinician' then '-'
    {%- endif %}
    {%- if m.meta.periods == 'months' %}
    when s.period_kind in ('day', 'week') then '-'
    {%- endif %}
    when {{ value }} is null then 'n'
    {%- if m.meta.status_by == 'requirement' %}
    when s.{{ m.key }}_d = 0 or s.is_running then 'i'
    when s.{{ m.key }}_n >= s.{{ m.key }}_d then 'o'
    else 'a'
    {%- elif m.meta.target_setting %}
    when b.{{ m.key }}_target = 0 then 'i'
    when 10 * abs(s.{{ m.key }}_n - s.{{ m.key }}_d * b.{{ m.key }}_target) <= s.{{ m.key }}_d * b.{{ m.key }}_target then 'o'
    else 'a'
    {%- elif not bounded %}
    else 'i'
    {%- else %}
    {%- if m.meta.status_by == 'end_of_period' %}
    when s.is_running then 'i'
    {%- endif %}
    {%- if m.meta.alert_by %}
    when s.entity_kind <> 'clinician' and s.{{ m.meta.alert_by }}_n > 0 then 'a'
    {%- endif %}
    {%- for bound, sign in [('alert_below', '<'), ('alert_above', '>')] if bounded[bound] %}
    when {% if m.meta.alert_by %}s.entity_kind = 'clinician' and {% endif %}{{ value }} {{ sign }} {{ bounded[bound] }} then 'a'
    {%- endfor %}
    {%- for bound, sign in [('target_at_least', '<'), ('target_at_most', '>'), ('target_below', '>=')] if bounded[bound] %}
    when {{ value }} {{ sign }} {{ bounded[bound] }} then 'b'
    {%- endfor %}
    else 'o'
    {%- endif %}
end
{%- endmacro %}
