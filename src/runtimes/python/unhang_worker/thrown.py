"""What a task raised, in the form that every worker uses (src/runtimes/node/thrown.ts)."""

from __future__ import annotations

import os

from .values import encode, is_encodable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Dict, Optional

# Chains of causes are short in practice; a circular one must not hang a worker.
_MOST_CAUSES = 8
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def pack(error: BaseException) -> bytes:
    """The error as the payload of `threw`, `loadFailed` and `uncaught`.

    Never raises, whatever the error is.
    """
    try:
        return encode(_describe(error, 0))
    except Exception:
        # Out of memory, or a class whose every access fails.
        name = type(error).__name__
        message = "the task raised a %s that cannot be read" % name
        return encode(
            {"kind": "error", "name": name, "message": message, "stack": message, "properties": {}}
        )


def _describe(error: BaseException, depth: int) -> Dict[str, Any]:
    thrown: Dict[str, Any] = {
        "kind": "error",
        "name": type(error).__name__,
        "message": _message(error),
        "stack": _stack(error),
        "properties": _properties_of(error),
    }
    cause = error.__cause__
    if cause is not None and depth < _MOST_CAUSES:
        thrown["cause"] = _describe(cause, depth + 1)
    # An ExceptionGroup (Python 3.11).
    errors = getattr(error, "exceptions", None)
    if (
        isinstance(errors, tuple)
        and depth < _MOST_CAUSES
        and all(isinstance(inner, BaseException) for inner in errors)
    ):
        thrown["errors"] = [_describe(inner, depth + 1) for inner in errors]
    return thrown


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:
        return "(its __str__ raised %s)" % type(failure).__name__


def _stack(error: BaseException) -> str:
    # Imported late: a worker whose tasks do not fail never needs it.
    from traceback import format_exception

    try:
        lines = format_exception(type(error), error, _users_part(error.__traceback__))
        return "".join(lines).rstrip("\n")
    except Exception:
        return "%s: %s" % (type(error).__name__, _message(error))


def _users_part(traceback: Optional[TracebackType]) -> Optional[TracebackType]:
    """The stack without its outer frames: this worker's, and those of importlib and asyncio."""
    first = traceback
    while first is not None and _leads_to_user(first.tb_frame.f_code.co_filename):
        first = first.tb_next
    return first


def _leads_to_user(filename: str) -> bool:
    if filename.startswith(_HERE) or filename.startswith("<frozen importlib"):
        return True
    parts = filename.replace("\\", "/").split("/")[-2:]
    return parts == ["importlib", "__init__.py"] or (
        parts[0] == "asyncio" and parts[-1] in ("runners.py", "base_events.py")
    )


def _properties_of(error: BaseException) -> Dict[str, Any]:
    try:
        return _properties(error)
    except Exception:
        # A class whose attributes cannot be read.
        return {"module": type(error).__module__}


def _properties(error: BaseException) -> Dict[str, Any]:
    properties: Dict[str, Any] = {}
    for name, value in list(getattr(error, "__dict__", {}).items()):
        if isinstance(name, str) and is_encodable(value):
            properties[name] = value
    if isinstance(error, OSError):
        # Its own fields, which are not in a __dict__.
        for name in ("errno", "strerror", "filename"):
            value = getattr(error, name, None)
            if value is not None and is_encodable(value):
                properties[name] = value
    properties["args"] = [value for value in error.args if is_encodable(value)]
    properties["module"] = type(error).__module__
    return properties
