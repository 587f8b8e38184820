"""The server process: it listens, starts the worker processes, and starts those that end again.

uvicorn's own supervisor waits for a worker that does not answer before it looks at the others, and starts every worker
from nothing. Here each worker is a copy of a process that has imported the application.
"""

import logging
import multiprocessing
import os
import resource
import signal
import socket
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.server import Server

from practice.settings import Settings

# Connections of one worker, idle ones included; beyond that it answers 503. So many leave memory and file descriptors.
MAX_CONNECTIONS = 1000
ROUND_SECONDS = 0.5
HUNG_SECONDS = 30  # without an answer; a worker that computes on a busy machine may be slow without being dead
KEEP_ALIVE_SECONDS = 75  # longer than a client or proxy keeps an idle connection, or its next request may meet the end
STOP_SECONDS = 5  # for the requests in progress
STEADY_SECONDS = 60  # a worker that has lived so long starts again without a pause
MAX_PAUSE_SECONDS = 30

log = logging.getLogger("uvicorn.error")
processes = multiprocessing.get_context("forkserver")


class Worker:
    """The place of one worker: its process, which is replaced when it ends, and what is known of it."""

    def __init__(self, config: Config, listener: socket.socket) -> None:
        self.config, self.listener = config, listener
        self.early_ends = 0  # in succession
        self.start()

    def start(self) -> None:
        self.connection, far_end = processes.Pipe()
        self.process = processes.Process(target=run_worker, args=(self.config, self.listener, far_end))
        try:
            self.process.start()
        except (OSError, EOFError):  # the process to copy has ended just now: another one is made at the next attempt
            log.error("A worker could not be started.")
        far_end.close()  # the worker's alone: each of the two notices when the other ends
        self.started_at = time.monotonic()
        self.asked_at: float | None = None
        self.ended_at: float | None = None

    def is_hung(self, now: float) -> bool:
        """Ask the worker for a sign of life, and return whether it has owed one for too long."""
        with suppress(OSError, EOFError):  # it has just ended
            if self.asked_at is not None and self.connection.poll():
                self.connection.recv_bytes()
                self.asked_at = None
            if self.asked_at is None:
                self.connection.send_bytes(b"?")
                self.asked_at = now
        return self.asked_at is not None and now - self.asked_at > HUNG_SECONDS

    def keep_alive(self, now: float) -> bool:
        """Kill the process if it hangs, start it again if it has ended; return False if it never will start."""
        if self.process.is_alive():
            if self.is_hung(now):
                log.error("Worker %s does not answer and is killed.", self.process.pid)
                self.process.kill()
            return True
        if self.process.exitcode == STARTUP_FAILURE:  # wrong settings: it would fail the same way again
            return False
        if self.ended_at is None:
            self.ended_at = now
            self.connection.close()
            self.early_ends = self.early_ends + 1 if now - self.started_at < STEADY_SECONDS else 0
            log.error("Worker %s has ended and starts again in %g s.", self.process.pid, compute_pause(self.early_ends))
        if now - self.ended_at >= compute_pause(self.early_ends):
            self.start()
        return True


def compute_pause(early_ends: int) -> float:
    """Return the seconds until a worker starts again that has ended so often in succession, soon after each start."""
    return min(2 ** (early_ends - 2), MAX_PAUSE_SECONDS) if early_ends > 1 else 0


def run_worker(config: Config, listener: socket.socket, connection: Connection) -> None:
    """Serve requests until a signal, or until the supervisor has ended."""

    def answer_supervisor() -> None:
        with suppress(OSError, EOFError):
            while True:
                connection.send_bytes(connection.recv_bytes())
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=answer_supervisor, daemon=True).start()
    config.configure_logging()
    Server(config).run([listener])


def supervise(config: Config, workers: int) -> int:
    """Serve until a signal, or until the settings turn out to be wrong, and return the exit code."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    processes.set_forkserver_preload(["api.app"])
    listener = config.bind_socket()
    running = [Worker(config, listener) for _ in range(workers)]
    failed = False
    while not failed and not stop.wait(ROUND_SECONDS):
        failed = not all(worker.keep_alive(time.monotonic()) for worker in running)
    alive = [worker.process for worker in running if worker.process.is_alive()]
    for process in alive:
        process.terminate()
    for process in alive:
        process.join()
    return STARTUP_FAILURE if failed else 0


def run(log_level: str = "warning") -> int:
    """Serve at the host and port of the settings, and return the exit code."""
    settings = Settings()
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))  # each connection is one
    config = Config(
        "api.app:serve",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        access_log=False,
        log_level=log_level,
        http="api.http_protocol:LimitedProtocol",
        loop="asyncio",  # by default uvicorn takes what another package has installed
        ws="none",
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return supervise(config, settings.workers)


if __name__ == "__main__":
    raise SystemExit(run())
