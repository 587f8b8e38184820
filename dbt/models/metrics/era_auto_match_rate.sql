{{ dated_metric(
    fact='remittance_claims',
    date='received_on',
    counting='matched_by_rule'
) }}
