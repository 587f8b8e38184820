-- Reviews of treatment plans as they were known at as_of, from the day on which each counts
with versions as ({{ versions_of('treatment_plan_reviews') }}),

-- few reviews change their day
reviews as (
    select
        r.tenant_id, r.id as review_id, r.client_id, coalesce({{ value('reviewed_on', 'date') }}, r.reviewed_on) as reviewed_on,
        {{ first_day_from('r.created_at') }} as known_on
    from {{ source('records', 'treatment_plan_reviews') }} as r
    join {{ ref('stg_practices') }} as p on p.tenant_id = r.tenant_id
    left join versions as v on v.tenant_id = r.tenant_id and v.record_id = r.id and v.is_last
    where r.created_at <= p.as_of and (r.voided_at is null or r.voided_at > p.as_of)
)

select tenant_id, review_id, client_id, reviewed_on, greatest(reviewed_on, known_on) as from_on from reviews
