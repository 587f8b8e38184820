{{ state_sums('client_steps', 'client_spans') }}
