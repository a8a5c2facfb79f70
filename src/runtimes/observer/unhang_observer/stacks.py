"""The stacks of this process, from inside."""

from __future__ import annotations

import sys
import threading
from typing import Any, Dict, List

from . import places

# Of a recursion, so many frames tell enough.
_MOST_FRAMES = 200
_MOST_FILES = 200
_LONGEST_FILE = 4 * 1024 * 1024

_lines: Dict[str, List[str]] = {}


def stacks(own_thread: int) -> Dict[str, Any]:
    """All threads but ours."""
    known = {thread.ident: thread for thread in list(threading._active.values())}  # type: ignore[attr-defined]
    told = []
    for ident, frame in sys._current_frames().items():
        if ident == own_thread:
            continue
        thread = known.get(ident)
        told.append(
            {
                "id": ident if thread is None else thread.native_id or ident,
                "name": "Thread-%d" % ident if thread is None else thread.name,
                "daemon": thread is None or bool(thread.daemon),
                "frames": _frames(frame),
            }
        )
    told.sort(key=lambda thread: thread["name"] != "MainThread")
    return {"threads": told}


def threads() -> List[Dict[str, Any]]:
    """Those that the program itself knows."""
    return [
        {"id": thread.native_id or thread.ident or 0, "name": thread.name, "daemon": bool(thread.daemon)}
        for thread in list(threading._active.values())  # type: ignore[attr-defined]
    ]


def _frames(frame: Any) -> List[Dict[str, Any]]:
    told = []
    while frame is not None and len(told) < _MOST_FRAMES:
        code, line = frame.f_code, frame.f_lineno or 0
        told.append(
            {
                "file": places.absolute(code.co_filename),
                "line": line,
                "function": code.co_name,
                "code": _line(code.co_filename, line),
            }
        )
        frame = frame.f_back
    return told


def _line(filename: str, number: int) -> str:
    lines = _lines.get(filename)
    if lines is None:
        if len(_lines) >= _MOST_FILES:
            _lines.clear()
        lines = _lines[filename] = _read(filename)
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _read(filename: str) -> List[str]:
    """What a program has put into linecache (a notebook's cell) is no file."""
    cached = getattr(sys.modules.get("linecache"), "cache", {}).get(filename)
    if isinstance(cached, tuple) and len(cached) == 4:
        return list(cached[2])
    if filename.startswith("<"):
        return []
    try:
        with open(filename, encoding="utf-8", errors="replace") as file:
            return file.read(_LONGEST_FILE).splitlines()
    except (OSError, ValueError):
        return []
