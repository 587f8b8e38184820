"""Routes of practices, for the operator of the installation, who sees no record of any practice."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.context import Paging, RequestContext, Version
from api.fields import Email, Name, Npi, Text40
from api.responses import Input, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from api.staff import InvitationOut
from practice.people import practices
from practice.people.models.practices import Practice
from practice.people.practices import SlugTaken

router = PermissionRouter(prefix="/practices", tags=["practices"])


class AdminIn(Input):
    email: Email
    first_name: Name
    last_name: Name


class PracticeIn(Input):
    name: Name
    time_zone: Text40 = Field(examples=["America/New_York"])
    npi: Npi | None = None
    tax_id: Text40 | None = None
    admin: AdminIn


class PracticeChange(Input):
    name: Name = ""
    time_zone: Text40 = Field(default="", examples=["America/New_York"])
    npi: Npi | None = None
    tax_id: Text40 | None = None
    status: Literal["ACTIVE", "SUSPENDED"] = "ACTIVE"


class PracticeOut(BaseModel):
    id: UUID
    name: str
    slug: str
    time_zone: str
    npi: str | None
    status: str
    created_at: datetime
    version: int

    @classmethod
    def of(cls, practice: Practice) -> "PracticeOut":
        return cls(**{name: getattr(practice, name) for name in cls.model_fields})


class NewPracticeOut(BaseModel):
    practice: PracticeOut
    admin: InvitationOut


PracticeInList: Any = partial_model(PracticeOut)


@router.get("", permission="platform")
def list_practices(ctx: RequestContext, page: Paging) -> PageOut[PracticeInList]:
    """List practices."""
    return to_page(practices.list_practices(ctx.work.db, page.page_request()), PracticeOut)


@router.post("", permission="platform", status_code=201, errors=[SlugTaken])
def create_practice(ctx: RequestContext, body: PracticeIn) -> NewPracticeOut:
    """Create a practice.

    The invitation of its first admin goes to their email address.
    """
    practice, invitation = practices.create_practice(ctx.work, **body.model_dump())
    return NewPracticeOut(practice=PracticeOut.of(practice), admin=InvitationOut.of(ctx, invitation.staff))


@router.get("/{practice_id}", permission="platform")
def get_practice(ctx: RequestContext, practice_id: UUID) -> PracticeOut:
    """Get a practice."""
    return PracticeOut.of(practices.get_practice(ctx.work.db, practice_id))


@router.patch("/{practice_id}", permission="platform")
def change_practice(ctx: RequestContext, practice_id: UUID, version: Version, body: PracticeChange) -> PracticeOut:
    """Change a practice.

    Suspend or reopen it with `status`. A suspended practice rejects every request immediately.
    """
    changes = body.model_dump(exclude_unset=True)
    return PracticeOut.of(practices.change_practice(ctx.work, practice_id, version, changes))
