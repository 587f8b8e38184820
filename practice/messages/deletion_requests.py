"""Deletion requests that the practice withdraws: the client is notified."""

from uuid import UUID

from practice.messages.outbox import build_row, insert_rows, load_channels
from practice.people import deletion_requests
from practice.people.deletion_askers import find_asker
from practice.people.models.clients import DeletionRequest
from practice.security.permissions import Scope
from practice.security.work import Work


def withdraw_request(work: Work, scope: Scope, request_id: UUID, reason: str) -> DeletionRequest:
    """Withdraw a deletion request. A client or guardian whose request staff withdraw gets a message.

    A former guardian gets none: messages go to whom the record names now.
    """
    request = deletion_requests.withdraw_request(work, scope, request_id, reason)
    asker = find_asker(work, request)
    if work.actor.client_id is None and asker is not None and asker.kind in ("client", "guardian"):
        rows = [
            build_row(work, "DELETION_WITHDRAWN", channel, work.now) | {"client_id": request.client_id}
            for channel in load_channels(work, request.client_id)
        ]
        insert_rows(work, rows)
    return request
