"""What a worker left in the pipe of tasks when it was killed with the lock of that pipe.

A task in the pipe is its length (four bytes, of a large one more) and its pickle. Who is killed in the
moment when a task comes may have read the length and not the pickle: whoever reads next would take
the pickle's first bytes for a length. Only the holder of the lock reads the pipe, and the holder is
dead, so that it can be looked into, and put right, from here.
"""

from __future__ import annotations

import os
import pickletools
import struct
from typing import Any, Optional

from . import snapshot

# Of the pipe, so much is looked at: as much as it holds by default.
_PEEKED_BYTES = 65536
# Pickles have begun with this since protocol 2; multiprocessing takes the newest that its Python knows.
_PROTOCOL = 0x80
_LARGE = struct.pack("!i", -1)
_NONBLOCK = 2


class Torn(Exception):
    """Tasks in the pipe cannot be told apart any more."""


def cut_off(queue: Any) -> Optional[bytes]:
    """Takes the pickle of the task whose length was read already out of the pipe; None when no task is cut.

    Raises Torn.
    """
    if not snapshot.unread(queue):
        return None
    fd = queue._reader.fileno()
    peeked = _peek(fd)
    if peeked is None or _begins_a_message(peeked):
        return None
    if len(peeked) < 2 or peeked[0] != _PROTOCOL:
        raise Torn("the worker was cut off in the middle of a task that it was reading")
    try:
        for _, _, position in pickletools.genops(peeked):
            end = position + 1
    except Exception:
        raise Torn("the worker was cut off while it read a large task") from None
    raw = b""
    while len(raw) < end:
        raw += os.read(fd, end - len(raw))
    return raw


def _begins_a_message(peeked: bytes) -> bool:
    if peeked[:4] == _LARGE[: len(peeked)]:
        return True
    if len(peeked) < 6:
        # Its writer is about to go on; no pickle of a task is so short.
        return peeked[0] != _PROTOCOL
    (length,) = struct.unpack_from("!i", peeked)
    return length > 0 and peeked[4] == _PROTOCOL


def _peek(fd: int) -> Optional[bytes]:
    """What is in the pipe, which stays there; None where the system has no way to look."""
    try:
        # Not above: a large module, that only a rescue needs.
        import ctypes

        tee = ctypes.CDLL(None, use_errno=True).tee
    except (ImportError, OSError, AttributeError):
        return None
    tee.restype = ctypes.c_ssize_t
    tee.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_size_t, ctypes.c_uint)
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        count = tee(fd, writer, _PEEKED_BYTES, _NONBLOCK)
        return os.read(reader, count) if count > 0 else None
    finally:
        os.close(reader)
        os.close(writer)
