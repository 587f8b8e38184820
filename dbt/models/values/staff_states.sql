{{ state_sums('staff_steps', 'staff_spans') }}
