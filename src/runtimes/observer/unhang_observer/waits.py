"""Where the main thread waits for a pool: the user's line, and what it called there."""

from __future__ import annotations

import sys
import threading
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

_MOST_FILES = 200
_libraries: Dict[str, bool] = {}


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
    return _told(frame, call)


def _at_exit(outermost: Any) -> Optional[Dict[str, Any]]:
    """The end of the program, where no line is the user's: its finalizers, and the method that one of them waits in."""
    frame, method = places.main_frame(), None
    while frame is not None:
        method = method_of(frame.f_code) or method
        frame = frame.f_back
    method = method or _name(outermost.f_code)
    return None if method is None else _told(outermost, method)


def _told(frame: Any, call: str) -> Dict[str, Any]:
    code = frame.f_code
    return {
        "file": places.absolute(code.co_filename),
        "line": frame.f_lineno or 0,
        "function": code.co_name,
        "call": call,
        "process": _joined(),
        "threads": _has_threads(),
    }


def _joined() -> Optional[int]:
    """Pid of the process whose end the main thread waits for, without a time limit."""
    frame = places.main_frame()
    while frame is not None and places.is_library(frame.f_code.co_filename):
        if method_of(frame.f_code) == "Process.join":
            # Only names of the library's own function are there.
            names = frame.f_locals
            pid = getattr(getattr(names.get("self"), "_popen", None), "pid", None)
            return pid if isinstance(pid, int) and names.get("timeout") is None else None
        frame = frame.f_back
    return None


def _has_threads() -> bool:
    """Whether code of the user runs in another thread; threads of libraries have none of it on their stacks."""
    main = threading.main_thread().ident
    for ident, frame in sys._current_frames().items():
        while ident != main and frame is not None:
            if not _is_library(frame.f_code.co_filename):
                return True
            frame = frame.f_back
    return False


def _is_library(filename: str) -> bool:
    """The same files stand on the stacks at every look."""
    known = _libraries.get(filename)
    if known is None:
        if len(_libraries) >= _MOST_FILES:
            _libraries.clear()
        known = _libraries[filename] = places.is_library(filename)
    return known


def _name(code: CodeType) -> Optional[str]:
    """`Pool.map`; None of what has nothing to do with pools."""
    method = method_of(code)
    if method is None and any(code.co_filename.startswith(folder) for folder in places.pool_folders()):
        return code.co_name
    return method


def method_of(code: CodeType) -> Optional[str]:
    """`AsyncResult.get`; None of what is no method of a pool, a process, or what they wait with."""
    for module_name, class_name, shown in _CLASSES:
        cls = getattr(sys.modules.get(module_name), class_name, None)
        if cls is None:
            continue
        function = vars(cls).get(code.co_name)
        # Finalizers are class methods.
        if getattr(getattr(function, "__func__", function), "__code__", None) is code:
            return "%s.%s" % (shown, code.co_name)
    return None
