"""Where in the program something happens: the innermost frame that is the user's."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any, List, Optional, Tuple

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
# What is between a program and its pools.
_LIBRARIES = ("multiprocessing", "concurrent.futures", "billiard", "loky", "joblib")
_MODULES = ("threading", "queue", "selectors", "weakref", "contextlib", "asyncio")


def _folder(name: str) -> Optional[str]:
    file = getattr(sys.modules.get(name), "__file__", None)
    return os.path.dirname(file) + os.sep if file else None


def pool_folders() -> List[str]:
    """Where the libraries of pools are that this program has imported."""
    return [folder for folder in map(_folder, _LIBRARIES) if folder is not None]


def is_library(filename: str) -> bool:
    """Whether a file belongs to a library of pools, or to what those are made of."""
    if filename.startswith("<frozen ") or filename.startswith(_HERE):
        return True
    if any(filename.startswith(folder) for folder in pool_folders()):
        return True
    for name in _MODULES:
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if file is None:
            continue
        if filename == file or (hasattr(module, "__path__") and filename.startswith(os.path.dirname(file) + os.sep)):
            return True
    return False


def made_by(frame: Any) -> Tuple[str, int]:
    """File and line of the innermost frame of the user's, from `frame` outwards."""
    while frame is not None and is_library(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return (sys.argv[0] if sys.argv and sys.argv[0] else "?", 0)
    return absolute(frame.f_code.co_filename), frame.f_lineno


def absolute(filename: str) -> str:
    if filename.startswith("<"):
        return filename
    try:
        return os.path.abspath(filename)
    except OSError:
        # The current folder is gone.
        return filename


def main_frame() -> Any:
    """Innermost frame of the main thread; None at the end of the program."""
    return sys._current_frames().get(threading.main_thread().ident or 0)
