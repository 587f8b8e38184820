{{ state_steps('staff_spans') }}
