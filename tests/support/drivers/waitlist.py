"""The waitlist API: an appointment, the entries that wait for its time, and the answers to offers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from practice.scheduling.waitlist.offers import expire_offers
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import MONDAY, SECOND, BookingApi, local

TEN = local(MONDAY, 10)


class WaitlistScenario:
    """An appointment and the waitlist entries for its time."""

    def __init__(self, booking_api: BookingApi, start: datetime = TEN, **fields: Any) -> None:
        self.booking_api = booking_api
        self.booked = booking_api.book_appointment(start, **fields)

    def join(self, client_id: UUID | None = None, **preferences: Any) -> dict[str, Any]:
        client_id = client_id or make_client(self.booking_api.practice)
        response = self.booking_api.post("/waitlist", client_id=client_id, **preferences)
        assert response.status_code == 201, response.text
        self.booking_api.now += SECOND  # later entries have waited less
        return response.json()

    def release(self) -> None:
        self.booking_api.take_step(self.booked, "cancel", reason="Ill")

    def list_offers(self, entry: dict[str, Any]) -> list[dict[str, Any]]:
        return self.booking_api.get(f"/waitlist/{entry['id']}/offers").json()["items"]

    def get_open_offer(self, entry: dict[str, Any]) -> dict[str, Any]:
        [offer] = [offer for offer in self.list_offers(entry) if offer["status"] == "OPEN"]
        return offer

    def get_status(self, entry: dict[str, Any]) -> str:
        return self.booking_api.get(f"/waitlist/{entry['id']}").json()["status"]

    def answer_offer(self, offer: dict[str, Any], action: str, by: Any = None) -> Any:
        path = f"/api/v1/waitlist/offers/{offer['id']}/{action}"
        return self.booking_api.http.post(path, headers=self.booking_api.build_headers(by))

    def expire_offers(self) -> int:
        with self.booking_api.practice.work(now=self.booking_api.now) as work:
            return expire_offers(work)
