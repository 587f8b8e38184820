-- The data dictionary: `\d+` shows it in psql, and `caseload lake` copies it.
-- squawk-ignore-file prefer-robust-stmts
comment on view marts.time_zones is
'The practice''s time zones, in one row. Each local date follows the zone in force at its instant.';
comment on column marts.time_zones.time_zone is 'The time zone in force now, such as America/New_York.';
comment on column marts.time_zones.zones is 'All time zones in the order in which they were in force.';
comment on column marts.time_zones.changed_at is
'The moments at which the zone changed: one less than there are zones.';

comment on view marts.appointments is
'Appointments of all statuses. A seat in a group is one row.';
comment on column marts.appointments.appointment_id is 'Key of the appointment.';
comment on column marts.appointments.client_id is 'The client, as in clients.';
comment on column marts.appointments.clinician_id is 'The clinician, as staff_id in staff.';
comment on column marts.appointments.group_session_id is
'The group session that the seat belongs to; empty for individual appointments.';
comment on column marts.appointments.series_id is 'The series that it was booked with; empty for single appointments.';
comment on column marts.appointments.room_id is 'The room; empty without one.';
comment on column marts.appointments.service_code is 'Code of the service in the practice''s catalog.';
comment on column marts.appointments.service_kind is
'Kind of the service, which decides pay: such as INDIVIDUAL, GROUP or INTAKE.';
comment on column marts.appointments.cpt_code is 'CPT code of the service.';
comment on column marts.appointments.type is 'Type of the appointment, such as INITIAL_EVALUATION or THERAPY_SESSION.';
comment on column marts.appointments.status is
'SCHEDULED, CONFIRMED, CHECKED_IN, IN_PROGRESS, COMPLETED, NO_SHOW, CANCELLED or RESCHEDULED.';
comment on column marts.appointments.status_at is 'When it got this status; may be empty while it is open.';
comment on column marts.appointments.starts_at is 'Scheduled start.';
comment on column marts.appointments.ends_at is 'Scheduled end.';
comment on column marts.appointments.starts_on is 'Local date of the start. Join it with calendar.calendar_on.';
comment on column marts.appointments.local_time is 'Local time of day of the start.';
comment on column marts.appointments.scheduled_minutes is 'Minutes from the scheduled start to the scheduled end.';
comment on column marts.appointments.actual_minutes is 'Minutes that it took; empty if nobody recorded them.';
comment on column marts.appointments.is_telehealth is 'Whether it takes place by video.';
comment on column marts.appointments.booked_via is 'Who booked it: FRONT_DESK, PORTAL, CLINICIAN or SYNC.';
comment on column marts.appointments.booked_at is 'When it was booked.';
comment on column marts.appointments.booked_on is 'Local date of the booking.';
comment on column marts.appointments.eligibility_verified_at is 'When the coverage was verified for this appointment.';
comment on column marts.appointments.arrived_at is 'When the client arrived.';
comment on column marts.appointments.ready_at is 'When the clinician was ready.';
comment on column marts.appointments.started_at is 'When it really began.';
comment on column marts.appointments.rescheduled_to_id is 'The appointment that replaces it; only for RESCHEDULED.';
comment on column marts.appointments.price_cents is 'Price, fixed when it is completed.';
comment on column marts.appointments.copay_cents is 'Copay of the coverage, fixed when it is completed.';

