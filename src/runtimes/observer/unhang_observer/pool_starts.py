"""Whose worker a process is that is about to start: by the pool's own frames, whatever a subclass has overridden.

A subclass of Pool may make its queues without `Pool._setup_queues` (joblib does), start its workers
with another target, or with another class of process.
"""

from __future__ import annotations

import sys
from typing import Any, Optional, Tuple

# From start() to `Pool.__init__` there are few frames, of subclasses as well.
_MOST_FRAMES = 50


def pool_in_making(queue: Any) -> Optional[Tuple[Any, Any]]:
    """The pool with that queue of tasks whose first worker starts right now, and the frame that makes it."""
    make = _code("__init__")
    frame = sys._getframe(1)
    for _ in range(_MOST_FRAMES):
        if frame is None or make is None:
            break
        if frame.f_code is make:
            pool = frame.f_locals.get("self")
            if queue is not None and getattr(pool, "__dict__", {}).get("_inqueue") is queue:
                return pool, frame
        frame = frame.f_back
    return None


def queue_of(process: Any) -> Any:
    """The queue of tasks of the pool that starts this process as its worker; None when no pool does."""
    start, make = _code("_repopulate_pool_static"), _code("__init__")
    frame = sys._getframe(1)
    for _ in range(_MOST_FRAMES):
        if frame is None or start is None:
            break
        if frame.f_code is start:
            # Whatever else is started meanwhile is no worker.
            return frame.f_locals.get("inqueue") if frame.f_locals.get("w") is process else None
        if frame.f_code is make:
            # A subclass starts its workers itself (PyTorch does): they are given the queue.
            queue = getattr(frame.f_locals.get("self"), "__dict__", {}).get("_inqueue")
            return queue if any(given is queue for given in getattr(process, "_args", ())) else None
        frame = frame.f_back
    return None


def _code(name: str) -> Any:
    """Of a function of multiprocessing's Pool."""
    pool = getattr(sys.modules.get("multiprocessing.pool"), "Pool", None)
    function = vars(pool).get(name) if isinstance(pool, type) else None
    return getattr(getattr(function, "__func__", function), "__code__", None)
