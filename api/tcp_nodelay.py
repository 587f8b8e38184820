"""An HTTP protocol for uvicorn that sets TCP_NODELAY.

A response is written as head and body. When several workers share a socket, uvicorn leaves Nagle's algorithm on, and
the kernel delays the body until the client acknowledges the head: about 40 ms per response.
"""

import asyncio
import socket

from uvicorn.protocols.http.h11_impl import H11Protocol


class NoDelayProtocol(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
