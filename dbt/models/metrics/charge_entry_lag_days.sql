{{ dated_metric(
    fact='charges',
    date='service_date',
    among='case when appointment_id is not null then is_first else voided_at is null end',
    summing='greatest(0, created_on - service_date)'
) }}
