"""Files of rows, fetched with the person's token. Nothing of them is kept here."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

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
REPORT_PARAMETERS = ("measure", "period", "start", "group", "key", "clinician_id")
REPORT_COLUMNS = ("on_date", "at", "client_name", "clinician_name", "cpt_code", "counts", "kind", "id")
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
NUMBERS = frozenset({"counts", "numerator", "denominator"})
NO_FILE = "There is no such file."
TOO_MANY = f"These are more than {MAX_ROWS:,} rows. Choose a shorter period, or fewer of them."


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
        metric, query = request.query_params.get("metric", ""), pick(request, *PARAMETERS)
        if not metric.replace("_", "").isalnum():
            return PlainTextResponse(NO_FILE, 404)
        name = f"{metric}-{query.get('start', '')}"
        return await self.serve_list(request, name, f"/metrics/{metric}/rows", query, COLUMNS)

    async def serve_page_list(self, request: Request) -> Response:
        """Answer with all rows of a list of a page, filtered as the page is."""
        name = request.path_params["name"]
        if name not in LISTS:
            return PlainTextResponse(NO_FILE, 404)
        found = LISTS[name]
        return await self.serve_list(request, name, found.path, pick(request, *found.filters), found.columns)

    async def serve_report_rows(self, request: Request) -> Response:
        """Answer with all rows behind a sum of a report, as CSV or as a workbook."""
        query = pick(request, *REPORT_PARAMETERS)
        if "measure" not in query:
            return PlainTextResponse(NO_FILE, 404)
        return await self.serve_list(request, str(query["measure"]), "/reports/rows", query, REPORT_COLUMNS)

    async def serve_report(self, request: Request) -> Response:
        """Answer with a report as CSV, workbook or PDF."""
        kind, query = request.path_params["kind"], pick(request, "report", "period", "day")
        if kind not in TYPES or "report" not in query:
            return PlainTextResponse(NO_FILE, 404)
        path = f"/reports/figures.{kind}?{urlencode(query)}"
        return await self.serve(request, f"report.{kind}", TYPES[kind], lambda session: self.fetch(session, path))

    async def serve_statement(self, request: Request) -> Response:
        """Answer with the pay statement of a person, as PDF or CSV."""
        kind, week = request.path_params["kind"], request.query_params.get("week", "")
        staff_id = request.query_params.get("staff_id", "")
        if kind not in ("pdf", "csv") or not f"{week}{staff_id}".replace("-", "").isalnum():
            return PlainTextResponse(NO_FILE, 404)
        path = f"/pay/periods/{week}/statements/{staff_id}.{kind}"
        media_type = "application/pdf" if kind == "pdf" else TYPES["csv"]
        return await self.serve(request, f"pay-{week}.{kind}", media_type, lambda session: self.fetch(session, path))

    async def serve_list(
        self, request: Request, name: str, path: str, query: dict[str, Any], columns: Sequence[str]
    ) -> Response:
        """Answer with all rows of a list of the API, in the kind of file that the address asks for."""
        kind = request.path_params["kind"]
        if kind not in ROW_WRITERS:
            return PlainTextResponse(NO_FILE, 404)

        def build(session: Session) -> bytes:
            return ROW_WRITERS[kind](columns, self.load_rows(session, path, query, columns))

        return await self.serve(request, f"{name}.{kind}", TYPES[kind], build)

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
        headers = {"content-disposition": f'attachment; filename="{re.sub(r"[^a-zA-Z0-9_.-]", "", name)}"'}
        return Response(content, headers=headers, media_type=media_type)

    def fetch(self, session: Session, path: str) -> bytes:
        """Return a file of the API, or raise FileProblem."""
        answer = self.sessions.call(session, "GET", path)
        if answer.status_code != 200:
            raise FileProblem(answer.status_code, answer.json()["error"]["message"])
        return answer.content

    def load_rows(
        self, session: Session, path: str, query: dict[str, Any], columns: Sequence[str]
    ) -> Iterator[list[Any]]:
        """Yield all rows page by page, those of a metric of one refresh, or raise FileProblem."""
        position: dict[str, Any] = {"limit": PAGE_ROWS, "offset": 0}
        while position["offset"] is not None:
            if position["offset"] >= MAX_ROWS:
                raise FileProblem(400, TOO_MANY)
            answer = self.sessions.call(session, "GET", path, params=query | position)
            document = answer.json()
            if answer.status_code != 200:
                raise FileProblem(answer.status_code, document["error"]["message"])
            yield from ([read_cell(name, row[name]) for name in columns] for row in document["items"])
            position["offset"] = document["next_offset"]
            if path.startswith("/metrics/"):
                position["refresh_id"] = document["refresh"]["id"]


def pick(request: Request, *names: str) -> dict[str, Any]:
    """Return the parameters of these names. Only clinicians can be several; of others the last counts."""
    values = {name: request.query_params.getlist(name) for name in names if name in request.query_params}
    return {name: found if name == "clinician_id" else found[-1] for name, found in values.items()}


def read_cell(column: str, value: Any) -> Any:
    """Return a value of the API as it stands in a file: amounts, which it sends as texts, as numbers."""
    return Decimal(value) if column in NUMBERS and isinstance(value, str) else value


def write_csv(columns: Sequence[str], rows: Iterator[list[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([escape_formula(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue().encode()


def write_workbook(columns: Sequence[str], rows: Iterator[list[Any]]) -> bytes:
    """Return a workbook. Texts are written as texts, so that none is taken for a formula or a link."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(
        content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        sheet = book.add_worksheet("Rows")
        sheet.write_row(0, 0, columns)
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, row)
    return content.getvalue()


ROW_WRITERS = {"csv": write_csv, "xlsx": write_workbook}
