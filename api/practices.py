"""Routes of practices, for the operator of the installation, who sees no record of any practice."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.context import Paging, RequestContext, Version
from api.fields import CreatedAt, Email, Name, Npi, RecordId, RecordVersion, Text40, describe, example
from api.responses import Input, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from api.staff import InvitationOut
from practice.people import practices
from practice.people.models.practices import Practice
from practice.people.practices import SlugTaken

router = PermissionRouter(prefix="/practices", tags=["practices"])


class AdminIn(Input):
    email: Annotated[Email, describe("Where the invitation belongs, and the address to sign in with.")]
    first_name: Annotated[Name, describe("Given name, as the person writes it.")]
    last_name: Annotated[Name, describe("Family name, as the person writes it.")]


class PracticeIn(Input):
    model_config = example(
        name="Oak Street Therapy",
        time_zone="America/New_York",
        admin={"email": "ada@oak.example", "first_name": "Ada", "last_name": "Oak"},
    )

    name: Annotated[Name, describe("The name of the practice.")]
    time_zone: Annotated[Text40, describe("IANA name of the time zone, which decides local days.")] = Field(
        examples=["America/New_York"]
    )
    npi: Annotated[Npi | None, describe("National Provider Identifier of ten digits.")] = None
    tax_id: Annotated[Text40 | None, describe("Tax identification number. Encrypted.")] = None
    admin: Annotated[AdminIn, describe("The first admin, who invites the others.")]


class PracticeChange(Input):
    model_config = example(npi="1234567893")

    name: Annotated[Name, describe("The name of the practice.")] = ""
    time_zone: Annotated[Text40, describe("IANA name of the time zone, which decides local days.")] = Field(
        default="", examples=["America/New_York"]
    )
    npi: Annotated[Npi | None, describe("National Provider Identifier of ten digits.")] = None
    tax_id: Annotated[Text40 | None, describe("Tax identification number. Encrypted.")] = None
    status: Annotated[Literal["ACTIVE", "SUSPENDED"], describe("`SUSPENDED`: nobody can sign in.")] = "ACTIVE"


class PracticeOut(BaseModel):
    id: RecordId
    name: Annotated[str, describe("The name of the practice.")]
    slug: Annotated[str, describe("The name on a command line.")]
    time_zone: Annotated[str, describe("IANA name of the time zone, which decides local days.")]
    npi: Annotated[str | None, describe("National Provider Identifier of ten digits.")]
    status: Annotated[str, describe("`ACTIVE` or `SUSPENDED`.")]
    created_at: CreatedAt
    version: RecordVersion

    @classmethod
    def of(cls, practice: Practice) -> "PracticeOut":
        return cls(**{name: getattr(practice, name) for name in cls.model_fields})


class NewPracticeOut(BaseModel):
    practice: Annotated[PracticeOut, describe("The practice.")]
    admin: Annotated[InvitationOut, describe("The first admin and their invitation.")]


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
