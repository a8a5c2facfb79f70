"""The soft time limit: an exception in the middle of the task that runs too long."""

from __future__ import annotations

import signal
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Optional

# Go's runtime chose it for the same purpose: ignored by default, not used by the C library, and
# handled by hardly any program. Only a signal gets a thread out of time.sleep() or a read from a
# socket.
_SIGNAL = getattr(signal, "SIGURG", None)


class SoftTimeLimitExceeded(BaseException):
    """Raised in the middle of a task at its soft time limit; the hard limit ends the worker.

    A BaseException, as asyncio.CancelledError is since Python 3.8 and unlike billiard's class of
    this name: an `except Exception` around each step of a loop, or in a library that tries again,
    would swallow it unseen.
    """


class Running:
    """Which task runs, and which to interrupt: set by the watcher, done by the main thread."""

    __slots__ = ("number", "interrupted", "_main_thread")

    def __init__(self) -> None:
        #: The task in whose code the main thread is; 0 outside of tasks, and once the task has
        #: been interrupted.
        self.number = 0
        #: The task whose interruption was requested and has not happened yet, or 0.
        self.interrupted = 0
        self._main_thread = get_ident()

    def take_signals(self) -> None:
        """Install the handler; in the main thread, as Python requires."""
        if _SIGNAL is not None:
            signal.signal(_SIGNAL, self._on_signal)

    def interrupt(self, number: int) -> None:
        """Ask the main thread to leave this task, if that is where it still is.

        To be repeated until it was seen: a signal that comes right before a system call does not
        end that call.
        """
        if number != 0 and self.number == number and _SIGNAL is not None:
            self.interrupted = number
            signal.pthread_kill(self._main_thread, _SIGNAL)

    def _on_signal(self, _signum: int, _frame: Optional[FrameType]) -> None:
        # Runs in the main thread between two of its instructions. An exception raised here appears
        # there, so raise it only inside the task's own `try`: `number` is 0 at all other times. It
        # becomes 0 here, because one exception is enough.
        interrupted, self.interrupted = self.interrupted, 0
        if interrupted != 0 and interrupted == self.number:
            self.number = 0
            raise SoftTimeLimitExceeded("the task ran longer than its soft time limit")
