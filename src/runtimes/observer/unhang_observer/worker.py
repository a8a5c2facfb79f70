"""A child of the program: it finds its slot, and has its queues noted into it."""

from __future__ import annotations

import sys
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import billiard_queues, executor_queues, pool_queues, pool_starts, stack_signal
from .window import Window

#: Under which a child's process object carries what it needs, from the parent's start() on.
KEY = "unhang"

# Kept for ever: a mapping must not end while a queue still writes into it.
_windows: List[Window] = []

#: By the module that a worker's target is in: the target, whose queues it has, and who observes them.
_KINDS: Dict[str, Tuple[str, str, Callable[..., bool]]] = {
    "multiprocessing.pool": ("worker", "multiprocessing.queues", pool_queues.observe),
    "concurrent.futures.process": ("_process_worker", "multiprocessing.queues", executor_queues.observe),
    "loky.process_executor": ("_process_worker", "multiprocessing.queues", executor_queues.observe),
    "joblib.externals.loky.process_executor": ("_process_worker", "multiprocessing.queues", executor_queues.observe),
    "billiard.pool": ("Worker", "billiard.queues", billiard_queues.observe),
}


def observe(process: Any) -> None:
    """In the child, before the program's own code; raises when the child cannot be observed."""
    given: Optional[Dict[str, Any]] = process._config.pop(KEY, None)
    if given is None:
        return
    window = Window(given["recorder"], given["slot"], given["generation"])
    _windows.append(window)
    window.note_stack_signal(stack_signal.register(given["session"], given["stackSignal"]))
    kind = _kind(getattr(process, "_target", None))
    noted = False
    if kind is not None:
        library, queues, observe_queues = kind
        noted = observe_queues(window, process, sys.modules[library], sys.modules[queues], given["arguments"])
    if given["pool"] and not noted:
        window.note_untold()


def tasks_queue(process: Any) -> Any:
    """Of a process that is a pool's worker, the queue that it takes tasks from; else None."""
    target, args = getattr(process, "_target", None), getattr(process, "_args", ())
    kind = _kind(target)
    if kind is None:
        # Perhaps with a target of the user's own.
        return pool_starts.queue_of(process)
    return target.inq if kind[0] == "billiard.pool" else args[0] if args else None


def _kind(target: Any) -> Optional[Tuple[str, str, Callable[..., bool]]]:
    if target is None:
        return None
    for library, (name, queues, observe_queues) in _KINDS.items():
        entry = getattr(sys.modules.get(library), name, None)
        if entry is not None and (target is entry or isinstance(entry, type) and isinstance(target, entry)):
            return library, queues, observe_queues
    return None
