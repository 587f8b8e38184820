"""The practices of this installation, for the people who run it. They see no record of any practice."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.context import Paging, RequestContext, Version
from api.fields import Email, Name, Npi, Short
from api.responses import Input, PageOut, page_out, some_of
from api.routing import PermissionRouter
from api.staff import InvitationOut, invitation_out
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
    time_zone: Short = Field(examples=["America/New_York"])
    npi: Npi | None = None
    tax_id: Short | None = None
    admin: AdminIn


class PracticeChange(Input):
    name: Name = ""
    time_zone: Short = Field(default="", examples=["America/New_York"])
    npi: Npi | None = None
    tax_id: Short | None = None
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


PracticeInList: Any = some_of(PracticeOut)


@router.get("", permission="platform")
def list_practices(ctx: RequestContext, page: Paging) -> PageOut[PracticeInList]:
    """All practices of this installation."""
    return page_out(practices.list_practices(ctx.work.db, page.asked()), PracticeOut)


@router.post("", permission="platform", status_code=201, errors=[SlugTaken])
def create_practice(ctx: RequestContext, body: PracticeIn) -> NewPracticeOut:
    """A new practice and the invitation for its first admin."""
    practice, invited = practices.create_practice(ctx.work, **body.model_dump())
    return NewPracticeOut(practice=PracticeOut.of(practice), admin=invitation_out(ctx, invited))


@router.get("/{practice_id}", permission="platform")
def get_practice(ctx: RequestContext, practice_id: UUID) -> PracticeOut:
    """One practice."""
    return PracticeOut.of(practices.get_practice(ctx.work.db, practice_id))


@router.patch("/{practice_id}", permission="platform")
def change_practice(ctx: RequestContext, practice_id: UUID, version: Version, body: PracticeChange) -> PracticeOut:
    """Change, suspend or reopen a practice. Suspended, it lets nobody in from the next request on."""
    changes = body.model_dump(exclude_unset=True)
    return PracticeOut.of(practices.change_practice(ctx.work, practice_id, version, changes))
