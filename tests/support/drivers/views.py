"""Views of the running pages over Streamlit's own protocol, without a browser: for many at once, and to count bytes."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from dashboards.gate import COOKIE
from dashboards.session_file import SessionFile
from dashboards.sessions import Sessions
from practice.security.sign_in import Tokens
from practice.settings import Settings
from tests.support.builders.people import Person, PracticeFixture
from tests.support.drivers.server import Server

MAX_SIZE = 2**24
PATIENCE = 60


def open_session(
    server: Server, folder: Path, practice: PracticeFixture, person: Person, tokens: Tokens | None = None
) -> str:
    """Return the cookie of a signed-in person, as the pages' process finds it in its file of sessions."""
    tokens = tokens or practice.tokens(person)
    sessions = Sessions(server.url, SessionFile(Settings(data_dir=folder).dashboard_sessions))
    cookie, _ = sessions.open({"access_token": tokens.access, "refresh_token": tokens.refresh, "expires_in": 300})
    return cookie


@dataclass
class View:
    """A tab with a page of Streamlit."""

    connection: ClientConnection
    streamlit_id: str = ""

    def run(self, page: str, **query: str) -> bytes:
        """Run a page to its end, and return everything that was sent to the browser."""
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.query_string = urlencode(query)
        self.connection.send(message.SerializeToString())
        content = b""
        while True:
            part = self.connection.recv(timeout=PATIENCE)
            assert isinstance(part, bytes)
            content += part
            answer = ForwardMsg.FromString(part)
            if answer.WhichOneof("type") == "new_session":
                self.streamlit_id = answer.new_session.initialize.session_id
            is_finished = answer.WhichOneof("type") == "script_finished"
            if is_finished and answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return content


@contextmanager
def open_view(url: str, cookie: str | None, *, origin: str | None = None, streamlit_id: str = "") -> Generator[View]:
    """Open a view as a browser with this cookie does; with an id of Streamlit, one that comes back to its view."""
    protocols = ["streamlit", *(["none", streamlit_id] if streamlit_id else [])]
    options: Any = {"origin": url if origin is None else origin or None, "subprotocols": protocols}
    headers = {} if cookie is None else {"Cookie": f"{COOKIE}={cookie}"}
    address = f"ws://{urlsplit(url).netloc}/_stcore/stream"
    with connect(address, additional_headers=headers, compression=None, max_size=MAX_SIZE, **options) as connection:
        yield View(connection)
