"""A load generator for HTTP/1.1 on this machine, as a process of its own.

It reads JSON lines: first `{"tokens": [...], "rows": [[id, version], ...]}`, then plans, each answered by one line,
such as `{"mode": "open", "port": 8000, "path": "/api/v1/staff/", "writes": 0.2, "rate": 300, "seconds": 3}`. In mode
`closed` each of `connections` sends its next request as soon as it has a response.

In the open loop requests are sent on schedule, however slow the responses are, and latency counts from the scheduled
time: a server that stalls for a second delays all requests due in that second, and all of these delays count.
"""

import asyncio
import json
import random
import sys
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"
MAX_SECONDS = 60.0  # of load
DRAIN_SECONDS = 15.0  # for the requests still open when the load ends
MAX_RATE = 5_000.0
MAX_CONNECTIONS = 256


@dataclass
class Tally:
    """The results of one plan."""

    latencies: list[float] = field(default_factory=list)  # of successful requests
    errors: dict[str, int] = field(default_factory=dict)
    behind: list[float] = field(default_factory=list)  # how late the generator itself was, in seconds

    def add_error(self, why: str) -> None:
        self.errors[why] = self.errors.get(why, 0) + 1

    def summarize(self, elapsed: float) -> dict[str, Any]:
        return {
            "requests": len(self.latencies) + sum(self.errors.values()),
            "rate": len(self.latencies) / elapsed,
            "errors": self.errors,
            **{f"p{share}": compute_percentile(self.latencies, share) for share in (50, 95, 99)},
            "generator_behind_p99": compute_percentile(self.behind, 99),
        }


def compute_percentile(values: list[float], share: int) -> float | None:
    """Return a percentile in milliseconds: the smallest value that is not below this share of all."""
    return round(sorted(values)[max(0, -(-len(values) * share // 100) - 1)] * 1000, 3) if values else None


class Target:
    """The staff of one practice, read and written. A row has one writer at a time, which knows its ETag."""

    def __init__(self, tokens: list[str], rows: list[list[Any]]) -> None:
        self.tokens = tokens
        self.ids = [row[0] for row in rows]
        self.free_rows = deque(rows)
        self.count = 0

    async def send_request(self, connection: "Connection", path: str, writes: float, rng: random.Random) -> str | None:
        """Send a read or a write, and return the error if there is one."""
        self.count += 1
        token = self.tokens[self.count % len(self.tokens)]
        if rng.random() >= writes:
            status, _ = await connection.exchange("GET", path + rng.choice(self.ids), token)
            return None if status == 200 else str(status)
        row = self.free_rows.popleft()
        body = b'{"license_number":"L-%d"}' % self.count
        status, version = await connection.exchange("PATCH", path + row[0], token, row[1], body)
        if status == 200:  # otherwise its version is unknown, and the row is not used again
            row[1] = version
            self.free_rows.append(row)
        return None if status == 200 else str(status)


class Connection:
    """A keep-alive connection for one request at a time."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writer: asyncio.StreamWriter | None = None

    async def exchange(
        self, method: str, path: str, token: str, version: int | None = None, body: bytes = b""
    ) -> tuple[int, int | None]:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(HOST, self.port)
        head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\nAccept-Encoding: gzip\r\n"
        if version is not None:
            head += f'If-Match: "{version}"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n'
        self.writer.write(head.encode() + b"\r\n" + body)
        response = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = dict(line.lower().split(": ", 1) for line in response.split("\r\n")[1:-2])
        await self.reader.readexactly(int(fields["content-length"]))
        etag = fields.get("etag")
        return int(response[9:12]), int(etag.strip('"')) if etag else None

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.writer = None


async def run_plan(target: Target, plan: dict[str, Any]) -> dict[str, Any]:
    """Run one plan and return the summary of its results."""
    seconds = min(float(plan["seconds"]), MAX_SECONDS)
    rate = min(float(plan.get("rate", 0)), MAX_RATE)
    connections = min(int(plan.get("connections", 64)), MAX_CONNECTIONS)
    rng = random.Random(plan.get("seed", 0))
    tally = Tally()
    loop = asyncio.get_running_loop()
    start = loop.time() + 0.02
    send_times: asyncio.Queue[float | None] = asyncio.Queue()
    last_response = start

    async def generate_send_times() -> AsyncIterator[float]:
        """Yield the times from which the latency of a connection's requests counts."""
        if plan["mode"] == "open":
            while (send_time := await send_times.get()) is not None:
                yield send_time
        else:
            while (send_time := loop.time()) < start + seconds:
                yield send_time

    async def run_connection() -> None:
        nonlocal last_response
        connection = Connection(int(plan["port"]))
        async for send_time in generate_send_times():
            try:
                error_name = await target.send_request(connection, plan["path"], float(plan["writes"]), rng)
            except (OSError, EOFError, ValueError, KeyError, IndexError, asyncio.LimitOverrunError) as error:
                connection.close()
                error_name = type(error).__name__
            last_response = loop.time()
            if error_name:
                tally.add_error(error_name)
            else:
                tally.latencies.append(last_response - send_time)
        connection.close()

    async def send_on_schedule() -> None:
        for number in range(int(rate * seconds)):
            send_time = start + number / rate
            if (delay := send_time - loop.time()) > 0:
                await asyncio.sleep(delay)
            tally.behind.append(loop.time() - send_time)
            send_times.put_nowait(send_time)
        for _ in range(connections):
            send_times.put_nowait(None)

    workers = [asyncio.create_task(run_connection()) for _ in range(connections)]
    if plan["mode"] == "open":
        await send_on_schedule()
    _, unfinished = await asyncio.wait(workers, timeout=seconds + DRAIN_SECONDS)
    for worker in unfinished:
        worker.cancel()
        tally.add_error("unanswered")
    while not send_times.empty():
        if send_times.get_nowait() is not None:
            tally.add_error("never sent")
    return tally.summarize(last_response - start)


def main() -> None:
    target = Target(**json.loads(sys.stdin.readline()))
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            print(json.dumps(runner.run(run_plan(target, json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
