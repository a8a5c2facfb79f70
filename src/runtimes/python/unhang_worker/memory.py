"""How much memory this process holds."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable


def rss_reader() -> Callable[[], int]:
    """A function that tells the resident memory, in bytes (elsewhere than on Linux, its peak)."""
    try:
        # Opened once: each reading is one system call.
        statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, AttributeError):
        return _peak
    page = os.sysconf("SC_PAGE_SIZE")

    def resident() -> int:
        return int(os.pread(statm, 128, 0).split(b" ", 2)[1]) * page

    return resident


def _peak() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
