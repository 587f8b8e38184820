-- The service reads until which day a guardian's consent is needed; analysts until the year before, as they did.
do $$
declare
    definition text := pg_get_viewdef('marts.compliance_of_clients'::regclass);
    year text := 'make_date(((EXTRACT(year FROM c.birth_date))::integer + 18), 1, 1)';
    day text := '(c.birth_date + interval ''18 years'')::date + (to_char(c.birth_date, ''MM-DD'') = ''02-29'')::integer';
begin
    if position(year in definition) = 0 then
        raise exception 'The view of the compliance checks of clients is not the one that this migration changes.';
    end if;
    execute 'create or replace view marts.compliance_of_clients with (security_barrier) as ' || replace(
        definition, year,
        'case when pg_has_role(current_user, ''caseload_app'', ''member'') then ' || day || ' else ' || year || ' end'
    );
end
$$;
