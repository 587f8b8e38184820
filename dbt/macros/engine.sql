{# The differences between DuckDB and PostgreSQL. No other file asks which engine runs it. #}

{# The time zone of the practice `p` at an instant: the last one that it changed to by then. #}
{% macro zone_at(instant) %}{{ return(adapter.dispatch('zone_at', 'caseload')(instant)) }}{% endmacro %}
{% macro duckdb__zone_at(instant) -%}
    (case when p.zone_changes is null then p.time_zone
        else p.zones[1 + len(list_filter(p.zone_changes, lambda changed_at: changed_at <= {{ instant }}))] end)
{%- endmacro %}
{% macro postgres__zone_at(instant) -%}
    (case when p.zone_changes is null then p.time_zone else p.zones[1 + width_bucket({{ instant }}, p.zone_changes)] end)
{%- endmacro %}

{% macro microseconds(interval_) %}{{ return(adapter.dispatch('microseconds', 'caseload')(interval_)) }}{% endmacro %}
{% macro duckdb__microseconds(interval_) %}epoch_us({{ interval_ }}){% endmacro %}
{% macro postgres__microseconds(interval_) %}(extract(epoch from {{ interval_ }}) * 1000000)::bigint{% endmacro %}

{# n / d of `big` integers, rounded half away from zero, exact. Null unless d is positive. #}
{% macro exact_quotient(n, d, decimals) %}{{ return(adapter.dispatch('exact_quotient', 'caseload')(n, d, decimals)) }}{% endmacro %}
{% macro duckdb__exact_quotient(n, d, decimals) -%}
    (case when ({{ d }}) > 0 then
        (sign({{ n }}) * ((2 * {{ 10 ** decimals }} * abs({{ n }}) + {{ d }})
            // (2 * {{ d }})))::decimal(24, 0) * 0.{{ '0' * (decimals - 1) }}1 end)
{%- endmacro %}
{% macro postgres__exact_quotient(n, d, decimals) -%}
    (case when ({{ d }}) > 0 then round(({{ n }}) / ({{ d }}), {{ decimals }}) end)
{%- endmacro %}

{% macro json_number(value) %}{{ return(adapter.dispatch('json_number', 'caseload')(value)) }}{% endmacro %}
{% macro duckdb__json_number(value) %}({{ value }})::bigint{% endmacro %}
{% macro postgres__json_number(value) %}({{ value }} #>> '{}')::bigint{% endmacro %}

{# An integer of more than 64 bits, for products. #}
{% macro big(expression) %}{{ return(adapter.dispatch('big', 'caseload')(expression)) }}{% endmacro %}
{% macro duckdb__big(expression) %}({{ expression }})::hugeint{% endmacro %}
{% macro postgres__big(expression) %}({{ expression }})::numeric{% endmacro %}

{# A join to the row of `table` that holds on a day. #}
{% macro join_state(table, name, day) %}{{ return(adapter.dispatch('join_state', 'caseload')(table, name, day)) }}{% endmacro %}
{% macro duckdb__join_state(table, name, day) -%}
asof left join {{ table }} as {{ name }}
    on {{ name }}.tenant_id = c.tenant_id and {{ name }}.entity_kind = c.entity_kind and {{ name }}.entity_id = c.entity_id
        and {{ day }} >= {{ name }}.from_on
{%- endmacro %}
{% macro postgres__join_state(table, name, day) -%}
left join lateral (
    select * from {{ table }} as s
    where s.tenant_id = c.tenant_id and s.entity_kind = c.entity_kind and s.entity_id = c.entity_id and s.from_on <= {{ day }}
    order by s.from_on desc limit 1
) as {{ name }} on true
{%- endmacro %}

{# A sum as a 64-bit integer: sums are numeric on PostgreSQL, 128-bit integers on DuckDB. #}
{% macro whole(expression) %}({{ expression }})::bigint{% endmacro %}
