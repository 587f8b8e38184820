"""Bodies of requests from browsers: read within limits of size and time, before anything is made of them."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

FORM_BYTES = 16_384
FORM_TYPE = "application/x-www-form-urlencoded"
DOCUMENT_BYTES = 1_000_000  # as the API takes
FIELDS = 20
SECONDS = 15
NOT_A_FORM = "This is not a form of these pages. Load the page again."
TOO_LARGE = "This is too long. Shorten it, and send it again."
TOO_SLOW = "Sending took too long. Send it again."
NOT_READABLE = "This cannot be read. Load the page again."
HALF_CHARACTER = "The text has half of a character, such as of an emoji. Delete it, and type it again."


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body, or raise HTTPException if it is too large or takes too long."""
    content = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                content += chunk
                if len(content) > limit:
                    raise HTTPException(413, TOO_LARGE)
    except TimeoutError:
        raise HTTPException(408, TOO_SLOW) from None
    return bytes(content)


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form. Files are never taken: they would be stored before anybody is signed in."""
    if not request.headers.get("content-type", "").startswith(FORM_TYPE):
        raise HTTPException(415, NOT_A_FORM)
    content = await read_body(request, FORM_BYTES)
    try:
        return dict(parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=FIELDS))
    except ValueError:
        raise HTTPException(400, NOT_A_FORM) from None


async def read_document(request: Request) -> dict[str, Any]:
    """Return the JSON object that was sent, or raise HTTPException."""
    content = await read_body(request, DOCUMENT_BYTES)
    try:
        document = json.loads(content, parse_constant=refuse_constant)
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise HTTPException(422, HALF_CHARACTER) from None
    except (ValueError, RecursionError):
        raise HTTPException(400, NOT_READABLE) from None
    if not isinstance(document, dict):
        raise HTTPException(400, NOT_READABLE)
    return document


def refuse_constant(name: str) -> None:
    """Raise ValueError for a number that JSON does not have, such as NaN."""
    raise ValueError(name)
