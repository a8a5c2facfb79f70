"""A thread beside the main thread, for what must be noticed while that one is busy.

Short tasks never meet it: the main thread reads the channel itself, without a hand-over between
threads. Only when a task runs for longer than a tick does the watcher read in its place, because a
soft timeout may come for that task.
"""

from __future__ import annotations

import select
from _thread import start_new_thread

from . import lifeline
from .soft_timeout import Running
from .wire import CHANNEL_FD, HAS_POLL, LIFELINE_FD, Channel

# Milliseconds. A soft timeout is noticed within two ticks (within a second when it arrived together
# with its task); 40 checks a second while tasks stream cost about 0.1 %.
_TICK = 25
# Between two checks while nothing changes: an idle worker, or one long task.
_PATIENCE = 1000


def start(running: Running, channel: Channel) -> None:
    """Start the thread."""
    # Not by `threading`, which would list it among the program's threads.
    if HAS_POLL:
        start_new_thread(_watch, (running, channel))
    else:
        start_new_thread(lifeline.wait_for_hang_up, ())


def _watch(running: Running, channel: Channel) -> None:
    line = select.poll()
    line.register(LIFELINE_FD, select.POLLIN)
    both = select.poll()
    both.register(LIFELINE_FD, select.POLLIN)
    both.register(CHANNEL_FD, select.POLLIN)
    number = fetches = 0
    settled = False
    while True:
        if settled and not channel.ended:
            events = both.poll(_TICK if running.interrupted else _PATIENCE)
        else:
            events = line.poll(_TICK)
        fds = [fd for fd, _ in events]
        if LIFELINE_FD in fds:
            lifeline.pool_is_gone()
        unchanged = running.number == number and channel.fetches == fetches
        if unchanged and number != 0:
            # The task is the one of the last check.
            if (not settled or CHANNEL_FD in fds) and number in channel.look_ahead():
                running.interrupt(number)
            elif running.interrupted == number:
                running.interrupt(number)
            settled = True
        else:
            # Frames that arrive between tasks are for the main thread; at the next check one may
            # run as a task.
            settled = unchanged and CHANNEL_FD not in fds
        number = running.number
        fetches = channel.fetches
