"""What a task prints: pipes to the pool, which shows it as it comes."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def prepare() -> None:
    """Make stdout and stderr behave as on a terminal: written at the end of each line.

    So a task that hangs has shown what it printed. Done here and not by PYTHONUNBUFFERED, which
    the programs that a task starts would inherit.
    """
    streams: Any = (sys.stdout, sys.stderr)
    for stream in streams:
        if stream is None:
            continue
        changes: Any = {"line_buffering": True}
        if "PYTHONIOENCODING" not in os.environ:
            # The encoding that the pool reads; a locale of another encoding (or Windows) would
            # change the text.
            changes["encoding"] = "utf-8"
        stream.reconfigure(**changes)
    _name_crashes()


def _name_crashes() -> None:
    """Let Python print the line of a segmentation fault, which still ends the worker."""
    import faulthandler

    if not faulthandler.is_enabled() and sys.stderr is not None:
        faulthandler.enable(all_threads=False)


def flush() -> None:
    """Write out what was printed, so that the pool has it before the task's answer.

    What fails is the program's own affair: it may have closed file descriptor 1, or put anything
    in the place of sys.stdout.
    """
    stdout = sys.stdout
    stderr = sys.stderr
    try:
        stdout.flush()
        stderr.flush()
        if stdout is sys.__stdout__ and stderr is sys.__stderr__:
            return
    except Exception:
        pass
    streams: Any = (stdout, stderr, sys.__stdout__, sys.__stderr__)
    for stream in streams:
        try:
            stream.flush()
        except Exception:
            pass


def forget_unwritable() -> None:
    """Before the end: a stdout that cannot be written would make an orderly exit one with 120."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except Exception:
            setattr(sys, name, None)
