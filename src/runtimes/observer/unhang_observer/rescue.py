"""What can be done for a program that waits for ever. Before each, the evidence is looked at again."""

from __future__ import annotations

import pickle
import sys
import time
from typing import Any, Dict, Optional

from . import jobs, layout, processes, snapshot, task_pipe
from .lost import WorkerLost
from .recorder import Slot

# Seconds. For a lock that a live worker has while it writes a result.
_LOCK_SECONDS = 1.0


class _Refused(Exception):
    """The evidence does not hold; the message says what is different."""


def _told(function: Any, parent: Any, parameters: Dict[str, Any]) -> Dict[str, Any]:
    expires = parameters.get("expires")
    if isinstance(expires, (int, float)) and time.time() > expires:
        # Stopped, or in C code with the GIL: whoever asked has been told by now that nothing was done.
        return {"done": False, "why": "the program got to it too late"}
    try:
        return {"done": True, "why": function(parent, parameters)}
    except _Refused as refused:
        return {"done": False, "why": str(refused)}


def fail(parent: Any, parameters: Dict[str, Any]) -> Dict[str, Any]:
    """The lost task raises WorkerLost in the program."""
    return _told(_fail, parent, parameters)


def retry(parent: Any, parameters: Dict[str, Any]) -> Dict[str, Any]:
    """The lost task is put into the queue again."""
    return _told(_retry, parent, parameters)


def release(parent: Any, parameters: Dict[str, Any]) -> Dict[str, Any]:
    """The lock of a dead process is released."""
    return _told(_release, parent, parameters)


def _fail(parent: Any, parameters: Dict[str, Any]) -> str:
    pool = _pool_with_tasks(parent, parameters)
    job, index = int(parameters["job"]), int(parameters["index"])
    pid = int(parameters["pid"])
    slot = _lost(parent, pool, int(parameters["pool"]), job, index, pid)
    worker = str(parameters.get("worker") or slot.name)
    code = parameters.get("exitCode")
    label = str(parameters.get("label") or "%d.%d" % (job, index))
    error = WorkerLost(label, worker, pid, code if isinstance(code, int) else slot.exit_code)
    how = _deliver(pool, job, index, error)
    slot.settled = parent.recorder.task(slot)[0]
    parent.control.changed()
    return how


def _retry(parent: Any, parameters: Dict[str, Any]) -> str:
    pool = _pool_with_tasks(parent, parameters)
    slot = _slot(parent, parameters)
    counter = int(parameters["counter"])
    task = parent.recorder.task(slot)
    if task[0] != counter:
        raise _Refused("the worker has had another task since")
    _lost(parent, pool, int(parameters["pool"]), task[6], task[7], slot.pid, slot)
    raw = parent.recorder.raw(slot, counter, task[5])
    if raw is None:
        raise _Refused("the task was not kept: it was too large, or arguments are not to be recorded")
    if not snapshot._is_alive(getattr(pool, "_task_handler", None)):
        raise _Refused("the thread that hands out tasks has ended")
    try:
        again = pickle.loads(raw)
    except Exception as error:
        raise _Refused("the task cannot be read: %s: %s" % (type(error).__name__, error)) from None
    slot.settled = counter
    _put(pool, again)
    parent.control.changed()
    return "the task is in the queue again"


def _put(pool: Any, task: Any) -> None:
    pool._taskqueue.put(([task], None))


def _release(parent: Any, parameters: Dict[str, Any]) -> str:
    pool = _pool(parent, parameters)
    slot = _slot(parent, parameters)
    name = parameters.get("lock")
    if name not in ("tasks", "results"):
        raise _Refused("there is no lock %r" % (name,))
    offset = layout.TASKS_LOCK_AT if name == "tasks" else layout.RESULTS_LOCK_AT
    parts = vars(pool)
    tasks = parts.get("_inqueue", parts.get("_call_queue"))
    queue = tasks if name == "tasks" else parts.get("_outqueue", parts.get("_result_queue"))
    attribute = "_rlock" if name == "tasks" else "_wlock"
    if parent.recorder.byte(slot, offset) != layout.HELD:
        raise _Refused("that worker does not hold the lock, or it was released for it already")
    _must_be_gone(slot)
    if snapshot.lock_state(queue, attribute) != "taken":
        raise _Refused("the lock is free")
    for other in parent.recorder.slots:
        if other is slot or other.pool != slot.pool or _is_gone(other):
            continue
        if parent.recorder.byte(other, offset) == layout.HELD:
            raise _Refused("%s (pid %d) holds the lock, and is alive" % (other.name, other.pid))
    if name == "results" and not _results_are_whole(pool, queue):
        raise _Refused("the worker may have been cut off in the middle of a result")
    try:
        begun = task_pipe.cut_off(queue) if name == "tasks" else None
    except task_pipe.Torn as torn:
        raise _Refused(str(torn)) from None
    parent.recorder.note_released(slot, offset)
    getattr(queue, attribute).release()
    if begun is not None:
        _hand_out_again(pool, queue, begun)
    parent.control.changed()
    return "the lock is released"


