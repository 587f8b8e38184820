"""The clients whose facts a changed record, or the passing of time, may change.

Each rule names records that a change or an instant concerns, and links lead from these to clients. A rule that names
too many costs time only; one that is missing leaves a wrong value.
"""

# Changes of these tables and kinds of versions concern every value, and are rare: everything is computed again.
WHOLE_TABLES = ("rule_settings", "staff", "time_zone_changes")
WHOLE_KINDS = ("availability_exceptions", "availability_windows", "closures", "staff")

# Of rows that have changed: `changed` has each as it was and as it is.
CHANGES = {
    "appointments": ("appointment", "select id from scratch.changed.appointments"),
    "notes": ("note", "select id from scratch.changed.notes"),
    "note versions": ("note", "select record_id from scratch.changed.record_versions where record_kind = 'notes'"),
    "appointment versions": (
        "appointment",
        "select record_id from scratch.changed.record_versions where record_kind = 'appointments'",
    ),
    "review versions": (
        "client",
        "select client_id from scratch.known.treatment_plan_reviews where id in ("
        "select record_id from scratch.changed.record_versions where record_kind = 'treatment_plan_reviews')",
    ),
    "charges": ("charge", "select id from scratch.changed.charges"),
    "payments": ("charge", "select charge_id from scratch.changed.payment_applications"),
    "adjustments": ("charge", "select charge_id from scratch.changed.adjustments"),
    "claims": ("claim", "select id from scratch.changed.claims"),
    "charges of claims": ("claim", "select claim_id from scratch.changed.claim_charges"),
    "client statuses": ("client", "select client_id from scratch.changed.client_statuses"),
    "primary clinicians": ("client", "select client_id from scratch.changed.primary_clinicians"),
    "plan reviews": ("client", "select client_id from scratch.changed.treatment_plan_reviews"),
    "versions of clients": ("client", "select client_id from scratch.changed.record_versions"),
    "sign-ins": ("sign_in", "select id from scratch.changed.sign_ins"),
    "coverages": (
        "client",
        "select client_id from scratch.known.record_versions "
        "where record_id in (select id from scratch.changed.coverages)",
    ),
}

# Of instants that have passed since the last refresh, from the former `since` to the present `until`; of dates, the
# former and the present `today` of the practice, and the last day that has begun.
PASSED = "between c.since and c.until"
CLOCK = {
    "appointments created": (
        "appointment",
        f"select id from records.appointments, scratch.clock as c where created_at {PASSED}",
    ),
    "appointments begun": (
        "appointment",
        f"select id from records.appointments, scratch.clock as c where starts_at {PASSED}",
    ),
    "statuses set": (
        "appointment",
        f"select id from records.appointments, scratch.clock as c where status_at {PASSED}",
    ),
    "arrivals": ("appointment", f"select id from records.appointments, scratch.clock as c where arrived_at {PASSED}"),
    "clients ready": (
        "appointment",
        f"select id from records.appointments, scratch.clock as c where ready_at {PASSED}",
    ),
    "notes due": (
        "appointment",
        "select id from records.appointments, scratch.clock as c, {schema}.stg_practices as p "
        f"where ends_at + p.note_alert_days * interval '24 hours' {PASSED}",
    ),
    "weekly deadlines": (
        "appointment",
        "select a.appointment_id from {schema}.appointments as a, scratch.clock as c where a.deadline_at " + PASSED,
    ),
    "days past": (
        "appointment",
        "select a.appointment_id from {schema}.appointments as a, scratch.clock as c "
        "where a.on_date >= c.former_today and a.on_date < c.today",
    ),
    "cohorts judged": (
        "appointment",
        "select a.appointment_id from {schema}.appointments as a, scratch.clock as c, {schema}.stg_practices as p "
        "where a.on_date + p.retention_days > c.former_last_day and a.on_date + p.retention_days <= c.last_day",
    ),
    "notes created": ("note", f"select id from records.notes, scratch.clock as c where created_at {PASSED}"),
    "notes signed": ("note", f"select id from records.notes, scratch.clock as c where signed_at {PASSED}"),
    "notes voided": ("note", f"select id from records.notes, scratch.clock as c where voided_at {PASSED}"),
    "notes in error": ("note", f"select id from records.notes, scratch.clock as c where entered_in_error_at {PASSED}"),
    "charges created": ("charge", f"select id from records.charges, scratch.clock as c where created_at {PASSED}"),
    "charges voided": ("charge", f"select id from records.charges, scratch.clock as c where voided_at {PASSED}"),
    "charges matured": (
        "charge",
        "select id from records.charges, scratch.clock as c, {schema}.stg_practices as p "
        "where service_date + p.collection_days > c.former_last_day and service_date + p.collection_days <= c.last_day",
    ),
    "payments posted": (
        "charge",
        f"select charge_id from records.payment_applications, scratch.clock as c where posted_at {PASSED}",
    ),
    "adjustments posted": (
        "charge",
        f"select charge_id from records.adjustments, scratch.clock as c where posted_at {PASSED}",
    ),
    "claims submitted": ("claim", f"select id from records.claims, scratch.clock as c where submitted_at {PASSED}"),
    "responses to claims": (
        "claim",
        f"select id from records.claims, scratch.clock as c where first_response_at {PASSED}",
    ),
    "claims adjudicated": ("claim", f"select id from records.claims, scratch.clock as c where adjudicated_at {PASSED}"),
    "statuses of clients set": (
        "client",
        f"select client_id from records.client_statuses, scratch.clock as c where set_at {PASSED}",
    ),
    "primary clinicians set": (
        "client",
        f"select client_id from records.primary_clinicians, scratch.clock as c where set_at {PASSED}",
    ),
    "plan reviews entered": (
        "client",
        f"select client_id from records.treatment_plan_reviews, scratch.clock as c where created_at {PASSED}",
    ),
    "plan reviews voided": (
        "client",
        f"select client_id from records.treatment_plan_reviews, scratch.clock as c where voided_at {PASSED}",
    ),
    "versions known": (
        "client",
        f"select client_id from records.record_versions, scratch.clock as c where known_at {PASSED}",
    ),
    "note versions known": (
        "note",
        "select record_id from records.record_versions, scratch.clock as c "
        f"where record_kind = 'notes' and known_at {PASSED}",
    ),
    "appointment versions known": (
        "appointment",
        "select record_id from records.record_versions, scratch.clock as c "
        f"where record_kind = 'appointments' and known_at {PASSED}",
    ),
    "review versions known": (
        "client",
        "select r.client_id from records.record_versions as v, records.treatment_plan_reviews as r, scratch.clock as c "
        f"where v.record_kind = 'treatment_plan_reviews' and v.record_id = r.id and v.known_at {PASSED}",
    ),
    "instants in appointment versions": (
        "appointment",
        "select record_id from records.record_versions, scratch.clock as c where record_kind = 'appointments' and ("
        + " or ".join(
            f"cast(record_values ->> '{name}' as timestamptz) {PASSED}"
            for name in ("status_at", "arrived_at", "ready_at")
        )
        + ")",
    ),
    "signed in": ("sign_in", f"select s.id from records.sign_ins as s, scratch.clock as c where s.at {PASSED}"),
    "instants in versions": (
        "client",
        "select client_id from records.record_versions, scratch.clock as c "
        f"where counts_at {PASSED} or ends_at {PASSED}",
    ),
}

