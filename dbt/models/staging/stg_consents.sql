-- Versions of consents, each from a day until another. Without an expiry they end one year after they were signed.
with versions as ({{ versions_of('consents') }})

select
    v.tenant_id,
    v.record_id as consent_id,
    {{ value('client_id', 'uuid') }} as client_id,
    {{ value('kind') }} as kind,
    {{ value('signed_at', 'timestamptz') }} as signed_at,
    {{ value('revoked_at', 'timestamptz') }} as revoked_at,
    coalesce(
        {{ value('expires_on', 'date') }}, ({{ local_date(value('signed_at', 'timestamptz')) }} + interval '1 year')::date
    ) as expires_on,
    greatest(v.from_on, {{ first_day_after(value('signed_at', 'timestamptz')) }}) as from_on,
    least(v.until_on, {{ first_day_after(value('revoked_at', 'timestamptz')) }}) as until_on,
    v.is_last
from versions as v
join {{ ref('stg_practices') }} as p on p.tenant_id = v.tenant_id
where {{ value('signed_at', 'timestamptz') }} < p.as_of and {{ value('voided_at') }} is null and v.until_on > v.from_on
