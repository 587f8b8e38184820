{{ dated_metric(
    fact='claims',
    date='submitted_on',
    among='first_response is not null',
    counting="first_response = 'ACCEPTED'"
) }}
