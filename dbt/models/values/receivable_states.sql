{{ state_sums('receivables') }}