def _hand_out_again(pool: Any, queue: Any, raw: bytes) -> None:
    """The task that the dead worker had begun to read."""
    if snapshot._is_alive(getattr(pool, "_task_handler", None)):
        # That thread alone writes into the pipe.
        _put(pool, pickle.loads(raw))
    else:
        queue._writer.send_bytes(raw)


def _results_are_whole(pool: Any, queue: Any) -> bool:
    """Whether nothing of a result is left in the pipe, and the thread that reads it is between two."""
    if snapshot.unread(queue) != 0:
        return False
    frame = sys._current_frames().get(getattr(getattr(pool, "_result_handler", None), "ident", 0))
    while frame is not None:
        if frame.f_code.co_name == "_recv":
            # Of Connection: a message begins with its length, four bytes.
            return bool(frame.f_locals.get("size") == 4 and frame.f_locals.get("remaining") == 4)
        frame = frame.f_back
    return False


def _pool(parent: Any, parameters: Dict[str, Any]) -> Any:
    known = parent.pool_of_key(int(parameters["pool"]))
    pool = known.get() if known is not None else None
    if known is None or pool is None:
        raise _Refused("the pool has ended")
    if known.library in ("concurrent.futures", "loky"):
        raise _Refused("an executor that loses a worker fails its tasks itself")
    return pool


def _pool_with_tasks(parent: Any, parameters: Dict[str, Any]) -> Any:
    known = parent.pool_of_key(int(parameters["pool"]))
    if known is not None and known.library == "billiard":
        raise _Refused("billiard fails a lost task itself, ten seconds after")
    return _pool(parent, parameters)


def _slot(parent: Any, parameters: Dict[str, Any]) -> Slot:
    number = int(parameters["slot"])
    slots = parent.recorder.slots
    slot: Optional[Slot] = slots[number] if 0 < number < len(slots) else None
    if slot is None or slot.generation != int(parameters["generation"]) or slot.pool != int(parameters["pool"]):
        raise _Refused("the slot was given to another worker")
    return slot


def _is_gone(slot: Slot) -> bool:
    return slot.exited or (slot.pid != 0 and processes.is_gone(slot.pid, slot.ticks))


def _must_be_gone(slot: Slot) -> None:
    if not _is_gone(slot):
        raise _Refused("%s (pid %d) is alive" % (slot.name, slot.pid))


def _lost(parent: Any, pool: Any, key: int, job: int, index: int, pid: int, wanted: Optional[Slot] = None) -> Slot:
    """The slot of the dead worker that took that task with it, when nobody else has the task."""
    result = pool._cache.get(job)
    if result is None:
        raise _Refused("the call has ended")
    found: Optional[Slot] = None
    for slot in parent.recorder.slots:
        if slot.pool != key:
            continue
        task = parent.recorder.task(slot)
        if task[1] == layout.IDLE or (task[6], task[7]) != (job, index):
            continue
        if not _is_gone(slot):
            if slot.pid == pid:
                raise _Refused("%s (pid %d) is alive" % (slot.name, slot.pid))
            raise _Refused("%s (pid %d) runs the task now" % (slot.name, slot.pid))
        if slot.settled == task[0]:
            if slot is wanted or slot.pid == pid:
                raise _Refused("a rescue has dealt with the task already")
            continue
        if slot.pid == pid and (wanted is None or slot is wanted):
            found = slot
    if found is None:
        raise _Refused("no worker with pid %d has taken that task with it" % pid)
    if not jobs.is_awaited(result, index):
        raise _Refused("its result has come")
    return found


def _deliver(pool: Any, job: int, index: int, error: WorkerLost) -> str:
    """As if a worker had answered. Without the thread that reads answers, straight to the call that waits."""
    outqueue = pool._outqueue
    handler_is_alive = snapshot._is_alive(getattr(pool, "_result_handler", None))
    lock = getattr(outqueue, "_wlock", None)
    if handler_is_alive and lock is not None and lock.acquire(True, _LOCK_SECONDS):
        try:
            outqueue._writer.send_bytes(pickle.dumps((job, index, (False, error))))
        finally:
            lock.release()
        return "the task has failed, as if its worker had said so"
    result = pool._cache.get(job)
    if result is None:
        raise _Refused("the call has ended")
    result._set(index, (False, error))
    return "the task has failed"
