{{ dated_metric(
    fact='clinician_days',
    among='prime_us > 0',
    summing='prime_booked_us',
    per='prime_us'
) }}
