{# Local dates of the practice `p`, and the days on which a state shows. #}

{% macro local_date(instant) %}({{ instant }} at time zone {{ zone_at(instant) }})::date{% endmacro %}

{# A local time as an instant. Engines differ about a time that occurs twice; the first one counts. #}
{% macro local_instant(local_time, zone) -%}
    {%- set instant = "((" ~ local_time ~ ") at time zone " ~ zone ~ ")" -%}
    (case
        when ({{ instant }} - interval '1 hour') at time zone {{ zone }} = ({{ local_time }}) then {{ instant }} - interval '1 hour'
        when ({{ instant }} - interval '30 minutes') at time zone {{ zone }} = ({{ local_time }})
            then {{ instant }} - interval '30 minutes'
        else {{ instant }}
    end)
{%- endmacro %}

{# The first instant with this local time or, if it does not occur, after it. `z` has the zones, each with its span. #}
{% macro first_instant(local_time) -%}
    {%- set instant = "greatest(" ~ local_instant(local_time, 'z.time_zone') ~ ", z.from_at)" -%}
    min(case when z.until_at is null or {{ instant }} < z.until_at then {{ instant }} end)
{%- endmacro %}

{# The first day D that shows a state which begins with an instant: with t, the end of D, instant < t. #}
{% macro first_day_after(instant) -%}
    (case when {{ instant }} < p.as_of then {{ local_date(instant) }} end)
{%- endmacro %}

{# The same for instant <= t. #}
{% macro first_day_from(instant) -%}
    (case when {{ instant }} <= p.as_of then {{ local_date("(" ~ instant ~ " - interval '1 microsecond')") }} end)
{%- endmacro %}

{# Microseconds that two spans of time have in common. #}
{% macro overlap(starts_at, ends_at, other_starts_at, other_ends_at) -%}
    case
        when least({{ ends_at }}, {{ other_ends_at }}) > greatest({{ starts_at }}, {{ other_starts_at }})
            and {{ other_ends_at }} is not null
            then {{ microseconds("least(" ~ ends_at ~ ", " ~ other_ends_at ~ ") - greatest(" ~ starts_at ~ ", " ~ other_starts_at ~ ")") }}
        else 0
    end
{%- endmacro %}

{# A number of days of 24 hours. #}
{% macro days(number) -%} {{ number }} * interval '24 hours' {%- endmacro %}
