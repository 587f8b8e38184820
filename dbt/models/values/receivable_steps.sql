{{ state_steps('receivables') }}
