"""The metadata of all rooms there are."""

import importlib
import pkgutil

from sqlalchemy import MetaData

import practice
from practice.store.base import Base


def everything() -> MetaData:
    for module in pkgutil.walk_packages(practice.__path__, "practice."):
        if module.name.endswith("models"):
            importlib.import_module(module.name)
    assert {"staff", "accounts", "appointments"} <= set(Base.metadata.tables)
    return Base.metadata
