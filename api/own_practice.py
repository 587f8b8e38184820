"""Routes of the caller's own practice: its name, time zone and numbers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.affected import AffectedOut, describe_affected
from api.context import RequestContext, Version
from api.fields import Name, Npi, Text40
from api.names import PersonOf, from_record
from api.responses import Input
from api.routing import PermissionRouter
from practice.people import practices
from practice.people.models.practices import Practice
from practice.scheduling.appointments import practice_changes
from practice.security.permissions import find_scope
from practice.sessions.setup import Key, list_setup_steps

router = PermissionRouter(prefix="/practice", tags=["practice"])

ZoneName = Annotated[Text40, Field(description="A name of the IANA list.", examples=["America/New_York"])]


class OwnPracticeChange(Input):
    """Only the fields sent are changed; name and time zone cannot be null."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Oak Street Therapy", "time_zone": "America/Chicago"}]}
    )

    name: Annotated[Name, Field(description="The name that staff, clients and documents show.")] = ""
    time_zone: Annotated[
        ZoneName, Field(description="In force from now on: past weeks, dates and deadlines stay as they were.")
    ] = ""
    npi: Annotated[Npi | None, Field(description="The practice's NPI, 10 digits; null for none.")] = None
    tax_id: Annotated[Text40 | None, Field(description="The tax id; stored encrypted. Null for none.")] = None


class ZoneChangeOut(BaseModel):
    changed_at: datetime = Field(description="From this instant on the new zone is in force.")
    old_zone: str = Field(description="The zone until then.")
    new_zone: str = Field(description="The zone from then on.")
    changed_by: UUID | None = Field(description="The account that changed it; null for the operator's commands.")
    changed_by_person: PersonOf = None


class OwnPracticeOut(BaseModel):
    """`npi` and `tax_id` are null when there are none, and for everybody but the practice's admins."""

    id: UUID = Field(description="The practice's id.")
    name: str = Field(description="The practice's name.")
    slug: str = Field(description="Its name on the command line, from its first name; it never changes.")
    time_zone: str = Field(description="The time zone of its local dates and times.")
    time_zone_changes: list[ZoneChangeOut] = Field(description="Earlier changes of the zone, latest first.")
    npi: str | None = Field(description="The practice's NPI.")
    tax_id: str | None = Field(description="The practice's tax id.")
    created_at: datetime = Field(description="When it was created here.")
    version: int = Field(description="Send it as `If-Match` with a change.")

    @classmethod
    def of(cls, ctx: RequestContext, practice: Practice) -> "OwnPracticeOut":
        """Return the practice as the caller may see it."""
        changes = [from_record(ZoneChangeOut, change) for change in practices.list_zone_changes(ctx.work)]
        hidden = {"npi": None, "tax_id": None}
        if find_scope(ctx.actor.roles, "practice", "write"):
            hidden = {"tax_id": ctx.work.unseal("practices", "tax_id", practice.id, practice.tax_id)}
        return from_record(cls, practice, time_zone_changes=changes, **hidden)


class ChangedPracticeOut(OwnPracticeOut, AffectedOut):
    """The practice, and the open visits that a changed time zone leaves outside the hours of their clinicians."""


class SetupStepOut(BaseModel):
    key: Key = Field(description="The step.")
    done: bool = Field(description="Whether it is done.")
    optional: bool = Field(description="Whether the practice can work without it.")
    sentence: str = Field(description="What is done, or what to do.")
    method: str = Field(description="The method of the request that does it.")
    path: str = Field(description="Its path.", examples=["/api/v1/services"])


class SetupOut(BaseModel):
    done: bool = Field(description="Whether every step is done that is not optional.")
    items: list[SetupStepOut] = Field(description="The steps, in the order in which they are easiest.")


@router.get("", permission="practice.read")
def get_own_practice(ctx: RequestContext) -> OwnPracticeOut:
    """Get your practice.

    All staff read its name and time zone, admins also its numbers.
    """
    return OwnPracticeOut.of(ctx, practices.get_practice(ctx.work.db, ctx.work.tenant_id))


@router.patch("", permission="practice.write")
def change_own_practice(ctx: RequestContext, version: Version, body: OwnPracticeChange) -> ChangedPracticeOut:
    """Change your practice.

    A changed time zone applies from now on. Appointments stay at their instants, while the weekly hours are local
    times: the answer lists the visits that are outside them now.
    """
    changes = body.model_dump(exclude_unset=True)
    practice, affected = practice_changes.change_own_practice(ctx.work, version, changes)
    return ChangedPracticeOut(**OwnPracticeOut.of(ctx, practice).model_dump(), **describe_affected(affected))


@router.get("/setup", permission="practice.write")
def get_practice_setup(ctx: RequestContext) -> SetupOut:
    """Get what is left to set up.

    What a new practice needs before it can work, in order, and whether it is done.
    """
    steps = list_setup_steps(ctx.work)
    items = [from_record(SetupStepOut, step, path=f"/api/v1{step.path}") for step in steps]
    return SetupOut(done=all(step.done or step.optional for step in steps), items=items)
