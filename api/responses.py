"""From models to answers: ETags, pages, and the fields that were asked for."""

from dataclasses import dataclass
from operator import getitem
from typing import Annotated, Any, Generic, TypeVar, get_args
from urllib.parse import quote

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from practice.errors import Invalid
from practice.store.pages import Page, PageRequest

Item = TypeVar("Item", bound=BaseModel)


class Input(BaseModel):
    """What comes in: unknown fields are refused, and no text holds a character that no text may hold."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class ListQuery(Input):
    """What every list can be asked. A list with filters has a query of its own that adds them: others are refused."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str | None, Field(max_length=500)] = None
    sort: Annotated[str | None, Field(max_length=40, description="A column; - in front for descending.")] = None
    fields: Annotated[str | None, Field(max_length=500, description="Only these, separated by commas.")] = None
    count: Annotated[bool, Field(description="Also count all rows.")] = False

    def asked(self) -> PageRequest:
        return PageRequest(self.limit, self.cursor, self.sort, self.count)


class PageOut(BaseModel, Generic[Item]):
    items: list[Item]
    next_cursor: str | None
    total: int | None


def some_of(model: type[BaseModel]) -> Any:
    """The model as a list may show it: `fields` can leave out any of it."""
    fields: dict[str, Any] = {
        # with what the kind of field adds, such as how it is written (`Annotated` takes at least one such thing)
        name: (getitem(Annotated, (info.annotation, *info.metadata, None)), Field(default_factory=lambda: None))
        for name, info in model.model_fields.items()
    }
    return create_model(f"{model.__name__}InList", **fields)


def page_out(page: Page, model: Any, *known: Any) -> PageOut[Any]:
    """`known` is what the model needs besides each item, such as names."""
    items = [model.of(item, *known) for item in page.items]
    return PageOut[model](items=items, next_cursor=page.next_cursor, total=page.total)


@dataclass(frozen=True)
class FileOut:
    """A file instead of JSON, for saving: no browser opens it in the service's name."""

    name: str
    media_type: str
    content: bytes


def render(result: Any, status: int, given: dict[str, Any]) -> Response:
    if result is None:
        return answer_with("", 204, None)
    if isinstance(result, FileOut):
        name = f"attachment; filename*=UTF-8''{quote(result.name, safe='')}"
        headers = {"Cache-Control": "no-store", "Content-Disposition": name}
        return Response(result.content, status, headers, media_type=result.media_type)
    body = result.model_dump_json(include=wanted_fields(result, given))
    return answer_with(body, status, getattr(result, "version", None))


def answer_with(body: str, status: int, version: int | None) -> Response:
    headers = {"Cache-Control": "no-store"} | ({} if version is None else {"ETag": f'"{version}"'})
    return Response(body, status, headers, media_type="application/json" if body else None)


def wanted_fields(result: BaseModel, given: dict[str, Any]) -> dict[str, Any] | None:
    query = next((value for value in given.values() if isinstance(value, ListQuery)), None)
    if query is None or query.fields is None or not isinstance(result, PageOut):
        return None
    wanted = set(query.fields.split(","))
    (item,) = get_args(type(result).model_fields["items"].annotation)
    if not wanted <= set(item.model_fields):
        raise Invalid([f"Some of these fields are not here; those that are: {', '.join(item.model_fields)}."])
    return {"items": {"__all__": wanted}, "next_cursor": True, "total": True}
