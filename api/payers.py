"""Routes of payers: the insurances that the practice's coverages name."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.fields import Name, describe
from api.routing import PermissionRouter
from practice.people import payers
from practice.people.payers import Payer

router = PermissionRouter(prefix="/payers", tags=["coverages"])


class PayerOut(BaseModel):
    id: Annotated[str, describe("The payer's id with the clearinghouse, the `payer_id` of coverages.")]
    name: Annotated[str, describe("The name that most coverages have for it.")]

    @classmethod
    def of(cls, payer: Payer) -> "PayerOut":
        return cls(id=payer.id, name=payer.name)


class PayersOut(BaseModel):
    items: Annotated[list[PayerOut], describe("The payers, by name.")]


@router.get("", permission="coverages.write")
def list_payers(
    ctx: RequestContext,
    name: Annotated[Name | None, Query(description="Beginnings of words of the name, in any order.")] = None,
) -> PayersOut:
    """List payers.

    Those of the practice's coverages, for recording another one.
    """
    return PayersOut(items=[PayerOut.of(payer) for payer in payers.list_payers(ctx.work, name)])
