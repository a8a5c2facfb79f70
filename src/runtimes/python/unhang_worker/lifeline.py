"""Ends this process and its group once the pool's process is gone.

The pool holds the other end of a socket on which nothing is ever sent; the kernel closes it
however the pool went.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from .wire import LIFELINE_FD

#: Where a thread notices the end, a task gets this long to finish what it writes; no worker may be
#: left after 2 s.
GRACE_SECONDS = 0.5


def hold() -> None:
    """Let the kernel itself kill this process group at the hang-up (Linux).

    A thread cannot do that alone: C code that keeps the GIL (a catastrophic regular expression)
    stops every thread, for ever. There is no grace, as the kernel has nothing that waits, and
    whoever would wait needs the GIL. Elsewhere the watcher does it, with a grace.
    """
    if not sys.platform.startswith("linux"):
        return
    import fcntl

    pid = os.getpid()
    try:
        # In a group of another leader only this process may be killed.
        fcntl.fcntl(LIFELINE_FD, fcntl.F_SETOWN, -pid if os.getpgrp() == pid else pid)
        fcntl.fcntl(LIFELINE_FD, fcntl.F_SETSIG, signal.SIGKILL)
        flags = fcntl.fcntl(LIFELINE_FD, fcntl.F_GETFL)
        fcntl.fcntl(LIFELINE_FD, fcntl.F_SETFL, flags | fcntl.FASYNC)
    except OSError:
        # A kernel without it (gVisor): the watcher remains.
        pass


def pool_is_gone() -> None:
    """Called by the watcher, when it sees the hang-up first."""
    time.sleep(GRACE_SECONDS)
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def wait_for_hang_up() -> None:
    """For Windows, which has no poll(): runs in a thread of its own, blocked until the end."""
    try:
        while os.read(LIFELINE_FD, 1):
            pass
    except OSError:
        pass
    pool_is_gone()
