-- For the way back: as it was before a reason could be emptied.
-- squawk-ignore ban-drop-function
drop function forget_reasons;
drop trigger only_emptied on client_statuses;
drop trigger only_grows on client_statuses;
create trigger only_grows before update or delete or truncate on client_statuses
for each statement execute function refuse_change();
