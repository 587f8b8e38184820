"""A load generator for HTTP/1.1 on this machine, as a process of its own.

It reads JSON lines: first `{"tokens": [...], "rows": [[id, version], ...]}`, then plans, each answered by one line,
such as `{"mode": "open", "port": 8000, "path": "/api/v1/staff/", "writes": 0.2, "rate": 300, "seconds": 3}`. In mode
`closed` each of `connections` sends as soon as it has its answer.

In the open loop requests leave on schedule whatever the answers do, and a latency counts from the scheduled moment: a
server that stands still for a second delays everything that was due in that second, and all of it is counted.
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
LONGEST = 60.0  # seconds of load
PATIENCE = 15.0  # seconds for what is still under way when the load ends
FASTEST = 5_000.0
MOST_CONNECTIONS = 256


@dataclass
class Tally:
    latencies: list[float] = field(default_factory=list)  # of the answers that were right
    errors: dict[str, int] = field(default_factory=dict)
    behind: list[float] = field(default_factory=list)  # how late the generator itself was

    def failed(self, why: str) -> None:
        self.errors[why] = self.errors.get(why, 0) + 1

    def summary(self, elapsed: float) -> dict[str, Any]:
        return {
            "requests": len(self.latencies) + sum(self.errors.values()),
            "rate": len(self.latencies) / elapsed,
            "errors": self.errors,
            **{f"p{share}": percentile(self.latencies, share) for share in (50, 95, 99)},
            "generator_behind_p99": percentile(self.behind, 99),
        }


def percentile(values: list[float], share: int) -> float | None:
    """In milliseconds, as a value that really occurred: the smallest that is not below this share of all."""
    return round(sorted(values)[max(0, -(-len(values) * share // 100) - 1)] * 1000, 3) if values else None


class Target:
    """Reads and writes of one practice's staff. A row has one writer at a time, who knows its ETag."""

    def __init__(self, tokens: list[str], rows: list[list[Any]]) -> None:
        self.tokens = tokens
        self.ids = [row[0] for row in rows]
        self.free = deque(rows)
        self.count = 0

    async def ask(self, connection: "Connection", path: str, writes: float, chance: random.Random) -> str | None:
        """One request and its answer; what went wrong, if something did."""
        self.count += 1
        token = self.tokens[self.count % len(self.tokens)]
        if chance.random() >= writes:
            status, _ = await connection.exchange("GET", path + chance.choice(self.ids), token)
            return None if status == 200 else str(status)
        row = self.free.popleft()
        body = b'{"license_number":"L-%d"}' % self.count
        status, version = await connection.exchange("PATCH", path + row[0], token, row[1], body)
        if status == 200:  # else its version is in doubt, and the row is left out from here on
            row[1] = version
            self.free.append(row)
        return None if status == 200 else str(status)


class Connection:
    """One keep-alive connection, one request at a time."""

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
        answer = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = dict(line.lower().split(": ", 1) for line in answer.split("\r\n")[1:-2])
        await self.reader.readexactly(int(fields["content-length"]))
        etag = fields.get("etag")
        return int(answer[9:12]), int(etag.strip('"')) if etag else None

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.writer = None


async def run(target: Target, plan: dict[str, Any]) -> dict[str, Any]:
    seconds = min(float(plan["seconds"]), LONGEST)
    rate = min(float(plan.get("rate", 0)), FASTEST)
    connections = min(int(plan.get("connections", 64)), MOST_CONNECTIONS)
    chance = random.Random(plan.get("seed", 0))
    tally = Tally()
    loop = asyncio.get_running_loop()
    began = loop.time() + 0.02
    due: asyncio.Queue[float | None] = asyncio.Queue()
    last = began

    async def moments() -> AsyncIterator[float]:
        """When the next request of a connection counts as sent."""
        if plan["mode"] == "open":
            while (moment := await due.get()) is not None:
                yield moment
        else:
            while (moment := loop.time()) < began + seconds:
                yield moment

    async def work() -> None:
        nonlocal last
        connection = Connection(int(plan["port"]))
        async for moment in moments():
            try:
                wrong = await target.ask(connection, plan["path"], float(plan["writes"]), chance)
            except (OSError, EOFError, ValueError, KeyError, IndexError, asyncio.LimitOverrunError) as error:
                connection.close()
                wrong = type(error).__name__
            last = loop.time()
            if wrong:
                tally.failed(wrong)
            else:
                tally.latencies.append(last - moment)
        connection.close()

    async def send_on_schedule() -> None:
        for number in range(int(rate * seconds)):
            moment = began + number / rate
            if (early := moment - loop.time()) > 0:
                await asyncio.sleep(early)
            tally.behind.append(loop.time() - moment)
            due.put_nowait(moment)
        for _ in range(connections):
            due.put_nowait(None)

    workers = [asyncio.create_task(work()) for _ in range(connections)]
    if plan["mode"] == "open":
        await send_on_schedule()
    _, unfinished = await asyncio.wait(workers, timeout=seconds + PATIENCE)
    for worker in unfinished:
        worker.cancel()
        tally.failed("unanswered")
    while not due.empty():
        if due.get_nowait() is not None:
            tally.failed("never sent")
    return tally.summary(last - began)


def main() -> None:
    target = Target(**json.loads(sys.stdin.readline()))
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            print(json.dumps(runner.run(run(target, json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
