"""How the server's connections are set up: that answers would wait shows nowhere but in how long they take."""

import asyncio
import socket
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState


async def silent(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def leaves_at_once(http: str) -> bool:
    """On the kind of socket that a server with several workers makes for them."""
    config = Config(silent, host="127.0.0.1", port=0, http=http, log_level="critical")
    config.load()
    made: list[Any] = []

    def connection() -> asyncio.Protocol:
        made.append(config.http_protocol_class(config, ServerState(), {}))
        return made[-1]

    shared = config.bind_socket()
    async with await asyncio.get_running_loop().create_server(connection, sock=shared):
        reader, writer = await asyncio.open_connection(*shared.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 204")
        there = made[0].transport.get_extra_info("socket")
        option = there.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        made[0].transport.close()
        writer.close()
    return bool(option)


@pytest.mark.parametrize("http", ["api.tcp_nodelay:AtOnce", "h11"])
def test_an_answer_is_not_held_back(http: str) -> None:
    assert asyncio.run(leaves_at_once(http)) is (http != "h11")  # the other is why there is ours
