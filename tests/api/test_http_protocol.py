"""Connections: responses without delay, and an end for those that are silent, slow or too many."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from api import http_protocol

REQUEST = b"GET / HTTP/1.1\r\nHost: example\r\n\r\n"
PATIENCE = 20  # seconds: without the limits these tests would wait for ever
LARGE = 20_000_000  # bytes, more than the buffers of both sides hold

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def respond(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/large":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(LARGE)})
        return
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


class ConnectionServer:
    """A server with the protocol on a socket like that of several workers, and its connections."""

    def __init__(self, http: str, trusted_proxies: str) -> None:
        self.config = Config(
            respond, host="127.0.0.1", port=0, http=http, log_level="critical", forwarded_allow_ips=trusted_proxies
        )
        self.config.load()
        self.protocols: list[Any] = []
        self.connections: list[Connection] = []
        self.lost = asyncio.Event()  # a connection was lost
        self.listening_socket = self.config.bind_socket()

    def create_protocol(self) -> asyncio.Protocol:
        protocol: Any = self.config.http_protocol_class(self.config, ServerState(), {})
        handle_loss = protocol.connection_lost

        def report_loss(error: Exception | None) -> None:
            handle_loss(error)
            self.lost.set()

        protocol.connection_lost = report_loss
        self.protocols.append(protocol)
        return protocol

    async def connect(self) -> Connection:
        connection = await asyncio.open_connection(*self.listening_socket.getsockname())
        self.connections.append(connection)
        return connection


@asynccontextmanager
async def serve(
    http: str = "api.http_protocol:LimitedProtocol", trusted_proxies: str = "192.0.2.1"
) -> AsyncGenerator[ConnectionServer]:
    server = ConnectionServer(http, trusted_proxies)
    async with await asyncio.get_running_loop().create_server(server.create_protocol, sock=server.listening_socket):
        yield server
        for protocol in server.protocols:
            protocol.transport.abort()
        for _, writer in server.connections:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def is_answered(connection: Connection) -> bool:
    """Send a request and return whether it is answered; otherwise the server has closed the connection."""
    reader, writer = connection
    try:
        writer.write(REQUEST)
        await writer.drain()
        return (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)).startswith(b"HTTP/1.1 204")
    except (asyncio.IncompleteReadError, ConnectionError):
        return False


async def is_closed(connection: Connection) -> bool:
    """Wait until the server closes the connection."""
    try:
        return await asyncio.wait_for(connection[0].read(), PATIENCE) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("http", ["api.http_protocol:LimitedProtocol", "h11"])
def test_responses_are_not_delayed(http: str) -> None:
    async def has_nodelay() -> bool:
        async with serve(http) as server:
            assert await is_answered(await server.connect())
            server_socket = server.protocols[0].transport.get_extra_info("socket")
            return bool(server_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    assert asyncio.run(has_nodelay()) is (http != "h11")  # the default protocol lacks it


@pytest.mark.parametrize("sent", [b"", b"GET / HT"])
def test_a_silent_connection_is_closed(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.05)

    async def run() -> None:
        async with serve() as server:
            first = await server.connect()
            first[1].write(sent)
            assert await is_closed(first)
            second = await server.connect()
            assert await is_answered(second)
            second[1].write(REQUEST[:10])  # a second head that never ends
            assert await is_closed(second)

    asyncio.run(run())


def test_an_unread_rest_of_a_body_does_not_keep_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.05)

    async def run() -> None:
        async with serve() as server:
            reader, writer = await server.connect()
            writer.write(b"POST / HTTP/1.1\r\nHost: example\r\nContent-Length: 1000\r\n\r\n")
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            writer.write(b"x")
            assert await is_closed((reader, writer))

    asyncio.run(run())


def test_a_client_that_does_not_read_its_response_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "WRITE_SECONDS", 0.05)

    async def run() -> int:
        async with serve() as server:
            reader, writer = await server.connect()
            writer.write(b"GET /large HTTP/1.1\r\nHost: example\r\n\r\n")
            await server.lost.wait()
            try:
                return len(await asyncio.wait_for(reader.read(), PATIENCE))
            except ConnectionError:
                return 0

    assert asyncio.run(asyncio.wait_for(run(), PATIENCE)) < LARGE


@pytest.mark.parametrize(("trusted_proxies", "answered"), [("192.0.2.1", 3), ("127.0.0.1", 5)])
def test_an_address_has_a_limited_number_of_connections_unless_it_is_a_trusted_proxy(
    monkeypatch: pytest.MonkeyPatch, trusted_proxies: str, answered: int
) -> None:
    monkeypatch.setattr(http_protocol, "MAX_CONNECTIONS_OF_NETWORK", 3)

    async def run() -> None:
        async with serve(trusted_proxies=trusted_proxies) as server:
            connections = [await server.connect() for _ in range(5)]
            assert [await is_answered(connection) for connection in connections].count(True) == answered
            server.lost.clear()
            connections[0][1].close()
            await asyncio.wait_for(server.lost.wait(), PATIENCE)
            assert await is_answered(await server.connect())  # a closed one makes room

    asyncio.run(run())
    assert not http_protocol.connections_of_networks


def test_the_oldest_silent_connections_make_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "MAX_SILENT", 3)
    monkeypatch.setattr(http_protocol, "SILENT_SECONDS", 0.1)

    async def run() -> None:
        async with serve() as server:
            answered, *silent = [await server.connect() for _ in range(4)]
            assert await is_answered(answered)
            await asyncio.sleep(0.2)
            assert all([await is_answered(await server.connect()) for _ in range(3)])
            _newest = await server.connect()
            async with asyncio.timeout(http_protocol.HEAD_SECONDS / 2):
                assert await silent[0][0].read() == b""
            assert await is_answered(silent[1])
            assert await is_answered(answered)  # which has been silent since, but is not new

    asyncio.run(run())
    assert not http_protocol.silent_connections
