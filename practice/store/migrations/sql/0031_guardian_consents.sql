-- The service reads until which day a guardian has to consent; analysts until the year before, as they did. And the
-- first review of each client is looked up once, not for each client among the reviews of all.
do $$
declare
    definition text := pg_get_viewdef('marts.compliance_of_clients'::regclass);
    year text := 'make_date(((EXTRACT(year FROM c.birth_date))::integer + 18), 1, 1)';
    day text := '(c.birth_date + interval ''18 years'')::date + (to_char(c.birth_date, ''MM-DD'') = ''02-29'')::integer';
    first_review text := 'LEFT JOIN LATERAL \( SELECT min\(r_1\.from_on\) AS reviewed_on\s+FROM reviews r_1\s+'
        'WHERE \(r_1\.client_id = a\.client_id\)\) r ON \(true\)';
begin
    if position(year in definition) = 0 or definition !~ first_review then
        raise exception 'The view of the compliance checks of clients is not the one that this migration changes.';
    end if;
    definition := replace(
        definition, year,
        'case when pg_has_role(current_user, ''caseload_app'', ''member'') then ' || day || ' else ' || year || ' end'
    );
    definition := regexp_replace(
        definition, first_review,
        'left join (select client_id, min(from_on) as reviewed_on from reviews group by client_id) as r '
        'on r.client_id = a.client_id'
    );
    execute 'create or replace view marts.compliance_of_clients with (security_barrier) as ' || definition;
end
$$;
