"""Files of rows, fetched with the person's token. Nothing of them is kept here."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import xlsxwriter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from dashboards.gate import COOKIE
from dashboards.sessions import ApiUnavailable, Session, SessionEnded, Sessions
from practice.csv_cells import escape_formula

PAGE_ROWS = 1000
MAX_ROWS = 100_000
COLUMNS = (
    *("on_date", "at", "status", "client_name", "clinician_name", "numerator", "denominator", "reason", "kind", "id"),
)
PARAMETERS = ("period", "start", "entity_kind", "entity_id")
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


NO_FILE = "There is no such file."


@dataclass(frozen=True)
class ListFile:
    """A list of a page: where its rows are, which filters it takes, and the columns of its file."""

    path: str
    filters: tuple[str, ...]
    columns: tuple[str, ...]


LISTS = {
    "compliance": ListFile(
        "/dashboards/compliance",
        ("check", "state", "clinician_id"),
        ("check", "client_name", "staff_name", "clinician_name", "state", "since_on", "days", "reminded_at", "id"),
    ),
    "data-quality": ListFile(
        "/dashboards/data-quality",
        ("check",),
        ("check", "record_kind", "label", "client_name", "staff_name", "since_on", "id"),
    ),
}


class FileProblem(Exception):
    """The API refuses the rows; with its status and sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Files:
    """The routes of files."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions

    async def serve_rows(self, request: Request) -> Response:
        """Answer with all rows behind a figure, as CSV or as a workbook."""
        kind, metric = request.path_params["kind"], request.query_params.get("metric", "")
        if kind not in TYPES or not metric.replace("_", "").isalnum():
            return PlainTextResponse(NO_FILE, 404)
        query = {name: request.query_params[name] for name in PARAMETERS if name in request.query_params}
        name = f"{metric}-{query.get('start', '')}.{kind}"
        return await self.serve(request, name, TYPES[kind], lambda session: self.build(session, kind, metric, query))

    async def serve_list(self, request: Request) -> Response:
        """Answer with all rows of a list of a page, filtered as the page is."""
        name, kind = request.path_params["name"], request.path_params["kind"]
        if name not in LISTS or kind not in TYPES:
            return PlainTextResponse(NO_FILE, 404)
        found = LISTS[name]
        query = {key: request.query_params[key] for key in found.filters if key in request.query_params}
        make = partial(self.build_list, kind=kind, found=found, query=query)
        return await self.serve(request, f"{name}.{kind}", TYPES[kind], make)

    async def serve_statement(self, request: Request) -> Response:
        """Answer with the pay statement of a person, as PDF or CSV."""
        kind, week = request.path_params["kind"], request.query_params.get("week", "")
        staff_id = request.query_params.get("staff_id", "")
        if kind not in ("pdf", "csv") or not f"{week}{staff_id}".replace("-", "").isalnum():
            return PlainTextResponse(NO_FILE, 404)
        path = f"/pay/periods/{week}/statements/{staff_id}.{kind}"
        media_type = "application/pdf" if kind == "pdf" else TYPES["csv"]
        return await self.serve(request, f"pay-{week}.{kind}", media_type, lambda session: self.fetch(session, path))

    async def serve(self, request: Request, name: str, media_type: str, make: Callable[[Session], bytes]) -> Response:
        """Answer with a file that is made for the signed-in person, or with the sentence of the refusal."""
        session = self.sessions.find(request.cookies.get(COOKIE))
        if session is None:
            return RedirectResponse("/sign-in?why=ended", 303)
        try:
            content = await run_in_threadpool(make, session)
        except SessionEnded:
            return RedirectResponse("/sign-in?why=idle", 303)
        except ApiUnavailable:
            return PlainTextResponse("Caseload cannot be reached now. Try again in a minute.", 503)
        except FileProblem as problem:
            return PlainTextResponse(str(problem), problem.status)
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, headers=headers, media_type=media_type)

    def fetch(self, session: Session, path: str) -> bytes:
        """Return a file of the API, or raise FileProblem."""
        answer = self.sessions.call(session, "GET", path)
        if answer.status_code != 200:
            raise FileProblem(answer.status_code, answer.json()["error"]["message"])
        return answer.content

    def build(self, session: Session, kind: str, metric: str, query: dict[str, str]) -> bytes:
        return write_file(kind, COLUMNS, self.load_rows(session, metric, query))

    def build_list(self, session: Session, kind: str, found: ListFile, query: dict[str, str]) -> bytes:
        return write_file(kind, found.columns, self.load_list(session, found, query))

    def load_list(self, session: Session, found: ListFile, query: dict[str, str]) -> Iterator[list[Any]]:
        """Yield all rows of a list, page by page, or raise FileProblem."""
        offset: int | None = 0
        while offset is not None and offset < MAX_ROWS:
            answer = self.sessions.call(
                session, "GET", found.path, params=query | {"limit": str(PAGE_ROWS), "offset": str(offset)}
            )
            document = answer.json()
            if answer.status_code != 200:
                raise FileProblem(answer.status_code, document["error"]["message"])
            yield from ([row[name] for name in found.columns] for row in document["items"])
            offset = document["next_offset"]

    def load_rows(self, session: Session, metric: str, query: dict[str, str]) -> Iterator[list[Any]]:
        """Yield all rows, page by page of one refresh, or raise FileProblem."""
        position: dict[str, Any] = {"limit": PAGE_ROWS, "offset": 0}
        while position["offset"] is not None and position["offset"] < MAX_ROWS:
            answer = self.sessions.call(session, "GET", f"/metrics/{metric}/rows", params=query | position)
            document = answer.json()
            if answer.status_code != 200:
                raise FileProblem(answer.status_code, document["error"]["message"])
            yield from ([row[name] for name in COLUMNS] for row in document["items"])
            position |= {"offset": document["next_offset"], "refresh_id": document["refresh"]["id"]}


def write_file(kind: str, columns: Iterable[str], rows: Iterator[list[Any]]) -> bytes:
    """Return the rows under their columns, as CSV or as a workbook."""
    return write_csv(columns, rows) if kind == "csv" else write_workbook(columns, rows)


def write_csv(columns: Iterable[str], rows: Iterator[list[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([escape_formula(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue().encode()


def write_workbook(columns: Iterable[str], rows: Iterator[list[Any]]) -> bytes:
    """Return a workbook. Texts are written as texts, so that none is taken for a formula or a link."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(
        content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        sheet = book.add_worksheet("Rows")
        sheet.write_row(0, 0, list(columns))
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, row)
    return content.getvalue()
