-- What was known on the day on which the charge is old enough, and is not void. `late_matured_charges` adds, period by
-- period, what became known or void between that day and the end of the period.
{{ dated_metric(
    fact='matured_charges',
    among='from_on <= on_date and until_on is null',
    summing='paid_cents',
    per='due_cents'
) }}
