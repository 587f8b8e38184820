do $$
declare
    definition text := pg_get_viewdef('marts.compliance_of_clients'::regclass);
begin
    definition := regexp_replace(
        definition, 'SELECT\s+CASE\s+WHEN pg_has_role\(.*?ELSE (make_date\(.*?, 1, 1\))\s+END', 'SELECT \1'
    );
    definition := regexp_replace(
        definition, 'LEFT JOIN \( SELECT reviews\.client_id,\s+min\(reviews\.from_on\) AS reviewed_on.*?'
        'r ON \(\(r\.client_id = a\.client_id\)\)',
        'left join lateral (select min(r.from_on) as reviewed_on from reviews as r where r.client_id = a.client_id) '
        'as r on true'
    );
    execute 'create or replace view marts.compliance_of_clients with (security_barrier) as ' || definition;
end
$$;
