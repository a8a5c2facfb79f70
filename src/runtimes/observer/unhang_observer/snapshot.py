"""All that the host may know of this process at one moment, without stopping it."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import Any, Dict, List, Optional, Tuple

from . import callbacks, jobs, labels, layout, processes, stacks, stubs, waits
from .pools import Pool
from .recorder import Slot

# By slot: generation and counter, and what was found.
_decoded: Dict[int, Tuple[int, int, Dict[str, Any]]] = {}


def snapshot(parent: Any) -> Dict[str, Any]:
    """As ../README.md has it."""
    tasks = _tasks(parent)
    return {
        "time": time.time(),
        "ownCpu": parent.control.own_cpu_seconds(),
        "threads": stacks.threads(),
        "waitsIn": waits.waits_in(),
        "ownSigint": _has_own_sigint(),
        "pools": [_pool(parent, known, tasks) for known in list(parent.pools)],
        "tasks": tasks,
        "helpers": {
            "resourceTracker": _pid("multiprocessing.resource_tracker", "_resource_tracker", "_pid"),
            "forkServer": _pid("multiprocessing.forkserver", "_forkserver", "_forkserver_pid"),
            # joblib has it remove the folders of large arrays, with any backend that uses processes.
            "lokyTracker": _pid("joblib.externals.loky.backend.resource_tracker", "_resource_tracker", "_pid")
            or _pid("loky.backend.resource_tracker", "_resource_tracker", "_pid"),
        },
    }


def _has_own_sigint() -> bool:
    """Whether Ctrl-C calls a function of the program's, where Python's own would raise KeyboardInterrupt."""
    handler = signal.getsignal(signal.SIGINT)
    return callable(handler) and handler is not signal.default_int_handler


def _pid(module: str, holder: str, name: str) -> Optional[int]:
    pid = getattr(getattr(sys.modules.get(module), holder, None), name, None)
    return pid if isinstance(pid, int) else None


def _tasks(parent: Any) -> Dict[str, Dict[str, Any]]:
    """What slots in phase 1 or 2 hold, by number."""
    told: Dict[str, Dict[str, Any]] = {}
    for slot in list(parent.recorder.slots):
        task = _task(parent, slot)
        if task is not None:
            told[str(slot.number)] = task
    return told


def _task(parent: Any, slot: Slot) -> Optional[Dict[str, Any]]:
    recorder = parent.recorder
    counter, phase, _, _, _, length, job, index, _, again = recorder.task(slot)
    if phase == layout.IDLE or counter != again:
        return None
    known = _decoded.get(slot.number)
    if known is not None and known[:2] == (slot.generation, counter):
        return known[2]
    if length:
        raw = recorder.raw(slot, counter, length)
        if raw is None:
            return None
        told = _decode(parent, slot, raw)
    else:
        label = recorder.label(slot)
        after = recorder.task(slot)
        if after[0] != counter or after[1] == layout.IDLE:
            return None
        told = {"function": _function_in(label), "label": label, "first": None, "items": 1}
    told = {"counter": counter, "job": job, "index": index, **told}
    _decoded[slot.number] = (slot.generation, counter, told)
    return told


def _decode(parent: Any, slot: Slot, raw: bytes) -> Dict[str, Any]:
    try:
        task = stubs.loads(raw)
        # billiard's: what kind of message it is comes first.
        job, index, function, args, kwds = task if len(task) == 5 else task[1]
        index = index or 0
        pool = parent.pool_of_key(slot.pool)
        call = pool.calls.get(job) if pool is not None else None
        chunk_size = call.chunk_size if call is not None else None
        read = labels.task(function, args, kwds, index, chunk_size, parent.session.arguments)
        return {"function": read.function, "label": read.label, "first": read.first, "items": read.items}
    except Exception:
        # A pickle that wants to run code of its own.
        return {"function": "?", "label": "?", "first": None, "items": 1}


def _function_in(label: str) -> str:
    return label.partition("(")[0].partition(" ×")[0]


def _pool(parent: Any, known: Pool, tasks: Dict[str, Dict[str, Any]]) -> Dict[str, Any]:
    told: Dict[str, Any] = {
        "key": known.key,
        "library": known.library,
        "name": known.name,
        "file": known.file,
        "line": known.line,
        "startMethod": known.start_method,
        "processes": known.processes,
        "madeAt": known.made_at,
        "state": "ended",
        "threads": {"workers": None, "tasks": None, "results": None},
        "queued": 0,
        "taskPipeBytes": None,
        "resultPipeBytes": None,
        "locks": {"tasks": None, "results": None},
        "jobs": [],
        "callback": None,
        "pids": [],
    }
    pool = known.get()
    if pool is None:
        return told
    told["state"] = "init"
    if not {"_cache", "_pending_work_items"} & set(vars(pool)):
        # Its __init__() is under way in another thread.
        return told
    own = [slot for slot in list(parent.recorder.slots) if slot.pool == known.key]
    if known.library in ("concurrent.futures", "loky"):
        _fill_executor(told, known, pool, own, tasks)
    else:
        _fill_pool(told, known, pool, own, tasks)
    known.start_method, known.processes = told["startMethod"], told["processes"]
    return told


def _fill_pool(told: Dict[str, Any], known: Pool, pool: Any, own: List[Slot], tasks: Dict[str, Dict[str, Any]]) -> None:
    parts = vars(pool)
    inqueue, outqueue, cache = parts.get("_inqueue"), parts.get("_outqueue"), parts.get("_cache", {})
    told["startMethod"] = start_method(parts.get("_ctx"))
    told["processes"] = parts.get("_processes", 0)
    told["threads"] = {
        "workers": _is_alive(parts.get("_worker_handler")),
        "tasks": _is_alive(parts.get("_task_handler")),
        "results": _is_alive(parts.get("_result_handler")),
    }
    told["pids"] = [pid for pid in (_live_pid(process) for process in list(parts.get("_pool", ()))) if pid]
    told["state"] = _state("terminate" if _is_taken_down(parts) else parts.get("_state"), told)
    if told["state"] == "ended":
        return
    told["taskPipeBytes"], told["locks"]["tasks"] = unread(inqueue), lock_state(inqueue, "_rlock")
    told["resultPipeBytes"], told["locks"]["results"] = unread(outqueue), lock_state(outqueue, "_wlock")
    running = [tasks[str(slot.number)] for slot in own if str(slot.number) in tasks]
    taken = {(task["job"], task["index"]) for task in running}
    functions = {task["job"]: task["function"] for task in running}
    told["jobs"] = jobs.jobs(known, pool, functions)
    told["callback"] = callbacks.callback(pool)
    told["queued"] = _queued(cache, parts.get("_taskqueue"), taken, told["taskPipeBytes"])


def _queued(cache: Any, taskqueue: Any, taken: "set[Tuple[int, int]]", pipe_bytes: Optional[int]) -> int:
    """Tasks that calls wait for and that no worker, dead or alive, has in hand."""
    left = 0
    for result in list(cache.values()):
        left += jobs.chunks_left(result) or 0
    for job, index in taken:
        result = cache.get(job)
        if result is not None and jobs.chunks_left(result) is not None and jobs.is_awaited(result, index):
            left -= 1
    waiting = 1 if pipe_bytes else 0
    try:
        waiting += taskqueue.qsize()
    except Exception:
        pass
    return max(left, waiting, 0)


def _fill_executor(
    told: Dict[str, Any], known: Pool, executor: Any, own: List[Slot], tasks: Dict[str, Dict[str, Any]]
) -> None:
    parts = vars(executor)
    manager = parts.get("_executor_manager_thread", parts.get("_queue_management_thread"))
    calls, results = parts.get("_call_queue"), parts.get("_result_queue")
    context = parts.get("_mp_context", parts.get("_context"))
    told["startMethod"] = start_method(context) or known.start_method
    told["processes"] = parts.get("_max_workers", 0)
    feeder = getattr(calls, "_thread", None)
    told["threads"] = {"workers": None, "tasks": _is_alive(feeder), "results": _is_alive(manager)}
    workers = parts.get("_processes")
    told["pids"] = [pid for pid in (_live_pid(process) for process in list((workers or {}).values())) if pid]
    told["state"] = _executor_state(parts, manager, told["pids"], own)
    told["taskPipeBytes"], told["locks"]["tasks"] = unread(calls), lock_state(calls, "_rlock")
    told["resultPipeBytes"], told["locks"]["results"] = unread(results), lock_state(results, "_wlock")
    if told["state"] == "ended":
        return
    told["jobs"] = jobs.jobs(known, executor, {})
    taken = sum(1 for slot in own if str(slot.number) in tasks and not slot.exited)
    told["queued"] = max(0, len(parts.get("_pending_work_items") or {}) - taken)


def _executor_state(parts: Dict[str, Any], manager: Any, pids: List[int], own: List[Slot]) -> str:
    flags = parts.get("_flags")
    broken = parts.get("_broken") or getattr(flags, "broken", None)
    closed = parts.get("_shutdown_thread") or getattr(flags, "shutdown", False)
    left = [slot for slot in own if not slot.exited]
    if (closed or broken) and not pids and not left and not _is_alive(manager):
        return "ended" if closed and not broken else "broken"
    if broken:
        return "broken"
    return "close" if closed else "run"


def start_method(context: Any) -> Optional[str]:
    """`fork`, `spawn`, `forkserver`, `loky`; None when nobody has chosen one yet."""
    try:
        method = context.get_start_method(allow_none=True)
    except Exception:
        return None
    return method if isinstance(method, str) else None


def lock_state(queue: Any, name: str) -> Optional[str]:
    semaphore = getattr(getattr(queue, name, None), "_semlock", None)
    try:
        return None if semaphore is None else "taken" if semaphore._is_zero() else "free"
    except Exception:
        return None


def unread(queue: Any) -> Optional[int]:
    try:
        return processes.unread_bytes(queue._reader.fileno())
    except Exception:
        # Closed, or none at all.
        return None


def _is_alive(thread: Any) -> Optional[bool]:
    """Without the lock that Thread.is_alive() takes."""
    if thread is None:
        return None
    started = getattr(thread, "_started", None)
    if started is not None and (not started.is_set() or thread in threading._limbo):  # type: ignore[attr-defined]
        # It is about to.
        return None
    ident = getattr(thread, "ident", None)
    return ident in sys._current_frames() and threading._active.get(ident) is thread  # type: ignore[attr-defined]


def _live_pid(process: Any) -> int:
    """0 of one that has not started, or whose exit was seen."""
    popen = getattr(process, "_popen", None)
    if popen is None or getattr(popen, "__dict__", {}).get("returncode") is not None:
        return 0
    pid = getattr(popen, "pid", None)
    return pid if isinstance(pid, int) else 0


def _is_taken_down(parts: Dict[str, Any]) -> bool:
    """By terminate(), or by its finalizer at the end of the program, which leaves the pool's own state at RUN."""
    handler = parts.get("_worker_handler")
    terminate = getattr(sys.modules.get(type(handler).__module__), "TERMINATE", "TERMINATE")
    return getattr(handler, "_state", None) in ("TERMINATE", terminate)


def _state(state: Any, told: Dict[str, Any]) -> str:
    # billiard has numbers.
    name = {0: "run", 1: "close", 2: "terminate"}.get(state, str(state).lower())
    threads = told["threads"]
    if name in ("close", "terminate") and not told["pids"] and not threads["workers"] and not threads["results"]:
        return "ended"
    return name if name in ("init", "run", "close", "terminate") else "run"
