{{ state_steps('discipline_spans') }}
