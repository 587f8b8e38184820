"""The API of group sessions as the front desk uses it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tests.support.builders.people import Person
from tests.support.builders.schedule import make_client, make_room, make_service
from tests.support.drivers.booking import MONDAY, BookingApi, local

TEN = local(MONDAY, 10)


class Groups:
    """A group service of three seats in a room of eight, and its API."""

    def __init__(self, booking_api: BookingApi) -> None:
        self.booking_api = booking_api
        make_service(booking_api.practice, "GRIEF", kind="GROUP", capacity=3, minutes=90)
        self.room = make_room(booking_api.practice)

    def body(self, start: datetime = TEN, **fields: Any) -> dict[str, Any]:
        clinician = self.booking_api.clinician.staff_id
        return {"clinician_id": clinician, "service_code": "GRIEF", "room_id": self.room, "starts_at": start} | fields

    def open(self, start: datetime = TEN, **fields: Any) -> dict[str, Any]:
        response = self.booking_api.post("/group-sessions", **self.body(start, **fields))
        assert response.status_code == 201, response.text
        return response.json()

    def open_series(self, rule: str = "FREQ=WEEKLY;COUNT=3", **fields: Any) -> list[dict[str, Any]]:
        response = self.booking_api.post("/group-sessions/series", **self.body(rule=rule, **fields))
        assert response.status_code == 201, response.text
        return self.list_groups(series_id=response.json()["series_id"])

    def join(self, group: dict[str, Any], client: UUID | Person | None = None) -> dict[str, Any]:
        response = self.try_join(group, client)
        assert response.status_code == 201, response.text
        return response.json()["appointment"]

    def try_join(self, group: dict[str, Any], client: UUID | Person | None = None) -> Any:
        if isinstance(client, Person):
            return self.booking_api.post("/appointments", client, group_session_id=group["id"])
        client = client or make_client(self.booking_api.practice)
        return self.booking_api.post("/appointments", client_id=client, group_session_id=group["id"])

    def list_groups(self, by: Person | None = None, **query: Any) -> list[dict[str, Any]]:
        response = self.booking_api.get("/group-sessions", by, **query)
        assert response.status_code == 200, response.text
        return response.json()["items"]

    def read(self, group: dict[str, Any], by: Person | None = None) -> dict[str, Any]:
        response = self.booking_api.get(f"/group-sessions/{group['id']}", by)
        assert response.status_code == 200, response.text
        return response.json()

    def change(self, group: dict[str, Any], action: str, by: Person | None = None, **body: Any) -> Any:
        return self.booking_api.post(f"/group-sessions/{group['id']}/{action}", by, **body)

    def move(self, group: dict[str, Any], start: datetime, **body: Any) -> list[dict[str, Any]]:
        response = self.change(group, "reschedule", starts_at=start, **body)
        assert response.status_code == 201, response.text
        return response.json()["items"]

    def cancel(self, group: dict[str, Any], **body: Any) -> list[dict[str, Any]]:
        response = self.change(group, "cancel", reason="The clinician is ill", **body)
        assert response.status_code == 200, response.text
        return response.json()["items"]
