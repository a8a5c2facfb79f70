"""A process that makes pools: its recorder, its pools, its connection to the host."""

from __future__ import annotations

import _thread
import os
import sys
import threading
import time
from typing import Any, Dict, List, Optional, Tuple

# `methods` and `worker` are used later: who imports after a fork may wait for a lock that another thread held.
from . import control, hooks, methods, places, pool_starts, processes, stack_signal, worker  # noqa: F401
from .pools import Pool
from .recorder import Recorder, Slot
from .session import Session

# Of pools that have ended, so many are still told of.
_MOST_ENDED = 32


class Parent:
    """Raises OSError or ValueError when the session is gone."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.ticks = processes.start_ticks("self")
        self.session = Session(hooks.finder.session)
        name = "%d-%d.rec" % (self.pid, self.ticks)
        self.recorder = Recorder(self.session.path(name), self.pid, self.ticks)
        self.recorder_name = name
        #: Reentrant: a signal's handler may start a process while we are in here.
        self.lock = _thread.RLock()
        self.pools: List[Pool] = []
        self._last_key = 0
        self._slots: Dict[Tuple[int, int], Slot] = {}
        self._stack_signal = stack_signal.register(self.session.folder, self.session.stack_signal)
        slot = self.recorder.give(0, _own_name(), 0)
        if slot is not None:
            self.recorder.started(slot, self.pid, self.ticks)
            self.recorder.note_stack_signal(slot, self._stack_signal)
        self.control = control.Control(self)

    def add_pool(self, library: str, pool: Any, frame: Any) -> None:
        with self.lock:
            self._last_key += 1
            place = places.made_by(frame)
            self.pools.append(Pool(self._last_key, library, pool, place, self.control.changed))
            ended = [known for known in self.pools if known.get() is None]
            for known in ended[:-_MOST_ENDED]:
                self.pools.remove(known)

    def pool_of(self, queue: Any) -> Optional[Pool]:
        """The pool whose queue of tasks that is."""
        for known in self.pools:
            pool = known.get()
            if pool is None or queue is None:
                continue
            known_queues = vars(pool)
            if queue is known_queues.get("_inqueue") or queue is known_queues.get("_call_queue"):
                return known
        return None

    def pool_of_key(self, key: int) -> Optional[Pool]:
        for known in self.pools:
            if known.key == key:
                return known
        return None

    def give_slot(self, process: Any) -> None:
        """Before the start of a process: its slot goes with it, by fork or by pickle."""
        pool = self._pool_of_worker(process)
        with self.lock:
            slot = self.recorder.give(pool.key if pool is not None else 0, process.name, self._threads())
        if slot is None:
            return
        process._config[worker.KEY] = {
            "recorder": self.recorder.path,
            "session": self.session.folder,
            "slot": slot.number,
            "generation": slot.generation,
            "arguments": self.session.arguments,
            "pool": pool is not None,
            # Children by fork have our handler: the same for all, and none that the program takes later.
            "stackSignal": self._stack_signal,
        }

    def _pool_of_worker(self, process: Any) -> Optional[Pool]:
        """None of a process that is no pool's."""
        queue = worker.tasks_queue(process)
        known = self.pool_of(queue)
        if known is None and queue is not None:
            made = pool_starts.pool_in_making(queue)
            if made is not None:
                self.add_pool("multiprocessing", *made)
                known = self.pool_of(queue)
        return known

    def _threads(self) -> int:
        """Threads of this process, the main one included, C's too; without ours and the pools' own."""
        ids = set(processes.thread_ids())
        starting = 0
        for thread in list(threading._active.values()):  # type: ignore[attr-defined]
            if control.is_of_a_pool(thread):
                ids.discard(thread.native_id)
        for thread in list(threading._limbo):  # type: ignore[attr-defined]
            if control.is_of_a_pool(thread):
                starting += 1
        return max(1, self.control.count_without(ids) - starting)

    def slot_started(self, process: Any) -> None:
        given = process._config.pop(worker.KEY, None)
        popen = process._popen
        if given is None or popen is None:
            return
        slot = self.recorder.slots[given["slot"]]
        self.recorder.started(slot, popen.pid, processes.start_ticks(popen.pid))
        popen.__dict__[worker.KEY] = (self.pid, slot.number, slot.generation)
        if popen.__dict__.get("returncode") is not None:
            self.slot_exited(popen, popen.__dict__["returncode"])

    def slot_exited(self, popen: Any, code: int) -> None:
        known = popen.__dict__.get(worker.KEY)
        if known is None or known[0] != self.pid:
            return
        slot = self.recorder.slots[known[1]]
        if slot.generation == known[2]:
            with self.lock:
                self.recorder.exited(slot, code)


def _own_name() -> str:
    module = sys.modules.get("multiprocessing.process") or sys.modules.get("billiard.process")
    return str(getattr(module.current_process() if module else None, "name", "MainProcess"))


_parent: Optional[Parent] = None
_session_is_gone = False


def _current(make: bool = False) -> Optional[Parent]:
    global _parent, _session_is_gone
    if _parent is not None and _parent.pid == os.getpid():
        return _parent
    if not make or _session_is_gone:
        return None
    try:
        _parent = Parent()
    except FileNotFoundError:
        # The host has ended, and its folder with it.
        _session_is_gone = True
        return None
    return _parent


def starting(process: Any) -> None:
    """Called by start(), right before the process is made."""
    parent = _current(make=True)
    if parent is not None:
        parent.give_slot(process)


def has_started(process: Any) -> None:
    """Called by start(), when the process is there."""
    parent = _current()
    if parent is not None:
        parent.slot_started(process)
        parent.control.resume()
        parent.control.changed()


def has_exited(popen: Any, code: int) -> None:
    parent = _current()
    if parent is not None:
        parent.slot_exited(popen, code)
        parent.control.changed()


def looked() -> None:
    """Somebody asked whether a process still runs."""
    parent = _current()
    if parent is not None and parent.control.is_paused:
        parent.control.resume()


def pool_made(library: str, pool: Any, frame: Any) -> None:
    parent = _current(make=True)
    if parent is not None:
        parent.add_pool(library, pool, frame)
        parent.control.resume()
        parent.control.changed()


def job_made(pool: Any, job: int, function: Any, iterable: Any) -> None:
    parent = _current()
    if parent is None:
        return
    for known in parent.pools:
        if known.get() is pool:
            known.call_made(job, function, iterable)
            return


def fail(message: str) -> None:
    """The observer is over: tell the host."""
    parent = _current()
    if parent is not None:
        parent.control.fail(message)
    else:
        control.tell_failure(Session(hooks.finder.session), message)


def _before_fork() -> None:
    if _parent is not None and _parent.pid == os.getpid():
        hooks.guard(_parent.control.pause)


def _after_fork_in_parent() -> None:
    if _parent is not None and _parent.pid == os.getpid():
        hooks.guard(_parent.control.resume_after_fork)


def _after_fork_in_child() -> None:
    global _parent
    inherited, _parent = _parent, None
    if inherited is not None:
        hooks.guard(inherited.control.drop)
        hooks.guard(inherited.recorder.close)


os.register_at_fork(
    before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
)
