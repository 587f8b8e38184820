{{ dated_metric(
    fact='clinician_days',
    among='due and until_today',
    counting='signed_in'
) }}