comment on view marts.sessions is
'Completed appointments with their note, lock and pay. A seat in a group is one row.';
comment on column marts.sessions.appointment_id is 'Key, as in appointments.';
comment on column marts.sessions.session_id is
'The session that is paid: the group session, or else the appointment. As in pay_lines.';
comment on column marts.sessions.client_id is 'The client, as in clients.';
comment on column marts.sessions.clinician_id is 'The clinician, as staff_id in staff.';
comment on column marts.sessions.service_code is 'Code of the service.';
comment on column marts.sessions.service_kind is 'Kind of the service that counts for pay.';
comment on column marts.sessions.minutes is 'Minutes that count for pay.';
comment on column marts.sessions.starts_at is 'Scheduled start.';
comment on column marts.sessions.starts_on is 'Local date of the start.';
comment on column marts.sessions.week_on is 'The Sunday on which the week of the session begins.';
comment on column marts.sessions.completed_at is 'When it was marked completed.';
comment on column marts.sessions.note_signed_at is 'First signature of its session note; empty while unsigned.';
comment on column marts.sessions.note_signed_on is 'Local date of that signature.';
comment on column marts.sessions.note_due_on is
'Last local date on which the note is in time: the Sunday after the week.';
comment on column marts.sessions.is_signed_in_time is
'Whether the note was signed by then; empty while it is unsigned and not yet due.';
comment on column marts.sessions.locked_at is 'When the session was last locked; empty if it never was.';
comment on column marts.sessions.unlocked_until is 'Until when the last unlock allows changes; empty without one.';
comment on column marts.sessions.unlock_count is 'How often a supervisor or admin unlocked it.';
comment on column marts.sessions.paid_week_on is 'The pay week that paid it; empty while unpaid.';
comment on column marts.sessions.pay_kind is 'How it was paid: regular or late; empty while unpaid.';
comment on column marts.sessions.voided_at is 'When it was voided for pay; empty if it counts.';

comment on view marts.notes is
'Clinical notes without their text.';
comment on column marts.notes.note_id is 'Key of the note.';
comment on column marts.notes.appointment_id is 'The appointment that it is about; empty without one.';
comment on column marts.notes.client_id is 'The client, as in clients.';
comment on column marts.notes.clinician_id is 'The author, as staff_id in staff.';
comment on column marts.notes.type is 'Type of the note, such as SOAP_NOTE, TREATMENT_PLAN or SAFETY_PLAN.';
comment on column marts.notes.status is 'DRAFT, IN_REVIEW, SIGNED, AMENDED or ENTERED_IN_ERROR.';
comment on column marts.notes.created_at is 'When it was begun.';
comment on column marts.notes.created_on is 'Local date of the beginning.';
comment on column marts.notes.submitted_at is 'When it was last submitted for review.';
comment on column marts.notes.returned_at is 'When it was last returned from review.';
comment on column marts.notes.signed_at is 'When it was first signed.';
comment on column marts.notes.signed_on is 'Local date of the signature.';
comment on column marts.notes.signed_by_id is 'Who signed it, as staff_id in staff.';
comment on column marts.notes.has_amendment_in_review is
'Whether an amendment or addendum waits for the supervisor''s signature.';
comment on column marts.notes.shared_at is 'When it was shared with the client.';
comment on column marts.notes.entered_in_error_at is 'When it was struck as entered in error.';
comment on column marts.notes.voided_at is 'When the unsigned note was voided.';

comment on view marts.charges is
'Charges with what was paid and adjusted so far.';
comment on column marts.charges.charge_id is 'Key of the charge.';
comment on column marts.charges.appointment_id is 'The appointment that it is for; empty for charges entered by hand.';
comment on column marts.charges.client_id is 'The client, as in clients.';
comment on column marts.charges.clinician_id is 'The clinician, as staff_id in staff.';
comment on column marts.charges.service_on is 'Date of service.';
comment on column marts.charges.cpt_code is 'CPT code.';
comment on column marts.charges.modifiers is 'Modifiers of the code, such as 95 for telehealth.';
comment on column marts.charges.diagnosis_codes is 'ICD-10 codes.';
comment on column marts.charges.units is 'Units of the service.';
comment on column marts.charges.amount_cents is 'Amount charged.';
comment on column marts.charges.created_at is 'When it was entered.';
comment on column marts.charges.created_on is 'Local date of the entry.';
comment on column marts.charges.voided_at is 'When it was voided; empty if it is valid.';
comment on column marts.charges.insurance_cents is 'Payments of insurers applied to it, less reversals.';
comment on column marts.charges.client_cents is 'Payments of clients applied to it, less reversals.';
comment on column marts.charges.adjusted_cents is 'Adjustments and write-offs. A positive amount lowers the balance.';
comment on column marts.charges.balance_cents is 'Amount less payments and adjustments; 0 if voided.';
comment on column marts.charges.last_payment_at is 'When a payment was last applied or reversed.';

