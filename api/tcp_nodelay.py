"""Connections whose answers leave at once.

An answer is written as its head and its body. Where several workers share a socket, the server's library leaves the
kernel to hold the second back until the caller has confirmed the first: some 40 milliseconds, for each answer.
"""

import asyncio
import socket

from uvicorn.protocols.http.h11_impl import H11Protocol


class AtOnce(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
