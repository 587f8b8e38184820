"""The HTTP protocol of the server: uvicorn's, with limits for silent, slow and numerous connections, and no delay.

The server answers 503 beyond a number of connections, so a connection that makes no progress must not last. The time of
a request's body is limited by `api/middleware.py`, which can respond.

A response is written as head and body. When several workers share a socket, uvicorn leaves Nagle's algorithm on, and
the kernel delays the body until the client acknowledges the head: about 40 ms per response.
"""

import asyncio
import socket
from collections import Counter

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.context import find_network

HEAD_SECONDS = 10  # from the connection, or the first byte of another request, until its head is complete
WRITE_SECONDS = 60  # until the client reads on when the buffer of its response is full
MAX_CONNECTIONS_OF_NETWORK = 100  # per worker
MAX_SILENT = 200  # connections of a worker that have sent nothing yet, before the oldest are closed
SILENT_SECONDS = 0.5  # that a connection may be silent even then

connections_of_networks: Counter[str] = Counter()
silent_connections: dict["LimitedProtocol", float] = {}  # with the time of each, oldest first


class LimitedProtocol(H11Protocol):
    """One connection. Trusted proxies (`FORWARDED_ALLOW_IPS`) connect for many clients and may have any number."""

    network: str | None = None
    head_timer: asyncio.TimerHandle | None = None
    write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self.start_head_timer()
        silent_connections[self] = self.loop.time()
        close_oldest_silent(self.loop.time())
        host = self.client[0] if self.client else None
        if host is None or (isinstance(self.app, ProxyHeadersMiddleware) and host in self.app.trusted_hosts):
            return
        self.network = find_network(host)
        connections_of_networks[self.network] += 1
        if connections_of_networks[self.network] > MAX_CONNECTIONS_OF_NETWORK:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        silent_connections.pop(self, None)
        self.stop_head_timer()
        self.stop_write_timer()
        if self.network is not None:
            connections_of_networks.subtract([self.network])
            if not connections_of_networks[self.network]:
                del connections_of_networks[self.network]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        silent_connections.pop(self, None)
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self.stop_head_timer()
        else:  # part of a head, or the rest of a body that nobody reads
            self.start_head_timer()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.stop_write_timer()
        self.write_timer = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.stop_write_timer()

    def start_head_timer(self) -> None:
        if self.head_timer is None:
            self.head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def stop_head_timer(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def stop_write_timer(self) -> None:
        if self.write_timer is not None:
            self.write_timer.cancel()
            self.write_timer = None


def close_oldest_silent(now: float) -> None:
    """Close the oldest silent connections beyond their number, so that many of them do not keep others out."""
    while len(silent_connections) > MAX_SILENT:
        oldest, since = next(iter(silent_connections.items()))
        if now - since < SILENT_SECONDS:  # it may be about to send its request
            return
        del silent_connections[oldest]
        oldest.transport.close()