# From records to those that they are about. `known` has the rows of the records before and after the changes.
LINKS = {
    "charges of a claim": (
        "charge",
        "select charge_id from scratch.known.claim_charges where claim_id in (select id from own.touched.claim)",
    ),
    "appointment of a charge": (
        "appointment",
        "select appointment_id from scratch.known.charges where id in (select id from own.touched.charge)",
    ),
    "appointment of a note": (
        "appointment",
        "select appointment_id from scratch.known.notes where id in (select id from own.touched.note)",
    ),
    "former appointments of a note": (
        "appointment",
        """
        select cast(record_values ->> 'appointment_id' as uuid) from scratch.known.record_versions
        where record_kind = 'notes' and record_id in (select id from own.touched.note)
        """,
    ),
    "client of a charge": (
        "client",
        "select client_id from scratch.known.charges where id in (select id from own.touched.charge)",
    ),
    "client of a note": (
        "client",
        "select client_id from scratch.known.notes where id in (select id from own.touched.note)",
    ),
    # of the charges of one appointment, which may be of several clients, one is the first
    "charges of an appointment": (
        "client",
        "select client_id from scratch.known.charges where appointment_id in (select id from own.touched.appointment)",
    ),
    "client of an appointment": (
        "client",
        "select client_id from scratch.known.appointments where id in (select id from own.touched.appointment)",
    ),
}

# The records of the touched clients, and those that their facts look up: each table after those that it asks.
CHARGE_IDS = """
    select id from records.charges where client_id in (select id from own.touched.client)
    union
    select id from records.charges where appointment_id in (
        select id from records.appointments where client_id in (select id from own.touched.client)
        union
        select appointment_id from records.charges where client_id in (select id from own.touched.client)
    )
"""
OF_CLIENT = "client_id in (select id from own.touched.client)"
RECORDS = {
    "client_statuses": OF_CLIENT,
    "primary_clinicians": OF_CLIENT,
    "treatment_plan_reviews": OF_CLIENT,
    "appointments": OF_CLIENT,
    "notes": f"""
        {OF_CLIENT} or appointment_id in (select id from own.records.appointments) or id in (
            select record_id from records.record_versions where record_kind = 'notes'
                and cast(record_values ->> 'appointment_id' as uuid) in (select id from own.records.appointments)
        )
    """,
    "record_versions": f"""
        {OF_CLIENT}
        or record_kind = 'notes' and record_id in (select id from own.records.notes)
        or record_kind = 'appointments' and record_id in (select id from own.records.appointments)
        or record_kind = 'treatment_plan_reviews' and record_id in (select id from own.records.treatment_plan_reviews)
    """,
    "claim_charges": f"""
        claim_id in (select claim_id from records.claim_charges where charge_id in ({CHARGE_IDS}))
    """,
    "claims": "id in (select claim_id from own.records.claim_charges)",
    "charges": f"id in ({CHARGE_IDS} union select charge_id from own.records.claim_charges)",
    "payment_applications": "charge_id in (select id from own.records.charges)",
    "adjustments": "charge_id in (select id from own.records.charges)",
    "sign_ins": "id in (select id from own.touched.sign_in)",
    "coverages": "true",
    "time_zone_changes": "true",
}
