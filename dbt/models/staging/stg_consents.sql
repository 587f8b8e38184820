-- Consents signed before as_of, with the day of their expiry: one year after signing where none is given
select
    c.tenant_id, c.id as consent_id, c.client_id, c.kind, c.signed_at, c.revoked_at,
    coalesce(c.expires_on, ({{ local_date('c.signed_at') }} + interval '1 year')::date) as expires_on,
    {{ first_day_after('c.signed_at') }} as from_on,
    {{ first_day_after('c.revoked_at') }} as revoked_on
from {{ source('records', 'consents') }} as c
join {{ ref('stg_practices') }} as p on p.tenant_id = c.tenant_id
where c.signed_at < p.as_of and (c.voided_at is null or c.voided_at > p.as_of)
