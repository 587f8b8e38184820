"""The queue of requests that hash a password: one at a time in each worker, and a limited share for each address.

A hash takes a core for about a fifth of a second and 64 MiB. In the threads of all other requests, a burst of sign-ins
would leave no thread for them. Waiting requests hold no thread and no database connection.
"""

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from practice.errors import Refusal
from practice.security.admission import RateLimited

HASHING_THREADS = 1
MAX_REQUESTS = 24  # running and waiting: the last one waits about five seconds
MAX_PER_ADDRESS = 8

Result = TypeVar("Result")


class SignInBusy(Refusal):
    """Too many people sign in or set a password at this moment.

    Fix: wait as long as the `Retry-After` header says.
    """

    code = "SIGN_IN_BUSY"
    status = 503


class PasswordQueue:
    """The requests of this worker that hash a password, running or waiting. Used in the event loop only."""

    def __init__(self) -> None:
        self.threads = CapacityLimiter(HASHING_THREADS)
        self.requests: Counter[str] = Counter()

    async def run(self, address: str, function: Callable[[], Result]) -> Result:
        """Call the function in a thread when its turn comes, or raise a refusal if too many requests wait."""
        with self.take_place(address):
            return await to_thread.run_sync(function, limiter=self.threads)

    @contextmanager
    def take_place(self, address: str) -> Generator[None]:
        if self.requests[address] >= MAX_PER_ADDRESS:
            raise RateLimited("Too many sign-ins at the same time from this address. Try again shortly.", retry_after=1)
        if self.requests.total() >= MAX_REQUESTS:
            raise SignInBusy("Too many people are signing in. Try again shortly.", retry_after=2)
        self.requests[address] += 1
        try:
            yield
        finally:
            self.requests[address] -= 1
            if not self.requests[address]:
                del self.requests[address]
