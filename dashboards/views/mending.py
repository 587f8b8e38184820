"""Forms that mend what a check finds where it is shown, through the operations of its record."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import streamlit as st

from dashboards.problems import say
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

LICENSES = ("LPC", "APC", "LCSW", "LMSW", "LMFT", "PSYCHOLOGIST", "MD", "APRN", "OTHER")


def show_mending(row: dict[str, Any]) -> None:
    """Show the form that mends a row."""
    FORMS[row["mending"]](row)


def find_today() -> date:
    return datetime.now(find_zone()).date()


def send(method: str, path: str, body: dict[str, Any], **options: Any) -> None:
    """Send what was entered, and draw the page again or say what is wrong."""
    answer = call_api(method, path, json=body, **options)
    if answer.problem:
        say("error", answer.problem)
        return
    st.rerun()


def show_training_form(row: dict[str, Any]) -> None:
    with st.form("training", border=False):
        day = st.date_input("Training completed on", value=find_today(), max_value=find_today(), format="YYYY-MM-DD")
        if st.form_submit_button("Record the training", type="primary"):
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


def show_rate_form(row: dict[str, Any]) -> None:
    with st.form("rate", border=False):
        rate = st.text_input("Base rate for an hour, in dollars", placeholder="80.00", max_chars=10)
        day = st.date_input("From", value=date.fromisoformat(row["since_on"]), format="YYYY-MM-DD")
        if st.form_submit_button("Set the rate", type="primary"):
            body = {"rate": rate.strip(), "effective_on": str(day)}
            send("POST", f"/staff/{row['staff_id']}/pay-rates", body)


def show_staff_form(row: dict[str, Any]) -> None:
    person = load(f"/staff/{row['staff_id']}")
    supervisors = {one["id"]: name_person(one) for one in load("/staff", {"role": "supervisor", "limit": 100})["items"]}
    with st.form("staff", border=False):
        license_type = st.selectbox("License", LICENSES, index=find_place(LICENSES, person["license_type"]))
        npi = st.text_input("NPI", value=person["npi"] or "", max_chars=10, placeholder="Ten digits")
        known = [one for one in supervisors if one != person["id"]]
        supervisor = st.selectbox(
            "Supervisor",
            known,
            index=find_place(known, person["supervisor_id"]),
            format_func=lambda one: supervisors[one],
        )
        if st.form_submit_button("Save", type="primary"):
            entered = {"license_type": license_type, "npi": npi.strip() or None, "supervisor_id": supervisor}
            changes = {name: value for name, value in entered.items() if value != person[name]}
            send("PATCH", f"/staff/{person['id']}", changes, headers={"If-Match": f'"{person["version"]}"'})


def name_person(person: dict[str, Any]) -> str:
    return f"{person['first_name']} {person['last_name']}"


def find_place(options: Sequence[str], value: str | None) -> int | None:
    return options.index(value) if value in options else None


def show_practice_form(_: dict[str, Any]) -> None:
    practice = load("/practice")
    with st.form("practice", border=False):
        npi = st.text_input("NPI", value=practice["npi"] or "", max_chars=10, placeholder="Ten digits")
        tax_id = st.text_input("Tax id", max_chars=40, help="Left empty, it stays as it is")
        if st.form_submit_button("Save", type="primary"):
            changes = {"npi": npi.strip() or None} | ({"tax_id": tax_id.strip()} if tax_id.strip() else {})
            send("PATCH", "/practice", changes, headers={"If-Match": f'"{practice["version"]}"'})


def show_schedule_link(row: dict[str, Any]) -> None:
    address = f"/schedule?day={row['since_on']}"
    st.link_button("Open the schedule of that day", address, icon=":material/calendar_month:")


FORMS: dict[str, Callable[[dict[str, Any]], None]] = {
    "record_training": show_training_form,
    "record_consent": show_consent_form,
    "record_review": show_review_form,
    "verify_coverage": show_coverage_form,
    "complete_record": show_record_form,
    "set_pay_rate": show_rate_form,
    "complete_staff": show_staff_form,
    "complete_practice": show_practice_form,
    "open_schedule": show_schedule_link,
}
