"""What a child notes into its slot.

The closures below are run for every task of the program: they keep to local names, and make no
system call of their own.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Callable, Dict, Optional

from . import labels, layout, stack_signal
from .recorder import RESERVED_RAW_BYTES
from .window import Window

#: Under which a child's process object carries what it needs, from the parent's start() on.
KEY = "unhang"

# Kept for ever: a mapping must not end while a queue still writes into it.
_windows: "list[Window]" = []
# Bytes 104 to 106: phase, lock of the tasks' queue, lock of the results' queue.
_SENDING = bytes((layout.SENDING, layout.FREE, layout.HELD))
_CUT_OFF = bytes((layout.SENDING, layout.FREE, layout.FREE))
_SENT = bytes((layout.IDLE, layout.FREE, layout.FREE))
# Bytes 105 to 107: the two locks, ready.
_READING = bytes((layout.HELD, layout.FREE, 1))


def observe(process: Any) -> None:
    """In the child, before the program's own code; raises when the child cannot be observed."""
    given: Optional[Dict[str, Any]] = process._config.pop(KEY, None)
    if given is None:
        return
    window = Window(given["recorder"], given["slot"], given["generation"])
    _windows.append(window)
    window.note_stack_signal(stack_signal.register(given["session"], given["stackSignal"]))
    target = getattr(process, "_target", None)
    args = getattr(process, "_args", ())
    for library, instrument in _TARGETS.items():
        module = sys.modules.get(library)
        if module is not None and target is not None and target is getattr(module, _ENTRY[library], None):
            instrument(window, module, args[0], args[1], given["arguments"])


def _observe_pool(window: Window, module: Any, inqueue: Any, outqueue: Any, arguments: bool) -> None:
    queues = sys.modules["multiprocessing.queues"]
    # A queue of the user's own making is left alone.
    if type(inqueue) is not queues.SimpleQueue or type(outqueue) is not queues.SimpleQueue:
        return
    inqueue.get = _pool_get(window, inqueue, queues._ForkingPickler, arguments)
    outqueue.put = _put(window, outqueue, queues._ForkingPickler)


def _observe_executor(window: Window, module: Any, call_queue: Any, result_queue: Any, arguments: bool) -> None:
    queues = sys.modules["multiprocessing.queues"]
    if type(call_queue) is not module._SafeQueue or type(result_queue) is not queues.SimpleQueue:
        return
    if module._SafeQueue.get is not queues.Queue.get:
        return
    call_queue.get = _executor_get(window, call_queue, queues._ForkingPickler, arguments)
    result_queue.put = _put(window, result_queue, queues._ForkingPickler)


#: By the module that a worker's target is in.
_TARGETS: Dict[str, Callable[..., None]] = {
    "multiprocessing.pool": _observe_pool,
    "concurrent.futures.process": _observe_executor,
}
_ENTRY = {"multiprocessing.pool": "worker", "concurrent.futures.process": "_process_worker"}


def _pool_get(window: Window, queue: Any, pickler: Any, arguments: bool) -> Callable[[], Any]:
    """As multiprocessing.queues.SimpleQueue.get, with a note of what it does and of the task."""
    header, raw_area = window.header, window.raw
    raw_at = window.raw_at
    task_at = window.header_at + layout.TASK_AT
    lock_at = window.header_at + layout.TASKS_LOCK_AT
    after_locks = lock_at + 3
    note = layout.TASK.pack_into
    lock, receive = queue._rlock._semlock, queue._reader.recv_bytes
    now = time.time
    counter = 0
    room = RESERVED_RAW_BYTES if arguments else 0
    largest = layout.RAW_BYTES if arguments else 0
    labelled: Any = None

    def get() -> Any:
        nonlocal counter, room, labelled
        if counter == 0:
            header[after_locks - 1] = 1
        with lock:
            header[lock_at:after_locks] = _READING
            try:
                raw = receive()
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
            labelled = _note_pool_task(window, task, arguments, labelled)
        counter += 1
        note(header, task_at, counter, 1, 0, 0, 1, length, task[0], task[1], now(), counter)
        return task

    return get


def _note_pool_task(window: Window, task: Any, arguments: bool, labelled: Any) -> Any:
    """The label of a task that is not kept. Without arguments it is the same as long as the function is."""
    try:
        function, args = task[2], task[3]
        inner = args[0][0] if type(function) is _FUNCTION and function.__name__ in _MAPPERS else function
        if arguments or inner is not labelled:
            window.note_label(labels.task(function, args, task[4], task[1], None, arguments).label)
        # Any other object would live longer than without us.
        return inner if type(inner) is _FUNCTION else _LABELLED
    except Exception:
        window.note_label("?")
        return _LABELLED


_LABELLED = object()
_FUNCTION = type(observe)
_MAPPERS = ("mapstar", "starmapstar")


def _executor_get(window: Window, queue: Any, pickler: Any, arguments: bool) -> Callable[..., Any]:
    """As multiprocessing.queues.Queue.get."""
    header = window.header
    task_at = window.header_at + layout.TASK_AT
    lock_at = window.header_at + layout.TASKS_LOCK_AT
    after_locks = lock_at + 3
    original = queue.get
    counter = 0

    def get(block: bool = True, timeout: Optional[float] = None) -> Any:
        nonlocal counter
        if not block or timeout is not None or queue._closed:
            item = original(block, timeout)
        else:
            if counter == 0:
                header[after_locks - 1] = 1
            with queue._rlock:
                header[lock_at:after_locks] = _READING
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
            job = item.work_id
        except Exception:
            label, job = "?", -1
        counter += 1
        window.note_label(label)
        layout.TASK.pack_into(header, task_at, counter, 1, 0, 0, 1, 0, job, 0, time.time(), counter)
        return item

    return get


def _put(window: Window, queue: Any, pickler: Any) -> Callable[[Any], None]:
    """As multiprocessing.queues.SimpleQueue.put."""
    header = window.header
    phase_at = window.header_at + layout.PHASE_AT
    after_locks = phase_at + 3
    lock, send = queue._wlock._semlock, queue._writer.send_bytes

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
