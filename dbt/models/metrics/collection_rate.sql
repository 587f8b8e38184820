{{ dated_metric(
    fact='charges',
    date='service_date',
    among='voided_at is null',
    summing='applied_cents',
    per='amount_cents'
) }}
