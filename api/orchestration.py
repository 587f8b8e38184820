"""Routes of the orchestration, for the operator of the installation."""

from typing import Annotated

from pydantic import BaseModel

from api.context import RequestContext
from api.fields import describe
from api.routing import PermissionRouter
from practice.security.dagster_tickets import TICKET_LIFETIME, issue_ticket

router = PermissionRouter(prefix="/dagster", tags=["dagster"])


class DagsterTicketOut(BaseModel):
    url: Annotated[str, describe("Opens Dagster's page, once, on the machine of the installation.")]
    ticket: Annotated[str, describe("The part of the URL after `#`, which is sent in a form and in no request line.")]
    expires_in: Annotated[int, describe("Seconds until the ticket expires.")]


@router.post("/tickets", permission="platform", status_code=201)
def create_dagster_ticket(ctx: RequestContext) -> DagsterTicketOut:
    """Create a ticket to Dagster's page.

    The page stays open as long as your session.
    """
    ticket = issue_ticket(ctx.work)
    return DagsterTicketOut(
        url=f"{ctx.installation.settings.dagster_url}/enter#{ticket}",
        ticket=ticket,
        expires_in=int(TICKET_LIFETIME.total_seconds()),
    )
