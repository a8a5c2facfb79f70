"""The two queues of joblib's pools (backend="multiprocessing"), in a worker.

Unlike multiprocessing's own they pickle and unpickle with the lock in hand, which stays as it is:
a worker that dies of that leaves the lock taken. What is read and written is seen at the pipe's ends.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Callable, Optional

from . import labels, layout
from .window import Window

_PARTS = ("_reader", "_recv", "_rlock", "_writer", "_send", "_wlock", "get", "put")


def is_joblibs(queue: Any) -> bool:
    """Whether it is as joblib has had it since its first versions; what a subclass does is not known."""
    kind = getattr(sys.modules.get("joblib.pool"), "CustomizablePicklingQueue", None)
    return kind is not None and type(queue) is kind and all(vars(queue).get(part) is not None for part in _PARTS)


def observe(window: Window, inqueue: Any, outqueue: Any, arguments: bool) -> None:
    inqueue.get = _get(window, inqueue, arguments)
    outqueue.put = _put(window, outqueue)


def _get(window: Window, queue: Any, arguments: bool) -> Callable[[], Any]:
    """As CustomizablePicklingQueue.get, with a note of what it does and of the task."""
    header = window.header
    task_at = window.header_at + layout.TASK_AT
    lock_at = window.header_at + layout.TASKS_LOCK_AT
    ready_at = window.header_at + layout.READY_AT
    reader, lock, receive = queue._reader, queue._rlock, queue._recv
    receive_bytes = reader._recv_bytes
    seen: Any = None
    counter = 0

    def recv_bytes(maxsize: Optional[int] = None) -> Any:
        nonlocal seen
        seen = receive_bytes(maxsize)
        return seen

    reader._recv_bytes = recv_bytes

    def get() -> Any:
        nonlocal seen, counter
        header[ready_at] = 1
        with lock:
            header[lock_at] = layout.HELD
            try:
                task = receive()
            finally:
                header[lock_at] = layout.FREE
        raw, seen = seen, None
        if task is None:
            return None
        length = _keep(window, raw, task, arguments)
        counter += 1
        layout.TASK.pack_into(
            header, task_at, counter, layout.RUNNING, 0, 0, 1, length, task[0], task[1], time.time(), counter
        )
        return task

    return get


def _keep(window: Window, raw: Any, task: Any, arguments: bool) -> int:
    """Keep the pickle, or a label where it is too large; how many bytes were kept."""
    data = raw.getvalue() if raw is not None else b""
    length = len(data)
    if arguments and 0 < length <= window.reserve(length):
        window.raw[window.raw_at : window.raw_at + length] = data
        window.note_label("")
        return length
    try:
        window.note_label(labels.task(task[2], task[3], task[4], task[1], None, arguments).label)
    except Exception:
        window.note_label("?")
    return 0


def _put(window: Window, queue: Any) -> Callable[[Any], None]:
    """As CustomizablePicklingQueue.put."""
    header = window.header
    phase_at = window.header_at + layout.PHASE_AT
    lock_at = window.header_at + layout.RESULTS_LOCK_AT
    writer, lock, send = queue._writer, queue._wlock, queue._send
    send_bytes = writer._send_bytes

    def _send_bytes(data: Any) -> None:
        # It is pickled, and goes into the pipe.
        header[phase_at] = layout.SENDING
        send_bytes(data)

    writer._send_bytes = _send_bytes

    def put(item: Any) -> None:
        with lock:
            header[lock_at] = layout.HELD
            try:
                send(item)
                header[phase_at] = layout.IDLE
            except BaseException as error:
                if not isinstance(error, OSError):
                    window.count_unpicklable()
                raise
            finally:
                header[lock_at] = layout.FREE

    return put
