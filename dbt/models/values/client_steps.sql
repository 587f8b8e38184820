{{ state_steps('client_spans') }}
