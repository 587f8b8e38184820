-- Numerators and denominators of all metrics, side by side, for each entity and week, month and quarter
{{ metric_sums(['week', 'month', 'quarter']) }}
