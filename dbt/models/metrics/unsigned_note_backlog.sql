{{ state_metric(
    fact='unsigned_sessions',
    summing='1',
    per='0'
) }}
