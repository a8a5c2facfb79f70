"""What /proc says of a process."""

from __future__ import annotations

import os
from typing import List, Optional


def _fields(pid: object) -> List[bytes]:
    """Of /proc/PID/stat, from field 3 on; empty when there is no such process."""
    try:
        fd = os.open("/proc/%s/stat" % pid, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        return os.read(fd, 4096).rpartition(b")")[2].split()
    except OSError:
        return []
    finally:
        os.close(fd)


def start_ticks(pid: object) -> int:
    """Field 22, which with the pid identifies a process; 0 when it is gone."""
    fields = _fields(pid)
    return int(fields[19]) if len(fields) > 19 else 0


def threads() -> int:
    """How many threads this process has, C's own included; 0 when unknown."""
    fields = _fields("self")
    return int(fields[17]) if len(fields) > 17 else 0


def is_gone(pid: int, ticks: int) -> bool:
    """Whether that very process has ended (a zombie has)."""
    fields = _fields(pid)
    if len(fields) <= 19:
        return True
    if ticks and int(fields[19]) != ticks:
        return True
    return fields[0] in (b"Z", b"X")


def thread_ids() -> List[int]:
    """Native ids of the threads of this process."""
    try:
        return [int(name) for name in os.listdir("/proc/self/task")]
    except OSError:
        return []


def cpu_seconds(thread: int) -> Optional[float]:
    """What a thread of this process has used, by its native id; None when it is gone."""
    fields = _fields("self/task/%d" % thread)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if len(fields) > 12 else None


def unread_bytes(fd: int) -> Optional[int]:
    """Bytes that wait in a pipe; None when it is closed."""
    import array
    import fcntl
    import termios

    buffer = array.array("i", [0])
    try:
        fcntl.ioctl(fd, termios.FIONREAD, buffer)
    except OSError:
        return None
    return buffer[0]
