-- For the way back: as it was.
-- squawk-ignore ban-drop-function
drop function forget_birth_date;
drop trigger only_redacted on record_versions;
drop trigger only_grows on record_versions;
drop trigger keep_version on clients;
create trigger keep_version after insert or update on clients
for each row execute function keep_version(
    'self_pay', 'emancipated', 'has_complete_demographics', 'high_risk_since', 'high_risk_until', 'portal_activated_at'
);
drop trigger keep_version on treatment_plan_reviews;
drop trigger keep_version on appointments;
-- squawk-ignore ban-drop-function
drop function keep_version_since_correction;
