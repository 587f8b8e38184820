"""Forms that mend a compliance check where it is shown, through the operations of its record."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import streamlit as st

from dashboards.signed_in import call_api, find_zone, load

CONSENTS = {
    "informed_consent": "INFORMED_TREATMENT",
    "guardian_consent": "GUARDIAN",
    "telehealth_consent": "TELEHEALTH",
}
FIELDS = {
    "address": "Address",
    "city": "City",
    "state": "State",
    "zip": "ZIP code",
    "phone": "Phone",
    "emergency_contact_name": "Emergency contact",
    "emergency_contact_phone": "Phone of the emergency contact",
}


def show_mending(row: dict[str, Any]) -> None:
    """Show the form that mends a row."""
    FORMS[row["mending"]](row)


def find_today() -> date:
    return datetime.now(find_zone()).date()


def send(method: str, path: str, body: dict[str, Any], **options: Any) -> None:
    """Send what was entered, and draw the page again or say what is wrong."""
    answer = call_api(method, path, json=body, **options)
    if answer.problem:
        st.error(answer.problem)
        return
    st.rerun()


def show_training_form(row: dict[str, Any]) -> None:
    with st.form("training", border=False):
        day = st.date_input("Training completed on", value=None, max_value=find_today(), format="YYYY-MM-DD")
        if st.form_submit_button("Record the training", type="primary"):
            if day is None:
                st.error("Choose the day on which the training was completed.")
                return
            body = {"kind": "HIPAA", "completed_on": str(day)}
            send("POST", f"/staff/{row['staff_id']}/trainings", body)


def show_consent_form(row: dict[str, Any]) -> None:
    with st.form("consent", border=False):
        name = st.text_input("Signed by", max_chars=100, help="Left empty: the client, or a minor's guardian")
        if st.form_submit_button("Record the signed consent", type="primary"):
            body = {"kind": CONSENTS[row["check"]]} | ({"signed_by_name": name.strip()} if name.strip() else {})
            send("POST", f"/clients/{row['client_id']}/consents", body)


def show_review_form(row: dict[str, Any]) -> None:
    with st.form("review", border=False):
        day = st.date_input("Reviewed on", value=find_today(), max_value=find_today(), format="YYYY-MM-DD")
        summary = st.text_area("Summary", max_chars=4000)
        if st.form_submit_button("Record the review", type="primary"):
            body = {"client_id": row["client_id"], "reviewed_on": str(day)}
            body |= {"summary": summary.strip()} if summary.strip() else {}
            send("POST", "/treatment-plan-reviews", body)


def show_coverage_form(row: dict[str, Any]) -> None:
    today = str(find_today())
    coverages = load(f"/clients/{row['client_id']}/coverages")["items"]
    in_force = [
        coverage
        for coverage in coverages
        if coverage["effective_on"] <= today and (coverage["ends_on"] is None or coverage["ends_on"] >= today)
    ]
    for coverage in sorted(in_force, key=lambda coverage: coverage["rank"])[:1]:
        st.text(f"{coverage['payer_name']}, member {coverage['member_id']}")
        if st.button("Mark as verified with the payer", key="verify", type="primary"):
            send("POST", f"/coverages/{coverage['id']}/verify", {})


def show_record_form(row: dict[str, Any]) -> None:
    client = load(f"/clients/{row['client_id']}")
    with st.form("record", border=False):
        entered = {name: st.text_input(label, max_chars=200) for name, label in FIELDS.items() if not client[name]}
        pays = False if client["self_pay"] else st.checkbox("Pays without insurance")
        if st.form_submit_button("Complete the record", type="primary"):
            body: dict[str, Any] = {name: text.strip() for name, text in entered.items() if text.strip()}
            body |= {"self_pay": True} if pays else {}
            if not body:
                st.error("Enter what is missing.")
                return
            send("PATCH", f"/clients/{client['id']}", body, headers={"If-Match": f'"{client["version"]}"'})


FORMS: dict[str, Callable[[dict[str, Any]], None]] = {
    "record_training": show_training_form,
    "record_consent": show_consent_form,
    "record_review": show_review_form,
    "verify_coverage": show_coverage_form,
    "complete_record": show_record_form,
}
