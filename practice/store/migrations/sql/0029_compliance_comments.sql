comment on view marts.compliance_days is 'Part of the marts of compliance checks: the days they are about.';
comment on view marts.compliance_settings is 'Part of the marts of compliance checks: settings over time.';
comment on view marts.compliance_versions is 'Part of the marts of compliance checks: what records said over time.';
comment on view marts.compliance_completions is 'Part of the marts of compliance checks: completed appointments.';
comment on view marts.compliance_of_clients is 'Part of the marts of compliance checks: those of clients.';
comment on view marts.compliance_of_staff is 'Part of the marts of compliance checks: those of staff.';
comment on view marts.compliance_of_practice is 'Part of the marts of compliance checks: those of the practice.';

comment on view marts.compliance_checks is
'Each compliance check of each client, each staff member and the practice on each day of the calendar until today.';
comment on column marts.compliance_checks.checked_on is 'The day. A past day shows what was on record when it ended.';
comment on column marts.compliance_checks.entity_kind is 'client, staff or practice.';
comment on column marts.compliance_checks.client_id is 'The client, as in clients; empty for checks of others.';
comment on column marts.compliance_checks.staff_id is 'The staff member, as in staff; empty for checks of others.';
comment on column marts.compliance_checks.check_key is
'The check, such as informed_consent, treatment_plan, hipaa_training or session_notes.';
comment on column marts.compliance_checks.status is
'ok, due (to be done in time), alert (the last day), violation, needs_person (a fact is missing), or not_applicable.';
comment on column marts.compliance_checks.since_on is 'First day of this status, or of the calendar.';

comment on view marts.compliance_spans is
'The statuses of compliance_checks in one row for all days in a row with the same one.';
comment on column marts.compliance_spans.entity_kind is 'client, staff or practice.';
comment on column marts.compliance_spans.client_id is 'The client, as in clients; empty for checks of others.';
comment on column marts.compliance_spans.staff_id is 'The staff member, as in staff; empty for checks of others.';
comment on column marts.compliance_spans.check_key is 'The check, as in compliance_checks.';
comment on column marts.compliance_spans.status is 'The status, as in compliance_checks.';
comment on column marts.compliance_spans.first_on is 'First day of the status, or of the calendar.';
comment on column marts.compliance_spans.last_on is 'Its last day; today if it lasts.';
