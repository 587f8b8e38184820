"""Names beside the ids of a response: field types, and filling them in for the whole response in one query.

A field of such a type is named after the id it belongs to: `client_name` after `client_id`, `signed_by_name` after
`signed_by_id`, `set_by_person` after the account id `set_by`, and `person` after `account_id`. A service may also stand
there with its code.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

from practice.errors import ConfigurationProblem
from practice.security.work import Work
from practice.sessions.names import Key, Kind, Names, load_names


class PersonOut(BaseModel):
    """The person to whom an account belongs, as staff or as a client of the practice."""

    kind: Literal["staff", "client"] = Field(description="Whether `id` is that of a staff member or of a client.")
    id: UUID = Field(description="The id of the staff member or client.")
    name: str = Field(description="First and last name.")


Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class NameOf:
    """Marks a field as the name of what the id beside it refers to."""

    kind: Kind


ClientName = Annotated[
    str | None, NameOf("client"), Field(description="The client's name; null for callers who may not read it.")
]
StaffName = Annotated[
    str | None, NameOf("staff"), Field(description="The staff member's name; null for callers who may not read it.")
]
StaffNames = Annotated[
    list[str | None], NameOf("staff"), Field(description="The staff members' names, in the order of their ids.")
]
RoomName = Annotated[str | None, NameOf("room"), Field(description="The room's name; null without a room.")]
ServiceName = Annotated[str | None, NameOf("service"), Field(description="The service's name.")]
ServiceNames = Annotated[
    list[str | None], NameOf("service"), Field(description="The services' names, in the order of their ids.")
]
ServiceCode = Annotated[str | None, NameOf("service_code"), Field(description="The service's code in the catalog.")]
PersonOf = Annotated[
    PersonOut | None,
    NameOf("account"),
    Field(description="Who this was; null for the system and for callers who may not read the name."),
]


class NamedField(NamedTuple):
    """A field to fill in, and the field with the id or ids whose names it gets."""

    name: str
    source: str
    kind: Kind


class Plan(NamedTuple):
    """What a model has to be searched for: its fields to fill in, and those that may contain further models."""

    named: list[NamedField]
    nested: list[str]


@cache
def stored_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the fields of a model that come from its record: all but the names to fill in."""
    named = {field.name for field in plan_for(model).named}
    return tuple(name for name in model.model_fields if name not in named)


def from_record(model: type[Model], record: Any, **given: Any) -> Model:
    """Return the model of a record: each field as given, or else as in the record; the names are filled in later."""
    return model(**{name: getattr(record, name) for name in stored_fields(model) if name not in given}, **given)


@cache
def plan_for(model: type[BaseModel]) -> Plan:
    """Return what to do with the instances of a model."""
    named, nested = [], []
    for name, info in model.model_fields.items():
        mark = next((part for part in info.metadata if isinstance(part, NameOf)), None)
        if mark is not None:
            source = find_source(model, name)
            coded = mark.kind == "service" and source.endswith(("_code", "_codes"))
            named.append(NamedField(name, source, "coded_service" if coded else mark.kind))
        elif mentions_model(info.annotation):
            nested.append(name)
    return Plan(named, nested)


def mentions_model(annotation: Any) -> bool:
    """Return whether a type is a model, or is composed of one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(mentions_model(part) for part in getattr(annotation, "__args__", ()))


def find_source(model: type[BaseModel], name: str) -> str:
    """Return the field with the id whose name a field gets, or raise ConfigurationProblem."""
    for suffix, endings in (
        ("_names", ("_ids", "_codes")),
        ("_name", ("_id", "_code")),
        ("_code", ("_id",)),
        ("_person", ("", "_id")),
        ("Name", ("Id", "")),
    ):
        if name.endswith(suffix):
            for ending in endings:
                if (source := name.removesuffix(suffix) + ending) in model.model_fields:
                    return source
    if name == "person" and "account_id" in model.model_fields:
        return "account_id"
    raise ConfigurationProblem(f"{model.__name__}.{name} has no id beside it. Name it after the field with the id.")


def fill_names(work: Work, result: Any) -> None:
    """Fill in the names in a response, in one query for all of it."""
    named = list(list_named(result))
    ids: dict[Kind, set[Key]] = defaultdict(set)
    for item, field in named:
        source = item.__dict__[field.source]
        ids[field.kind].update(source if isinstance(source, list) else () if source is None else (source,))
    names = load_names(work, ids) if ids else {}
    for item, field in named:
        source = item.__dict__[field.source]
        # assigned without validation: there may be thousands, and each is a text or null
        item.__dict__[field.name] = (
            [names.get((field.kind, key)) for key in source]
            if isinstance(source, list)
            else find_name(names, field.kind, source)
        )


def find_name(names: Names, kind: Kind, key: Key | None) -> str | PersonOut | None:
    name = None if key is None else names.get((kind, key))
    return PersonOut(**name._asdict()) if isinstance(name, tuple) else name


def list_named(value: Any) -> Iterator[tuple[BaseModel, NamedField]]:
    """Yield each model in a response with each of its fields to fill in."""
    if isinstance(value, BaseModel):
        plan = plan_for(type(value))
        for field in plan.named:
            yield value, field
        for name in plan.nested:
            yield from list_named(value.__dict__[name])
    elif isinstance(value, list):
        for item in value:
            yield from list_named(item)
