-- New functions: nothing is blocked.
-- squawk-ignore-file prefer-robust-stmts
-- The local date of an instant, by the zone of the practice that was in force then.
create function local_day(instant timestamptz, zones text[], changed_at timestamptz[]) returns date
language sql immutable parallel safe
return (instant at time zone zones[1 + width_bucket(instant, changed_at)])::date;

-- The days from the first one until the day before another, as a set. None if there are no such days.
create function day_span(from_on date, until_on date) returns datemultirange
language sql immutable parallel safe
return case when from_on >= until_on then '{}'::datemultirange else datemultirange(daterange(from_on, until_on)) end;

revoke execute on function local_day, day_span from public;
grant execute on function local_day, day_span to caseload_app, caseload_analyst;
