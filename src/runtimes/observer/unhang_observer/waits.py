"""Where the main thread waits for a pool: the user's line, and what it called there."""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any, Dict, Optional

from . import places

# Module, class, and the name that the class has in programs.
_CLASSES = (
    ("multiprocessing.pool", "Pool", "Pool"),
    ("multiprocessing.pool", "ApplyResult", "AsyncResult"),
    ("multiprocessing.pool", "IMapIterator", "IMapIterator"),
    ("multiprocessing.process", "BaseProcess", "Process"),
    ("multiprocessing.queues", "JoinableQueue", "JoinableQueue"),
    ("multiprocessing.queues", "Queue", "Queue"),
    ("multiprocessing.queues", "SimpleQueue", "SimpleQueue"),
    ("multiprocessing.synchronize", "SemLock", "Lock"),
    ("multiprocessing.synchronize", "Condition", "Condition"),
    ("multiprocessing.synchronize", "Event", "Event"),
    ("multiprocessing.synchronize", "Barrier", "Barrier"),
    ("multiprocessing.connection", "_ConnectionBase", "Connection"),
    ("concurrent.futures.process", "ProcessPoolExecutor", "ProcessPoolExecutor"),
    ("concurrent.futures._base", "Future", "Future"),
    ("concurrent.futures._base", "Executor", "Executor"),
    ("billiard.pool", "Pool", "Pool"),
    ("billiard.pool", "ApplyResult", "AsyncResult"),
    ("billiard.pool", "IMapIterator", "IMapIterator"),
    ("billiard.process", "BaseProcess", "Process"),
    ("joblib.parallel", "Parallel", "Parallel"),
)


def waits_in() -> Optional[Dict[str, Any]]:
    """None when the main thread is in no call of a pool."""
    frame, called = places.main_frame(), None
    while frame is not None and places.is_library(frame.f_code.co_filename):
        called = frame
        frame = frame.f_back
    if called is None:
        return None
    if frame is None:
        return _at_exit(called)
    call = _name(called.f_code)
    if call is None:
        return None
    code = frame.f_code
    return {"file": places.absolute(code.co_filename), "line": frame.f_lineno or 0, "function": code.co_name, "call": call}


def _at_exit(outermost: Any) -> Optional[Dict[str, Any]]:
    """The program has come to its end, where no line is the user's: its finalizers, and the method that one of them waits in."""
    frame, method = places.main_frame(), None
    while frame is not None:
        method = _method(frame.f_code) or method
        frame = frame.f_back
    code = outermost.f_code
    method = method or _name(code)
    if method is None:
        return None
    return {"file": places.absolute(code.co_filename), "line": outermost.f_lineno or 0, "function": code.co_name, "call": method}


def _name(code: CodeType) -> Optional[str]:
    """`Pool.map`; None of what has nothing to do with pools."""
    method = _method(code)
    if method is None and any(code.co_filename.startswith(folder) for folder in places.pool_folders()):
        return code.co_name
    return method


def _method(code: CodeType) -> Optional[str]:
    for module_name, class_name, shown in _CLASSES:
        cls = getattr(sys.modules.get(module_name), class_name, None)
        if cls is None:
            continue
        function = vars(cls).get(code.co_name)
        # Finalizers are class methods.
        if getattr(getattr(function, "__func__", function), "__code__", None) is code:
            return "%s.%s" % (shown, code.co_name)
    return None
