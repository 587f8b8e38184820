{{ dated_metric(
    fact='matured_charges',
    among='from_on <= on_date and until_on is null',
    summing='paid_cents',
    per='due_cents'
) }}
