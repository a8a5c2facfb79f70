"""Signals go to the program's own threads.

Python runs a handler in the main thread, which notices when a system call of its own is interrupted. A signal that the
kernel gives to another thread waits until the main thread comes back on its own, from a wait that may have no end. The
kernel prefers the main thread, but not right after a process was stopped and continued.
"""

from __future__ import annotations

import _signal
from typing import Set

# What a fault in a thread's own code sends it: blocked, it ends the process before a handler (faulthandler's) can tell
# where.
_FAULTS = frozenset((_signal.SIGSEGV, _signal.SIGBUS, _signal.SIGFPE, _signal.SIGILL))


def leave_to_others() -> Set[int]:
    """Block them in this thread; the mask of before, for restore()."""
    return _signal.pthread_sigmask(_signal.SIG_BLOCK, set(_signal.valid_signals()) - _FAULTS)


def restore(mask: Set[int]) -> None:
    _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
