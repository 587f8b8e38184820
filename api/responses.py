"""Responses from models: ETags, pages, files, and the fields a caller selects."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import getitem
from typing import Annotated, Any, Generic, TypeVar, get_args
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from api.field_problems import field_error
from api.fields import Reason200, describe
from practice.errors import FieldProblem, Invalid
from practice.store.pages import Page, PageRequest

Item = TypeVar("Item", bound=BaseModel)
MAX_FIELDS = 200  # of an object in a request


class Input(BaseModel):
    """A request body or query. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def refuse_many_fields(cls, value: Any) -> Any:
        """Return the object, or raise one error instead of one for each of its many unknown fields."""
        if isinstance(value, dict) and len(value) > MAX_FIELDS:
            raise field_error(f"Too many fields: send at most {MAX_FIELDS}.")
        return value


class VoidIn(Input):
    """The body of every DELETE of a record that stays with who, when and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Entered twice"}]})

    reason: Annotated[Reason200, Field(description="Why it no longer counts. It stays on record: name no client.")]


class ListQuery(Input):
    """The query of every list. Lists with filters add theirs in a subclass; unknown ones are refused."""

    limit: Annotated[int, Field(ge=1, le=100), describe("The most rows to return.")] = 20
    cursor: Annotated[str | None, Field(max_length=500), describe("The `next_cursor` of the page before.")] = None
    sort: Annotated[str | None, Field(max_length=40, description="A column; - in front for descending.")] = None
    fields: Annotated[str | None, Field(max_length=500, description="Only these, separated by commas.")] = None
    count: Annotated[bool, Field(description="Also count all rows.")] = False

    def page_request(self) -> PageRequest:
        return PageRequest(self.limit, self.cursor, self.sort, self.count)


class PageOut(BaseModel, Generic[Item]):
    items: Annotated[list[Item], describe("The rows of this page.")]
    next_cursor: Annotated[str | None, describe("Send it as `cursor` for the next page; null on the last page.")]
    total: Annotated[int | None, describe("The number of all rows that match; null unless `count` was sent.")]


def partial_model(model: type[BaseModel]) -> Any:
    """Return the model with every field optional: in a list `fields` can leave out any of them."""
    fields: dict[str, Any] = {
        # keeps the metadata of the field, such as its serializer; `Annotated` needs at least one argument, so None
        name: (
            getitem(Annotated, (info.annotation, *info.metadata, None)),
            Field(default_factory=lambda: None, description=info.description),
        )
        for name, info in model.model_fields.items()
        if not info.exclude  # a field for the names beside it, such as `ServiceId`
    }
    return create_model(f"{model.__name__}InList", **fields)


def to_page(page: Page, model: Any, *context: Any) -> PageOut[Any]:
    """Return the page as a response. `context` is passed to `model.of` with each item, such as names."""
    items = [model.of(item, *context) for item in page.items]
    return PageOut[model](items=items, next_cursor=page.next_cursor, total=page.total)


@dataclass(frozen=True)
class FileOut:
    """A file as the response. Always a download: no browser renders it under our origin."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class StreamOut:
    """A large file as the response, sent in parts while it is read."""

    name: str
    media_type: str
    parts: Iterator[bytes]


def render(result: Any, status: int, arguments: dict[str, Any]) -> Response:
    """Return the response of a route function's result and arguments."""
    if result is None:
        return json_response("", 204, None)
    if isinstance(result, FileOut):
        return Response(result.content, status, build_file_headers(result.name), media_type=result.media_type)
    if isinstance(result, StreamOut):
        return StreamingResponse(result.parts, status, build_file_headers(result.name), media_type=result.media_type)
    body = result.model_dump_json(include=select_fields(result, arguments))
    return json_response(body, status, getattr(result, "version", None))


def build_file_headers(name: str) -> dict[str, str]:
    """Return the headers of a download."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return {"Cache-Control": "no-store", "Content-Disposition": disposition}


def json_response(body: str, status: int, version: int | None) -> Response:
    """Return a JSON response that is not cached, with an ETag when the record has a version."""
    headers = {"Cache-Control": "no-store"} | ({} if version is None else {"ETag": f'"{version}"'})
    return Response(body, status, headers, media_type="application/json" if body else None)


def select_fields(result: BaseModel, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """Return what to include of a page for its `fields` parameter, or None for everything."""
    query = next((value for value in arguments.values() if isinstance(value, ListQuery)), None)
    if query is None or query.fields is None or not isinstance(result, PageOut):
        return None
    selected = set(query.fields.split(","))
    (item,) = get_args(type(result).model_fields["items"].annotation)
    if not selected <= set(item.model_fields):
        message = f"Unknown `fields`. Choose from: {', '.join(item.model_fields)}."
        raise Invalid([FieldProblem("fields", message)])
    return {"items": {"__all__": selected}, "next_cursor": True, "total": True}
