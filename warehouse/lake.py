"""The lake: the marts of practices as Parquet files, and a DuckDB file with views over them."""

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from uuid import UUID

import adbc_driver_postgresql.dbapi as adbc
import duckdb

from practice.errors import Refusal
from practice.store.store import Store
from warehouse.extraction import build_uri

CATALOG = "caseload.duckdb"


class LakeFile(NamedTuple):
    """A file of the lake: a mart of a practice."""

    practice: str
    mart: str
    file: str
    rows: int
