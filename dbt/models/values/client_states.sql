{{ state_sums('client_spans') }}
