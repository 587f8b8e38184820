{{ dated_metric(
    fact='clinician_days',
    among='available_us > 0',
    summing='booked_us',
    per='available_us'
) }}
