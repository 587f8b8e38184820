{{ dated_metric(
    fact='appointments',
    among='completed and signed_at is not null',
    summing='greatest(0, signed_after_us)'
) }}
