{{ dated_metric(
    fact='appointments',
    among='completed and seven_days_passed',
    counting="signed_at <= ends_at + interval '168 hours'"
) }}
