-- The days of each period that has begun
{% for kind, start in [('day', 'on_date'), ('week', 'week_on'), ('month', 'month_on'), ('quarter', 'quarter_on')] %}
select d.tenant_id, d.on_date, p.period_kind, p.period_start, p.last_on
from {{ ref('days') }} as d
join {{ ref('periods') }} as p on p.tenant_id = d.tenant_id and p.period_kind = '{{ kind }}' and p.period_start = d.{{ start }}
{{ 'union all' if not loop.last }}
{% endfor %}
