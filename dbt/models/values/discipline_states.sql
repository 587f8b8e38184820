{{ state_sums('discipline_spans') }}
