"""The route of the page of data quality: what is wrong in the records, with the records."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext
from api.dashboards import NeedOut
from api.fields import describe
from api.names import ClientName, StaffName
from api.responses import Input
from api.routing import PermissionRouter
from practice.dashboards.data_quality import CheckResult, DataQuality, QualityRow, load_data_quality
from practice.dashboards.data_quality_checks import CheckKey, Mending, RecordKind

router = PermissionRouter(prefix="/dashboards", tags=["dashboards"])


class DataQualityQuery(Input):
    check: Annotated[CheckKey | None, describe("Records of this check only.")] = None
    limit: Annotated[int, Field(ge=1, le=1000), describe("The most records to return.")] = 200
    offset: Annotated[int, Field(ge=0, le=1_000_000), describe("How many records to leave out at the beginning.")] = 0


class QualityCheckOut(BaseModel):
    key: Annotated[CheckKey, describe("The check.")]
    label: Annotated[str, describe("What is wrong.")]
    record_kind: Annotated[RecordKind, describe("What its records are.")]
    effect: Annotated[str, describe("What it makes wrong.")]
    to_do: Annotated[str, describe("What to do, and where.")]
    count: Annotated[int, describe("How many records are wrong.")]
    since_on: Annotated[date | None, describe("Since when the oldest of them is; null without any.")]

    @classmethod
    def of(cls, result: CheckResult) -> "QualityCheckOut":
        check = result.check
        return cls(
            key=check.key,
            label=check.label,
            record_kind=check.record_kind,
            effect=check.effect,
            to_do=check.to_do,
            count=result.count,
            since_on=result.since_on,
        )


class QualityRecordOut(BaseModel):
    check: Annotated[CheckKey, describe("The check.")]
    id: Annotated[UUID, describe("The record.")]
    record_kind: Annotated[RecordKind, describe("What it is.")]
    label: Annotated[str | None, describe("The reference of a visit, the code of a charge, or the name of a service.")]
    client_id: Annotated[UUID | None, describe("The client whom it is about, if it is about one.")]
    client_name: ClientName = None
    staff_id: Annotated[UUID | None, describe("The clinician, if there is one.")]
    staff_name: StaffName = None
    since_on: Annotated[date, describe("Since when: the end of the visit, the admission, the first day, the entry.")]
    mending: Annotated[Mending | None, describe("Where to mend it at once; null if that is elsewhere.")]

    @classmethod
    def of(cls, row: QualityRow) -> "QualityRecordOut":
        return cls(
            check=row.check.key,
            id=row.record_id,
            record_kind=row.check.record_kind,
            label=row.label,
            client_id=row.client_id,
            staff_id=row.staff_id,
            since_on=row.since_on,
            mending=row.check.mending,
        )


class DataQualityOut(BaseModel):
    today: Annotated[date, describe("Today's local date; the records are those of this moment.")]
    brief: Annotated[list[str], describe("One to three sentences: how much is wrong, and where most of it is.")]
    checks: Annotated[list[QualityCheckOut], describe("Each check, also those that find nothing.")]
    items: Annotated[list[QualityRecordOut], describe("The records asked for, by check and since when.")]
    count: Annotated[int, describe("How many records there are.")]
    next_offset: Annotated[int | None, describe("The offset of the next records; null after the last.")]
    needs: Annotated[list[NeedOut], describe("What to mend first.")]

    @classmethod
    def of(cls, page: DataQuality) -> "DataQualityOut":
        return cls(
            today=page.today,
            brief=list(page.brief),
            checks=[QualityCheckOut.of(result) for result in page.results],
            items=[QualityRecordOut.of(row) for row in page.rows],
            count=page.count,
            next_offset=page.next_offset,
            needs=[NeedOut.of(need) for need in page.needs],
        )


@router.get("/data-quality", permission="dashboards.data_quality")
def get_data_quality(ctx: RequestContext, query: Annotated[DataQualityQuery, Query()]) -> DataQualityOut:
    """Get the page of data quality.

    What is wrong or missing in the records so that figures, pay or bills are wrong, with the records.
    """
    return DataQualityOut.of(load_data_quality(ctx.work, query.check, query.limit, query.offset))