comment on view marts.payments is
'Payments of clients and insurers, with what was applied and refunded.';
comment on column marts.payments.payment_id is 'Key of the payment.';
comment on column marts.payments.client_id is 'The client who paid; may be empty for insurers.';
comment on column marts.payments.payer is 'CLIENT or INSURANCE.';
comment on column marts.payments.payer_id is 'The insurer''s payer id; empty for clients.';
comment on column marts.payments.method is 'CASH, CHECK, CREDIT_CARD, DEBIT_CARD, EFT or OTHER.';
comment on column marts.payments.amount_cents is 'Amount received.';
comment on column marts.payments.received_on is 'Date of receipt.';
comment on column marts.payments.posted_at is 'When it was entered.';
comment on column marts.payments.posted_on is 'Local date of the entry.';
comment on column marts.payments.voided_at is 'When it was voided; empty if it is valid.';
comment on column marts.payments.applied_cents is 'What was applied to charges, less reversals.';
comment on column marts.payments.refunded_cents is 'What was refunded.';
comment on column marts.payments.unapplied_cents is 'What is left as credit; 0 if voided.';

comment on view marts.remittance_claims is
'Claims in remittances. Without rows until remittances are stored.';
comment on column marts.remittance_claims.remittance_claim_id is 'Key of the claim in its remittance.';
comment on column marts.remittance_claims.claim_id is 'The claim that it was matched with; empty without a match.';
comment on column marts.remittance_claims.received_on is 'Local date on which the file was received.';
comment on column marts.remittance_claims.is_matched_by_rule is 'Whether it was matched without a person.';

comment on view marts.clients is
'Clients without names, contacts and birth dates.';
comment on column marts.clients.client_id is 'Key of the client.';
comment on column marts.clients.birth_year is 'Year of birth.';
comment on column marts.clients.is_minor is 'Whether the client is under 18 today.';
comment on column marts.clients.is_emancipated is 'Whether a minor signs for themselves.';
comment on column marts.clients.sex is 'F, M or OTHER; empty if it is not recorded.';
comment on column marts.clients.status is 'ACTIVE, INACTIVE or DISCHARGED, today.';
comment on column marts.clients.admitted_on is 'Date of admission.';
comment on column marts.clients.ended_on is 'Date on which treatment ended; empty while it lasts.';
comment on column marts.clients.primary_clinician_id is 'The primary clinician, as staff_id in staff.';
comment on column marts.clients.is_self_pay is 'Whether the client pays without insurance.';
comment on column marts.clients.primary_payer_id is 'Payer id of the primary coverage in force today.';
comment on column marts.clients.coverage_verified_at is 'When that coverage was last verified.';
comment on column marts.clients.high_risk_since_on is 'Since when the client is at high risk; empty if never.';
comment on column marts.clients.high_risk_until_on is 'Until when; empty while it lasts.';
comment on column marts.clients.has_phone is 'Whether a phone number is recorded.';
comment on column marts.clients.has_email is 'Whether an email address is recorded.';
comment on column marts.clients.has_address is 'Whether a street address is recorded.';
comment on column marts.clients.has_emergency_contact is 'Whether an emergency contact is recorded.';
comment on column marts.clients.has_guardian is 'Whether a guardian is recorded.';
comment on column marts.clients.has_referring_provider is 'Whether a referring provider is recorded.';
comment on column marts.clients.has_complete_demographics is
'Whether everything is recorded that check-in and completion ask for.';
comment on column marts.clients.has_portal_access is 'Whether the client has used the portal.';
comment on column marts.clients.reminder_channels is 'Channels of reminders: email, sms, or none.';

