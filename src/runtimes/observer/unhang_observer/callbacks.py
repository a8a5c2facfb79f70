"""The callback that holds up the thread which receives a pool's results."""

from __future__ import annotations

import sys
from typing import Any, Dict, Optional

from . import jobs, places, processes, waits

# What ends only when more results come, which this very thread would have to receive.
_WAITS = ("AsyncResult.get", "AsyncResult.wait", "IMapIterator.next", "IMapIterator.__next__", "Pool.join")


def callback(pool: Any) -> Optional[Dict[str, Any]]:
    """The running callback: its call, its place, the function it called there, whether that waits for the pool itself, and
    the CPU time of its thread. None when no callback runs."""
    thread = vars(pool).get("_result_handler")
    frame = sys._current_frames().get(getattr(thread, "ident", None))
    at, call, own = None, None, False
    while frame is not None and not _receives(frame):
        code = frame.f_code
        if at is None and not places.is_library(code.co_filename):
            at = frame
        elif at is None:
            method = waits.method_of(code)
            call = method or call
            own = own or (method in _WAITS and _is_for_ever(frame) and _is_of(pool, frame))
        frame = frame.f_back
    if frame is None:
        return None
    job = getattr(frame.f_locals.get("self"), "_job", None)
    # joblib takes the next items from the program there, which may be as slow as it likes to bring them.
    cpu = None if jobs.is_joblibs(frame.f_locals.get("self")) else processes.cpu_seconds(thread.native_id)
    told = {"job": job if isinstance(job, int) else None, "call": call, "own": own, "cpu": cpu}
    if at is None:
        # One that is no function of the user's, like queue.put.
        return {"file": "", "line": 0, "function": _given(frame), **told}
    file = places.absolute(at.f_code.co_filename)
    return {"file": file, "line": at.f_lineno or 0, "function": at.f_code.co_name, **told}


def _receives(frame: Any) -> bool:
    """It is the method of a result that takes in what has come, and tells whoever asked to be told."""
    return frame.f_code.co_name == "_set" and places.is_library(frame.f_code.co_filename)


def _given(frame: Any) -> str:
    result = frame.f_locals.get("self")
    given = getattr(result, "_callback" if getattr(result, "_success", True) else "_error_callback", None)
    name = getattr(given, "__qualname__", type(given).__name__)
    return name if given is not None and isinstance(name, str) else ""


def _is_for_ever(frame: Any) -> bool:
    return frame.f_locals.get("timeout") is None


def _is_of(pool: Any, frame: Any) -> bool:
    waited = frame.f_locals.get("self")
    # Results of any version know the calls of their pool by its dict.
    return waited is pool or getattr(waited, "_cache", None) is vars(pool).get("_cache", pool)
