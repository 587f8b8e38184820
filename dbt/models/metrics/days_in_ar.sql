{{ state_metric(
    fact='receivables',
    among="part <> 'old'",
    summing="case part when 'balance' then amount else 0 end",
    per="case part when 'recent' then amount else 0 end"
) }}