comment on view marts.staff is
'Staff without names and contacts.';
comment on column marts.staff.staff_id is 'Key of the staff member.';
comment on column marts.staff.external_id is 'The practice''s own id of the staff member, as in imports and exports.';
comment on column marts.staff.roles is 'Roles: admin, supervisor, clinician, scheduler, biller, analyst.';
comment on column marts.staff.discipline is 'Discipline, such as COUNSELING or SOCIAL_WORK.';
comment on column marts.staff.license_type is 'Type of license, such as LPC or LMSW.';
comment on column marts.staff.supervisor_id is 'The supervisor, as staff_id in this view.';
comment on column marts.staff.hired_on is 'First day of employment.';
comment on column marts.staff.left_on is 'Last day of employment; empty while it lasts.';
comment on column marts.staff.is_employed is 'Whether the person is employed today.';

comment on view marts.pay_periods is
'Pay weeks that were opened.';
comment on column marts.pay_periods.pay_period_id is 'Key of the pay week.';
comment on column marts.pay_periods.week_on is 'The Sunday on which it begins.';
comment on column marts.pay_periods.notes_due_on is 'Last local date on which a note is in time for it.';
comment on column marts.pay_periods.opened_at is 'When it was opened.';
comment on column marts.pay_periods.closed_at is 'When it was closed; empty while open. A closed week never changes.';
comment on column marts.pay_periods.problem_count is
'Problems that it was closed with, such as clinicians without a rate.';

comment on view marts.pay_lines is
'What closed pay weeks paid, adjusted or left pending.';
comment on column marts.pay_lines.pay_line_id is 'Key of the line.';
comment on column marts.pay_lines.pay_period_id is 'The pay week, as in pay_periods.';
comment on column marts.pay_lines.week_on is 'The Sunday on which that week begins.';
comment on column marts.pay_lines.staff_id is 'Who is paid, as in staff.';
comment on column marts.pay_lines.session_id is 'The session, as in sessions.';
comment on column marts.pay_lines.appointment_id is 'The appointment that represents the session.';
comment on column marts.pay_lines.kind is 'regular, late or adjustment; standby is pending and not paid.';
comment on column marts.pay_lines.reason is 'Reason of an adjustment: RATE_CHANGED, VOIDED or COUNTS_AGAIN.';
comment on column marts.pay_lines.service_kind is 'Kind of the service.';
comment on column marts.pay_lines.held_on is 'Local date of the session.';
comment on column marts.pay_lines.minutes is 'Minutes that count.';
comment on column marts.pay_lines.multiplier is 'Multiplier of the kind of service.';
comment on column marts.pay_lines.rate_cents is 'Base rate per hour.';
comment on column marts.pay_lines.amount_cents is 'Amount of the line.';

comment on view marts.calendar is
'Local dates, from the quarter of the first record to the end of the running one or the last appointment.';
comment on column marts.calendar.calendar_on is 'The date. Join it with columns that end in _on.';
comment on column marts.calendar.weekday is 'Day of the week: 0 is Sunday, 6 is Saturday.';
comment on column marts.calendar.weekday_name is 'Name of the day of the week.';
comment on column marts.calendar.week_on is 'The Sunday on which its week begins.';
comment on column marts.calendar.month_on is 'First day of its month.';
comment on column marts.calendar.quarter_on is 'First day of its quarter.';
comment on column marts.calendar.year is 'Its year.';

comment on view marts.metric_values is
'Metrics as computed by the last refresh, by entity and period.';
comment on column marts.metric_values.metric_key is 'Key of the metric. `caseload metrics` lists and explains them.';
comment on column marts.metric_values.entity_kind is 'practice, clinician or team.';
comment on column marts.metric_values.staff_id is
'The clinician, or the supervisor of the team; empty for the practice.';
comment on column marts.metric_values.period_kind is 'day, week, month or quarter.';
comment on column marts.metric_values.period_start_on is 'First day of the period.';
comment on column marts.metric_values.period_end_on is 'The day after its last day.';
comment on column marts.metric_values.numerator is 'Numerator of the value.';
comment on column marts.metric_values.denominator is 'Denominator of the value; without meaning for counts.';
comment on column marts.metric_values.value is 'The value; empty if there is nothing to compute it from.';
comment on column marts.metric_values.status is 'on_target, below_target, alert, info or no_data.';
comment on column marts.metric_values.computed_at is 'The instant as of which it was computed.';
