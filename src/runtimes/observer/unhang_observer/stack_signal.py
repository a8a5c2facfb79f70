"""A signal on which a process writes its stacks, from C, also while C code keeps the GIL."""

from __future__ import annotations

import os
from typing import Optional

# The process that has registered. No file object: at the end it would be warned of as unclosed.
_registered = 0
# A child by fork has our handler already, and must know that it is ours.
_ours = 0


def register(session_folder: str, wanted: Optional[int]) -> int:
    """The signal's number, 0 when there is none. A handler that is there is never replaced."""
    global _ours, _registered
    if wanted == 0:
        return 0
    pid = os.getpid()
    try:
        import faulthandler

        number = _ours or _free_signal(wanted)
        if number == 0 or pid == _registered:
            return number
        path = os.path.join(session_folder, "stack-%d" % pid)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        # Without `chain`, which would go on to the default action: death.
        faulthandler.register(number, file=fd, all_threads=True, chain=False)
    except (ImportError, AttributeError, OSError, ValueError, RuntimeError):
        return 0
    _registered, _ours = pid, number
    return number


def _free_signal(wanted: Optional[int]) -> int:
    """Python does not know of handlers that C code has set; the kernel does."""
    import signal

    taken = _handled()
    for number in [wanted] if wanted else range(signal.SIGRTMIN + 11, signal.SIGRTMAX):
        if not taken >> (number - 1) & 1 and signal.getsignal(number) == signal.SIG_DFL:
            return number
    return 0


def _handled() -> int:
    """Signals that are ignored or caught, as a mask; all of them when unknown."""
    mask = 0
    with open("/proc/self/status", "rb") as file:
        for line in file:
            if line.startswith((b"SigIgn:", b"SigCgt:")):
                mask |= int(line.split()[1], 16)
    return mask
