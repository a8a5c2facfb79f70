"""The two queues of a ProcessPoolExecutor, concurrent.futures' or loky's, in a worker."""

from __future__ import annotations

import time
from typing import Any, Callable, Optional

from . import labels, layout, pool_queues
from .window import Window


def observe(window: Window, process: Any, module: Any, queues: Any, arguments: bool) -> bool:
    """Whether anything will be noted."""
    call_queue, result_queue = process._args[:2]
    if type(call_queue) is not module._SafeQueue or module._SafeQueue.get is not queues.Queue.get:
        return False
    call_queue.get = _get(window, call_queue, queues._ForkingPickler, arguments)
    if type(result_queue) is queues.SimpleQueue:
        result_queue.put = pool_queues.put(window, result_queue, queues._ForkingPickler)
    elif isinstance(result_queue, queues.SimpleQueue):
        result_queue.put = _put(window, result_queue)
    return True


def _get(window: Window, queue: Any, pickler: Any, arguments: bool) -> Callable[..., Any]:
    """As multiprocessing.queues.Queue.get, with a note of what it does and of the task."""
    header = window.header
    task_at = window.header_at + layout.TASK_AT
    lock_at = window.header_at + layout.TASKS_LOCK_AT
    ready_at = window.header_at + layout.READY_AT
    original = queue.get
    counter = 0

    def get(block: bool = True, timeout: Optional[float] = None) -> Any:
        nonlocal counter
        header[ready_at] = 1
        if not block or timeout is not None or queue._closed:
            item = original(block, timeout)
        else:
            with queue._rlock:
                header[lock_at] = layout.HELD
                try:
                    raw = queue._recv_bytes()
                finally:
                    header[lock_at] = 0
            queue._sem.release()
            item = pickler.loads(raw)
        if item is None:
            return None
        try:
            label = labels.task(item.fn, item.args, item.kwargs, 0, None, arguments).label
            job = int(item.work_id)
        except Exception:
            label, job = "?", -1
        counter += 1
        window.note_label(label)
        layout.TASK.pack_into(header, task_at, counter, layout.RUNNING, 0, 0, 1, 0, job, 0, time.time(), counter)
        return item

    return get


def _put(window: Window, queue: Any) -> Callable[[Any], None]:
    """Of loky, which has picklers of its own."""
    header = window.header
    phase_at = window.header_at + layout.PHASE_AT
    original = queue.put

    def put(item: Any) -> None:
        header[phase_at] = layout.SENDING
        try:
            original(item)
        except BaseException:
            header[phase_at] = layout.RUNNING
            window.count_unpicklable()
            raise
        header[phase_at] = layout.IDLE

    return put
