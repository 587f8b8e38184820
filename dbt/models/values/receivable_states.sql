{{ state_sums('receivable_steps', 'receivables') }}
