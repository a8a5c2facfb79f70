"""The two queues of a multiprocessing.Pool, in a worker: each task is noted before it runs.

The closures are run for every task of the program: they keep to local names, and make no system
call of their own.
"""

from __future__ import annotations

import sys
import time
from types import FunctionType
from typing import Any, Callable

from . import joblib_queues, labels, layout
from .recorder import RESERVED_RAW_BYTES
from .window import Window

# Bytes 104 to 106: phase, lock of the tasks' queue, lock of the results' queue.
_SENDING = bytes((layout.SENDING, layout.FREE, layout.HELD))
_CUT_OFF = bytes((layout.SENDING, layout.FREE, layout.FREE))
_SENT = bytes((layout.IDLE, layout.FREE, layout.FREE))

_MAPPERS = ("mapstar", "starmapstar")
# "There is a label, but of no function that would live on without us."
_LABELLED = object()


def observe(window: Window, process: Any, module: Any, queues: Any, arguments: bool) -> bool:
    """Whether anything will be noted: a queue of the user's own making is left alone."""
    inqueue, outqueue = process._args[:2]
    if joblib_queues.is_joblibs(inqueue) and joblib_queues.is_joblibs(outqueue):
        joblib_queues.observe(window, inqueue, outqueue, arguments)
        return True
    if not _is_plain(inqueue, queues) or not _is_plain(outqueue, queues):
        return False
    inqueue.get = _get(window, inqueue, queues._ForkingPickler, arguments)
    outqueue.put = put(window, outqueue, queues._ForkingPickler)
    return True


def _is_plain(queue: Any, queues: Any) -> bool:
    """Whether the queue takes and puts as multiprocessing's own does: also one of a class that leaves both as they are."""
    simple, kind = queues.SimpleQueue, type(queue)
    if kind is simple:
        return True
    if not isinstance(queue, simple) or kind.get is not simple.get or kind.put is not simple.put:
        return False
    parts = vars(queue)
    connection = getattr(sys.modules.get("multiprocessing.connection"), "Connection", None)
    if "get" in parts or "put" in parts:
        return False
    return type(parts.get("_reader")) is type(parts.get("_writer")) is connection


def _get(window: Window, queue: Any, pickler: Any, arguments: bool) -> Callable[[], Any]:
    """As multiprocessing.queues.SimpleQueue.get, with a note of what it does and of the task."""
    header, raw_area = window.header, window.raw
    raw_at = window.raw_at
    task_at = window.header_at + layout.TASK_AT
    lock_at = window.header_at + layout.TASKS_LOCK_AT
    ready_at = window.header_at + layout.READY_AT
    note = layout.TASK.pack_into
    # Without recv_bytes() around it, which asks of every message whether the pipe is closed and readable:
    # what that takes is about what the notes take.
    lock, receive = queue._rlock._semlock, queue._reader._recv_bytes
    now = time.time
    counter = 0
    room = RESERVED_RAW_BYTES if arguments else 0
    largest = layout.RAW_BYTES if arguments else 0
    labelled: Any = None

    def get() -> Any:
        nonlocal counter, room, labelled
        # Start-up and initializer are over, even if it has to wait for the lock.
        header[ready_at] = 1
        with lock:
            header[lock_at] = 1
            try:
                raw = receive().getvalue()
            finally:
                header[lock_at] = 0
        length = len(raw)
        if room < length <= largest:
            room = max(room, window.reserve_raw(length))
        task = pickler.loads(raw)
        if task is None:
            return None
        if length <= room:
            raw_area[raw_at : raw_at + length] = raw
            if labelled is not None:
                window.note_label("")
                labelled = None
        else:
            length = 0
            labelled = _note_label(window, task, arguments, labelled)
        counter += 1
        note(header, task_at, counter, 1, 0, 0, 1, length, task[0], task[1], now(), counter)
        return task

    return get


def _note_label(window: Window, task: Any, arguments: bool, labelled: Any) -> Any:
    """The label of a task that is not kept. Without arguments it is the same as long as the function is."""
    try:
        function, args = task[2], task[3]
        inner = args[0][0] if type(function) is FunctionType and function.__name__ in _MAPPERS else function
        if arguments or inner is not labelled:
            window.note_label(labels.task(function, args, task[4], task[1], None, arguments).label)
        # Any other object would live longer than without us.
        return inner if type(inner) is FunctionType else _LABELLED
    except Exception:
        window.note_label("?")
        return _LABELLED


def put(window: Window, queue: Any, pickler: Any) -> Callable[[Any], None]:
    """As multiprocessing.queues.SimpleQueue.put."""
    header = window.header
    phase_at = window.header_at + layout.PHASE_AT
    after_locks = phase_at + 3
    lock, send = queue._wlock._semlock, queue._writer._send_bytes

    def put(item: Any) -> None:
        try:
            raw = pickler.dumps(item)
        except BaseException:
            window.count_unpicklable()
            raise
        with lock:
            header[phase_at:after_locks] = _SENDING
            try:
                send(raw)
            except BaseException:
                # The lock goes, but a task whose result was cut off is not done.
                header[phase_at:after_locks] = _CUT_OFF
                raise
            header[phase_at:after_locks] = _SENT

    return put
