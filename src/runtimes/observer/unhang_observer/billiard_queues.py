"""The two queues of a billiard.Pool, in a worker.

billiard's worker unpickles tasks itself. But it says which one it has taken, before it runs it.
"""

from __future__ import annotations

import time
from typing import Any, Callable

from . import labels, layout
from .window import Window


def observe(window: Window, process: Any, module: Any, queues: Any, arguments: bool) -> bool:
    """Whether anything will be noted."""
    worker = process._target
    if type(worker.inq) is not queues.SimpleQueue or type(worker.outq) is not queues.SimpleQueue:
        return False
    notes = _Notes(window, arguments)
    worker.inq.get_payload = _get_payload(worker.inq, notes)
    worker.outq.put = _put(worker.outq, queues.ForkingPickler, module, notes)
    return True


class _Notes:
    def __init__(self, window: Window, arguments: bool) -> None:
        self.window = window
        self.arguments = arguments
        self.header = window.header
        self.at = window.header_at
        self.raw = b""
        self.room = 0
        self.counter = 0

    def taken(self, job: Any, index: Any) -> None:
        """The task that was read last is about to run."""
        window, raw = self.window, self.raw
        length = len(raw)
        if not self.arguments or length > layout.RAW_BYTES:
            length = 0
        elif length > self.room:
            self.room = window.reserve_raw(length)
            length = length if length <= self.room else 0
        if length:
            window.raw[window.raw_at : window.raw_at + length] = raw
            window.note_label("")
        else:
            window.note_label(_label(raw, self.arguments))
        self.raw = b""
        self.counter += 1
        layout.TASK.pack_into(
            self.header,
            self.at + layout.TASK_AT,
            self.counter,
            layout.RUNNING,
            0,
            0,
            1,
            length,
            job,
            index or 0,
            time.time(),
            self.counter,
        )


def _label(raw: bytes, arguments: bool) -> str:
    from . import stubs

    try:
        _, index, function, args, kwds = stubs.loads(raw)[1]
        return labels.task(function, args, kwds, index or 0, None, arguments).label
    except Exception:
        return "?"


def _get_payload(queue: Any, notes: _Notes) -> Callable[[], bytes]:
    """As billiard.queues.SimpleQueue.get_payload."""
    header, lock_at = notes.header, notes.at + layout.TASKS_LOCK_AT
    ready_at = notes.at + layout.READY_AT

    def get_payload() -> bytes:
        header[ready_at] = 1
        with queue._rlock:
            header[lock_at] = layout.HELD
            try:
                notes.raw = raw = queue._reader.recv_bytes()
            finally:
                header[lock_at] = layout.FREE
        return raw

    return get_payload


def _put(queue: Any, pickler: Any, module: Any, notes: _Notes) -> Callable[[Any], None]:
    """As billiard.queues.SimpleQueue.put."""
    header, lock_at, phase_at = notes.header, notes.at + layout.RESULTS_LOCK_AT, notes.at + layout.PHASE_AT

    def put(message: Any) -> None:
        kind = message[0] if message else None
        try:
            raw = pickler.dumps(message)
        except BaseException:
            notes.window.count_unpicklable()
            raise
        if kind == module.ACK:
            notes.taken(message[1][0], message[1][1])
        with queue._wlock:
            header[lock_at] = layout.HELD
            if kind == module.READY:
                header[phase_at] = layout.SENDING
            try:
                queue._writer.send_bytes(raw)
            finally:
                header[lock_at] = layout.FREE
            if kind == module.READY:
                header[phase_at] = layout.IDLE

    return put
