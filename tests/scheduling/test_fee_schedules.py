"""Prices: previewed before booking, fixed at completion."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from practice.people.models.clients import Coverage
from practice.scheduling.models.catalog import ClinicianService, Fee, Service, ServiceRate
from practice.store.ids import new_id
from tests.support.builders.schedule import make_client, make_service, put
from tests.support.drivers.booking import DAY, HOUR, MONDAY, BookingApi, local

TEN = local(MONDAY, 10)
PAYER = "60054"


class PriceScenario:
    def __init__(self, booking_api: BookingApi, *, self_pay: bool = False, copay_cents: int | None = 2500) -> None:
        self.booking_api = booking_api
        self.client = make_client(booking_api.practice, self_pay=self_pay)
        fields = {"payer_id": PAYER, "payer_name": "Sample Health", "member_id": "M1", "copay_cents": copay_cents}
        self.add_coverage(1, date(2026, 1, 1), **fields)

    def add_coverage(self, rank: int, since: date, **fields: Any) -> None:
        verified = {"verified_at": self.booking_api.now}
        put(
            self.booking_api.practice,
            Coverage(id=new_id(), client_id=self.client, rank=rank, effective_on=since, **verified | fields),
        )

    def add_fee(self, cents: int, clinician_id: UUID | None = None, on: date | None = None, **fields: Any) -> None:
        values = {"payer_id": PAYER, "service_id": self.booking_api.service, "set_at": self.booking_api.now} | fields
        put(
            self.booking_api.practice,
            Fee(id=new_id(), clinician_id=clinician_id, rate_cents=cents, effective_on=on, **values),
        )

    def set_clinician_price(self, cents: int) -> None:
        keys = {"clinician_id": self.booking_api.clinician.staff_id, "service_id": self.booking_api.service}
        put(self.booking_api.practice, ClinicianService(price_cents=cents, **keys))

    def preview_cost(self, start: Any = TEN) -> dict[str, Any]:
        body = self.booking_api.booking_body(start, client_id=self.client)
        return self.booking_api.post("/appointments/preview", **body).json()["cost"]

    def preview_price(self, start: Any = TEN) -> tuple[str, str]:
        cost = self.preview_cost(start)
        return cost["price"], cost["price_source"]


def test_the_most_specific_rate_sets_the_price(booking_api: BookingApi) -> None:
    prices = PriceScenario(booking_api)
    assert prices.preview_price() == ("150.00", "service")
    prices.set_clinician_price(14000)
    assert prices.preview_price() == ("140.00", "clinician")
    prices.add_fee(12000)
    assert prices.preview_price() == ("120.00", "payer")
    prices.add_fee(13050, booking_api.add_clinician().staff_id)  # another clinician's
    assert prices.preview_price() == ("120.00", "payer")
    prices.add_fee(12550, booking_api.clinician.staff_id)
    assert prices.preview_price() == ("125.50", "payer_and_clinician")


def test_fees_of_other_payers_or_services_and_voided_ones_do_not_count(booking_api: BookingApi) -> None:
    prices = PriceScenario(booking_api)
    prices.add_fee(100, payer_id="00001")
    prices.add_fee(200, service_id=make_service(booking_api.practice))
    prices.add_fee(300, voided_at=booking_api.now)
    assert prices.preview_price() == ("150.00", "service")


def test_the_rate_in_effect_counts_and_the_last_one_set_for_a_date(booking_api: BookingApi) -> None:
    prices = PriceScenario(booking_api)
    rate = {"service_id": booking_api.service, "effective_on": MONDAY + DAY}
    put(booking_api.practice, ServiceRate(rate_cents=16000, set_at=booking_api.now - HOUR, **rate))
    put(booking_api.practice, ServiceRate(rate_cents=16500, set_at=booking_api.now, **rate))
    assert prices.preview_price(TEN) == ("150.00", "service")
    assert prices.preview_price(TEN + DAY) == ("165.00", "service")
    late = local(MONDAY, 19)  # the day is the practice's, not that of UTC
    assert prices.preview_price(late) == ("150.00", "service")


def test_a_preview_has_all_that_an_invoice_needs(booking_api: BookingApi) -> None:
    prices = PriceScenario(booking_api)
    assert prices.preview_cost() == {
        "service_name": "Individual",
        **{"service_code": "TALK", "cpt_code": "90837", "units": 1, "minutes": 60},
        **{"price": "150.00", "price_source": "service", "copay": "25.00", "insurance_applies": True},
        **{"payment_required": True, "amount": "25.00"},
    }
    assert booking_api.count("appointments") == 0


def test_self_paying_clients_pay_the_practices_price(booking_api: BookingApi) -> None:
    prices = PriceScenario(booking_api, self_pay=True)
    prices.add_fee(12000)
    cost = prices.preview_cost()
    assert (cost["price"], cost["copay"], cost["insurance_applies"]) == ("150.00", "0.00", False)
    response = booking_api.book(TEN, client_id=prices.client).json()
    assert (response["payment_required"], response["amount"]) == (True, "150.00")


def test_of_several_coverages_the_first_in_rank_and_in_force_pays(booking_api: BookingApi) -> None:
    prices = PriceScenario(booking_api)
    prices.add_coverage(2, date(2026, 1, 1), payer_id="00002", payer_name="Second", member_id="M2", copay_cents=100)
    assert prices.preview_cost()["copay"] == "25.00"
    booking_api.write("update coverages set ends_on = '2026-03-22' where rank = 1")
    assert prices.preview_cost()["copay"] == "1.00"
    booking_api.write("update coverages set voided_at = now() where rank = 2")
    cost = prices.preview_cost()
    assert (cost["copay"], cost["insurance_applies"]) == ("0.00", False)


@pytest.mark.parametrize(
    ("copay", "due", "amount"),
    [(2500, True, "25.00"), (0, False, "0.00"), (None, None, None), (99999, True, "150.00")],
)
def test_the_copay_is_due_at_the_visit(
    booking_api: BookingApi, copay: int | None, due: bool | None, amount: str | None
) -> None:
    prices = PriceScenario(booking_api, copay_cents=copay)
    cost = prices.preview_cost()
    response = booking_api.book(TEN, client_id=prices.client).json()
    for answer in (cost, response):
        assert (answer["payment_required"], answer["amount"]) == (due, amount)
    assert cost["copay"] == amount
    assert ["copay is not known" in warning for warning in response["warnings"]].count(True) == (copay is None)


def test_an_unknown_copay_stays_unknown_at_completion(booking_api: BookingApi) -> None:
    prices = PriceScenario(booking_api, copay_cents=None)
    booked = booking_api.book_appointment(TEN, client_id=prices.client)
    booking_api.now = TEN + HOUR
    completed = booking_api.take_step(booked, "complete")
    assert (completed["price"], completed["copay"]) == ("150.00", None)


def test_without_a_rate_there_is_no_price_and_booking_works(booking_api: BookingApi) -> None:
    with booking_api.practice.installation.store.begin_session(booking_api.practice.id) as db:
        db.add(
            Service(
                **{"tenant_id": booking_api.practice.id, "id": new_id(), "code": "FREE", "name": "Free", "minutes": 60},
                **{"kind": "INDIVIDUAL", "created_at": booking_api.now},
            )
        )
    response = booking_api.book(TEN, service_code="FREE")
    assert response.status_code == 201
    assert (response.json()["payment_required"], response.json()["amount"]) == (None, None)
    booking_api.now = TEN
    completed = booking_api.take_step(response.json()["appointment"], "complete")
    assert (completed["price"], completed["copay"]) == (None, None)


def test_the_price_is_fixed_when_the_session_is_completed(booking_api: BookingApi) -> None:
    prices = PriceScenario(booking_api)
    booked = booking_api.book_appointment(TEN, client_id=prices.client)
    assert (booked["price"], booked["copay"]) == (None, None)
    prices.add_fee(12000)
    booking_api.now = TEN + HOUR
    completed = booking_api.take_step(booked, "complete")
    assert (completed["price"], completed["copay"]) == ("120.00", "25.00")
    assert booking_api.load_rows("select price_from from appointments")[0][0] == "payer"
    prices.add_fee(9900, booking_api.clinician.staff_id)
    booking_api.write("update coverages set copay_cents = 1")
    stored = booking_api.read(booked)
    assert (stored["price"], stored["copay"]) == ("120.00", "25.00")


def test_a_preview_lists_the_problems_of_booking(booking_api: BookingApi) -> None:
    booking_api.book_appointment(TEN)
    preview = booking_api.post(
        "/appointments/preview", **booking_api.booking_body(TEN, client_id=booking_api.client)
    ).json()
    assert {problem["code"] for problem in preview["problems"]} == {"SLOT_TAKEN"}
    assert len(preview["problems"]) == 2
    past = booking_api.post("/appointments/preview", **booking_api.booking_body(booking_api.now - DAY)).json()
    assert past["problems"] == []
    assert ["passed" in warning for warning in past["warnings"]] == [True]
    me = booking_api.add_portal_client()
    body = booking_api.booking_body(booking_api.now + HOUR, client_id=None)
    [problem] = booking_api.post("/appointments/preview", me, **body).json()["problems"]
    assert problem["code"] == "OUTSIDE_BOOKING_WINDOW"
