"""What an appointment costs: shown before it is booked, fixed when it is completed."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from practice.people.models.clients import Coverage
from practice.scheduling.models.catalog import ClinicianService, Fee, Service, ServiceRate
from practice.store.ids import new_id
from tests.support.builders.schedule import make_client, make_service, put
from tests.support.drivers.booking import DAY, HOUR, MONDAY, BookingApi, wall

TEN = wall(MONDAY, 10)
PAYER = "60054"


class Prices:
    def __init__(self, booking_api: BookingApi, *, self_pay: bool = False, copay_cents: int | None = 2500) -> None:
        self.booking_api = booking_api
        self.client = make_client(booking_api.practice, self_pay=self_pay)
        about = {"payer_id": PAYER, "payer_name": "Sample Health", "member_id": "M1", "copay_cents": copay_cents}
        self.cover(1, date(2026, 1, 1), **about)

    def cover(self, rank: int, since: date, **about: Any) -> None:
        verified = {"verified_at": self.booking_api.now}
        put(
            self.booking_api.practice,
            Coverage(id=new_id(), client_id=self.client, rank=rank, effective_on=since, **verified | about),
        )

    def fee(self, cents: int, clinician_id: UUID | None = None, on: date | None = None, **more: Any) -> None:
        about = {"payer_id": PAYER, "service_id": self.booking_api.service, "set_at": self.booking_api.now} | more
        put(
            self.booking_api.practice,
            Fee(id=new_id(), clinician_id=clinician_id, rate_cents=cents, effective_on=on, **about),
        )

    def clinicians_own(self, cents: int) -> None:
        who = {"clinician_id": self.booking_api.clinician.staff_id, "service_id": self.booking_api.service}
        put(self.booking_api.practice, ClinicianService(price_cents=cents, **who))

    def shown(self, start: Any = TEN) -> dict[str, Any]:
        wanted = self.booking_api.wanted(start, client_id=self.client)
        return self.booking_api.post("/appointments/preview", **wanted).json()["cost"]

    def price(self, start: Any = TEN) -> tuple[str, str]:
        cost = self.shown(start)
        return cost["price"], cost["price_from"]


def test_the_price_comes_from_the_closest_agreement(booking_api: BookingApi) -> None:
    prices = Prices(booking_api)
    assert prices.price() == ("150.00", "service")
    prices.clinicians_own(14000)
    assert prices.price() == ("140.00", "clinician")
    prices.fee(12000)
    assert prices.price() == ("120.00", "payer")
    prices.fee(13050, booking_api.add_clinician().staff_id)  # somebody else's
    assert prices.price() == ("120.00", "payer")
    prices.fee(12550, booking_api.clinician.staff_id)
    assert prices.price() == ("125.50", "payer_and_clinician")


def test_a_fee_of_another_payer_or_service_or_that_was_voided_is_none(booking_api: BookingApi) -> None:
    prices = Prices(booking_api)
    prices.fee(100, payer_id="00001")
    prices.fee(200, service_id=make_service(booking_api.practice))
    prices.fee(300, voided_at=booking_api.now)
    assert prices.price() == ("150.00", "service")


def test_the_rate_of_the_day_counts_and_of_one_day_the_last_set(booking_api: BookingApi) -> None:
    prices = Prices(booking_api)
    rate = {"service_id": booking_api.service, "effective_on": MONDAY + DAY}
    put(booking_api.practice, ServiceRate(rate_cents=16000, set_at=booking_api.now - HOUR, **rate))
    put(booking_api.practice, ServiceRate(rate_cents=16500, set_at=booking_api.now, **rate))
    assert prices.price(TEN) == ("150.00", "service")
    assert prices.price(TEN + DAY) == ("165.00", "service")
    late = wall(MONDAY, 19)  # the day is the practice's, not that of UTC
    assert prices.price(late) == ("150.00", "service")


def test_a_preview_says_all_that_an_invoice_needs(booking_api: BookingApi) -> None:
    prices = Prices(booking_api)
    assert prices.shown() == {
        **{"service_code": "TALK", "cpt_code": "90837", "units": 1, "minutes": 60},
        **{"price": "150.00", "price_from": "service", "copay": "25.00", "insurance_applies": True},
    }
    assert booking_api.count("appointments") == 0


def test_who_pays_for_themselves_pays_the_practices_price(booking_api: BookingApi) -> None:
    prices = Prices(booking_api, self_pay=True)
    prices.fee(12000)
    cost = prices.shown()
    assert (cost["price"], cost["copay"], cost["insurance_applies"]) == ("150.00", "0.00", False)
    answer = booking_api.book(TEN, client_id=prices.client).json()
    assert (answer["payment_required"], answer["amount"]) == (True, "150.00")


def test_of_several_coverages_the_first_in_rank_and_in_force_pays(booking_api: BookingApi) -> None:
    prices = Prices(booking_api)
    prices.cover(2, date(2026, 1, 1), payer_id="00002", payer_name="Second", member_id="M2", copay_cents=100)
    assert prices.shown()["copay"] == "25.00"
    booking_api.write("update coverages set ends_on = '2026-03-22' where rank = 1")
    assert prices.shown()["copay"] == "1.00"
    booking_api.write("update coverages set voided_at = now() where rank = 2")
    cost = prices.shown()
    assert (cost["copay"], cost["insurance_applies"]) == ("0.00", False)


@pytest.mark.parametrize(
    ("copay", "due", "amount"),
    [(2500, True, "25.00"), (0, False, "0.00"), (None, False, "0.00"), (99999, True, "150.00")],
)
def test_at_the_desk_the_copay_is_due(booking_api: BookingApi, copay: int | None, due: bool, amount: str) -> None:
    prices = Prices(booking_api, copay_cents=copay)
    answer = booking_api.book(TEN, client_id=prices.client).json()
    assert (answer["payment_required"], answer["amount"]) == (due, amount)


def test_without_any_rate_there_is_no_price_and_booking_goes_on(booking_api: BookingApi) -> None:
    with booking_api.practice.installation.store.session_in(booking_api.practice.id) as db:
        db.add(
            Service(
                **{"tenant_id": booking_api.practice.id, "id": new_id(), "code": "FREE", "name": "Free", "minutes": 60},
                **{"kind": "INDIVIDUAL", "created_at": booking_api.now},
            )
        )
    answer = booking_api.book(TEN, service_code="FREE")
    assert answer.status_code == 201
    assert (answer.json()["payment_required"], answer.json()["amount"]) == (False, None)
    booking_api.now = TEN
    completed = booking_api.done(answer.json()["appointment"], "complete")
    assert (completed["price"], completed["copay"]) == (None, None)


def test_the_price_is_fixed_when_the_session_is_completed(booking_api: BookingApi) -> None:
    prices = Prices(booking_api)
    booked = booking_api.booked(TEN, client_id=prices.client)
    assert (booked["price"], booked["copay"]) == (None, None)
    prices.fee(12000)
    booking_api.now = TEN + HOUR
    completed = booking_api.done(booked, "complete")
    assert (completed["price"], completed["copay"]) == ("120.00", "25.00")
    assert booking_api.rows("select price_from from appointments")[0][0] == "payer"
    prices.fee(9900, booking_api.clinician.staff_id)
    booking_api.write("update coverages set copay_cents = 1")
    kept = booking_api.read(booked)
    assert (kept["price"], kept["copay"]) == ("120.00", "25.00")


def test_a_preview_shows_what_speaks_against_booking(booking_api: BookingApi) -> None:
    booking_api.booked(TEN)
    found = booking_api.post("/appointments/preview", **booking_api.wanted(TEN, client_id=booking_api.client)).json()
    assert {problem["code"] for problem in found["problems"]} == {"SLOT_TAKEN"}
    assert len(found["problems"]) == 2
    past = booking_api.post("/appointments/preview", **booking_api.wanted(booking_api.now - DAY)).json()
    assert past["problems"] == []
    assert ["passed" in warning for warning in past["warnings"]] == [True]
    me = booking_api.portal()
    mine = booking_api.wanted(booking_api.now + HOUR, client_id=None)
    [problem] = booking_api.post("/appointments/preview", me, **mine).json()["problems"]
    assert problem["code"] == "OUTSIDE_BOOKING_WINDOW"
