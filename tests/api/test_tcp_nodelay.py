"""TCP_NODELAY on the server's connections, whose absence shows only as delayed responses."""

import asyncio
import socket
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState


async def respond_empty(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def has_nodelay(http: str) -> bool:
    """Return whether a connection has TCP_NODELAY, on a socket like that of a server with several workers."""
    config = Config(respond_empty, host="127.0.0.1", port=0, http=http, log_level="critical")
    config.load()
    protocols: list[Any] = []

    def create_protocol() -> asyncio.Protocol:
        protocols.append(config.http_protocol_class(config, ServerState(), {}))
        return protocols[-1]

    listening_socket = config.bind_socket()
    async with await asyncio.get_running_loop().create_server(create_protocol, sock=listening_socket):
        reader, writer = await asyncio.open_connection(*listening_socket.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 204")
        server_socket = protocols[0].transport.get_extra_info("socket")
        option = server_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        protocols[0].transport.close()
        writer.close()
    return bool(option)


@pytest.mark.parametrize("http", ["api.tcp_nodelay:NoDelayProtocol", "h11"])
def test_responses_are_not_delayed(http: str) -> None:
    assert asyncio.run(has_nodelay(http)) is (http != "h11")  # the default protocol lacks it
