{{ state_sums('staff_spans') }}
