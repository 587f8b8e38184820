revoke delete on pay_periods from caseload_app;
drop trigger paid_stays on pay_periods;
drop function refuse_removal_of_paid_week;
drop trigger never_truncated on pay_periods;
create trigger never_removed before delete or truncate on pay_periods
for each statement execute function refuse_change();
