"""What an appointment costs: shown before it is booked, fixed when it is completed."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from practice.people.models.clients import Coverage
from practice.scheduling.models.catalog import ClinicianService, Fee, Service, ServiceRate
from practice.store.ids import new_id
from tests.support.builders.schedule import make_client, make_service, put
from tests.support.drivers.booking import DAY, HOUR, MONDAY, FrontDesk, wall

TEN = wall(MONDAY, 10)
PAYER = "60054"


class Prices:
    def __init__(self, desk: FrontDesk, *, self_pay: bool = False, copay_cents: int | None = 2500) -> None:
        self.desk = desk
        self.client = make_client(desk.practice, self_pay=self_pay)
        about = {"payer_id": PAYER, "payer_name": "Sample Health", "member_id": "M1", "copay_cents": copay_cents}
        self.cover(1, date(2026, 1, 1), **about)

    def cover(self, rank: int, since: date, **about: Any) -> None:
        verified = {"verified_at": self.desk.now}
        put(
            self.desk.practice,
            Coverage(id=new_id(), client_id=self.client, rank=rank, effective_on=since, **verified | about),
        )

    def fee(self, cents: int, clinician_id: UUID | None = None, on: date | None = None, **more: Any) -> None:
        about = {"payer_id": PAYER, "service_id": self.desk.service, "set_at": self.desk.now} | more
        put(
            self.desk.practice,
            Fee(id=new_id(), clinician_id=clinician_id, rate_cents=cents, effective_on=on, **about),
        )

    def clinicians_own(self, cents: int) -> None:
        who = {"clinician_id": self.desk.clinician.staff_id, "service_id": self.desk.service}
        put(self.desk.practice, ClinicianService(price_cents=cents, **who))

    def shown(self, start: Any = TEN) -> dict[str, Any]:
        wanted = self.desk.wanted(start, client_id=self.client)
        return self.desk.post("/appointments/preview", **wanted).json()["cost"]

    def price(self, start: Any = TEN) -> tuple[str, str]:
        cost = self.shown(start)
        return cost["price"], cost["price_from"]


def test_the_price_comes_from_the_closest_agreement(desk: FrontDesk) -> None:
    prices = Prices(desk)
    assert prices.price() == ("150.00", "service")
    prices.clinicians_own(14000)
    assert prices.price() == ("140.00", "clinician")
    prices.fee(12000)
    assert prices.price() == ("120.00", "payer")
    prices.fee(13050, desk.add_clinician().staff_id)  # somebody else's
    assert prices.price() == ("120.00", "payer")
    prices.fee(12550, desk.clinician.staff_id)
    assert prices.price() == ("125.50", "payer_and_clinician")


def test_a_fee_of_another_payer_or_service_or_that_was_voided_is_none(desk: FrontDesk) -> None:
    prices = Prices(desk)
    prices.fee(100, payer_id="00001")
    prices.fee(200, service_id=make_service(desk.practice))
    prices.fee(300, voided_at=desk.now)
    assert prices.price() == ("150.00", "service")


def test_the_rate_of_the_day_counts_and_of_one_day_the_last_set(desk: FrontDesk) -> None:
    prices = Prices(desk)
    rate = {"service_id": desk.service, "effective_on": MONDAY + DAY}
    put(desk.practice, ServiceRate(rate_cents=16000, set_at=desk.now - HOUR, **rate))
    put(desk.practice, ServiceRate(rate_cents=16500, set_at=desk.now, **rate))
    assert prices.price(TEN) == ("150.00", "service")
    assert prices.price(TEN + DAY) == ("165.00", "service")
    late = wall(MONDAY, 19)  # the day is the practice's, not that of UTC
    assert prices.price(late) == ("150.00", "service")


def test_a_preview_says_all_that_an_invoice_needs(desk: FrontDesk) -> None:
    prices = Prices(desk)
    assert prices.shown() == {
        **{"service_code": "TALK", "cpt_code": "90837", "units": 1, "minutes": 60},
        **{"price": "150.00", "price_from": "service", "copay": "25.00", "insurance_applies": True},
    }
    assert desk.count("appointments") == 0


def test_who_pays_for_themselves_pays_the_practices_price(desk: FrontDesk) -> None:
    prices = Prices(desk, self_pay=True)
    prices.fee(12000)
    cost = prices.shown()
    assert (cost["price"], cost["copay"], cost["insurance_applies"]) == ("150.00", "0.00", False)
    answer = desk.book(TEN, client_id=prices.client).json()
    assert (answer["payment_required"], answer["amount"]) == (True, "150.00")


def test_of_several_coverages_the_first_in_rank_and_in_force_pays(desk: FrontDesk) -> None:
    prices = Prices(desk)
    prices.cover(2, date(2026, 1, 1), payer_id="00002", payer_name="Second", member_id="M2", copay_cents=100)
    assert prices.shown()["copay"] == "25.00"
    desk.write("update coverages set ends_on = '2026-03-22' where rank = 1")
    assert prices.shown()["copay"] == "1.00"
    desk.write("update coverages set voided_at = now() where rank = 2")
    cost = prices.shown()
    assert (cost["copay"], cost["insurance_applies"]) == ("0.00", False)


@pytest.mark.parametrize(
    ("copay", "due", "amount"),
    [(2500, True, "25.00"), (0, False, "0.00"), (None, False, "0.00"), (99999, True, "150.00")],
)
def test_at_the_desk_the_copay_is_due(desk: FrontDesk, copay: int | None, due: bool, amount: str) -> None:
    prices = Prices(desk, copay_cents=copay)
    answer = desk.book(TEN, client_id=prices.client).json()
    assert (answer["payment_required"], answer["amount"]) == (due, amount)


def test_without_any_rate_there_is_no_price_and_booking_goes_on(desk: FrontDesk) -> None:
    with desk.practice.house.store.session_in(desk.practice.id) as db:
        db.add(
            Service(
                **{"tenant_id": desk.practice.id, "id": new_id(), "code": "FREE", "name": "Free", "minutes": 60},
                **{"kind": "INDIVIDUAL", "created_at": desk.now},
            )
        )
    answer = desk.book(TEN, service_code="FREE")
    assert answer.status_code == 201
    assert (answer.json()["payment_required"], answer.json()["amount"]) == (False, None)
    desk.now = TEN
    completed = desk.done(answer.json()["appointment"], "complete")
    assert (completed["price"], completed["copay"]) == (None, None)


def test_the_price_is_fixed_when_the_session_is_completed(desk: FrontDesk) -> None:
    prices = Prices(desk)
    booked = desk.booked(TEN, client_id=prices.client)
    assert (booked["price"], booked["copay"]) == (None, None)
    prices.fee(12000)
    desk.now = TEN + HOUR
    completed = desk.done(booked, "complete")
    assert (completed["price"], completed["copay"]) == ("120.00", "25.00")
    assert desk.rows("select price_from from appointments")[0][0] == "payer"
    prices.fee(9900, desk.clinician.staff_id)
    desk.write("update coverages set copay_cents = 1")
    kept = desk.read(booked)
    assert (kept["price"], kept["copay"]) == ("120.00", "25.00")


def test_a_preview_shows_what_speaks_against_booking(desk: FrontDesk) -> None:
    desk.booked(TEN)
    found = desk.post("/appointments/preview", **desk.wanted(TEN, client_id=desk.client)).json()
    assert {problem["code"] for problem in found["problems"]} == {"SLOT_TAKEN"}
    assert len(found["problems"]) == 2
    past = desk.post("/appointments/preview", **desk.wanted(desk.now - DAY)).json()
    assert past["problems"] == []
    assert ["passed" in warning for warning in past["warnings"]] == [True]
    me = desk.portal()
    mine = desk.wanted(desk.now + HOUR, client_id=None)
    [problem] = desk.post("/appointments/preview", me, **mine).json()["problems"]
    assert problem["code"] == "OUTSIDE_BOOKING_WINDOW"
