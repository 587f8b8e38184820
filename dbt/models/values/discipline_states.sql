{{ state_sums('discipline_steps', 'discipline_spans') }}
