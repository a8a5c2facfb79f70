"""The channel between the pool and this worker: frames over a Unix stream socket.

A frame is `length:u32 kind:u8 number:u32 extra:u32 payload[length]`, little endian; `length`
counts the payload alone. The same numbers stand in src/runtimes/node/frames.ts.
"""

from __future__ import annotations

import os
import select
from _thread import allocate_lock
from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Set, Tuple

#: False on Windows, where pipes cannot be polled.
HAS_POLL = hasattr(select, "poll")

CHANNEL_FD = 3
LIFELINE_FD = 4
CLAIMS_FD = 5

# Pool to worker. 4 (a structured clone) is for Node workers alone.
INIT = 1
DEFINE = 2
RUN_JSON = 3
SOFT_TIMEOUT = 5
RECALL_MARK = 6
_EXPECTED = frozenset((INIT, DEFINE, RUN_JSON, SOFT_TIMEOUT, RECALL_MARK))

# Worker to pool.
READY = 16
LOAD_FAILED = 17
RETURNED_JSON = 18
THREW = 20
UNSERIALIZABLE = 21
UNCAUGHT = 22
RECALLED = 23
OVER_MEMORY = 24

# Flags of a run, above the function's id in `extra`.
KEEP_RESULT = 1 << 16
CLAIM = 2 << 16
CHUNK = 4 << 16
STAR = 8 << 16
FUNCTION_MASK = 0xFFFF

HEADER = Struct("<IBII")
_HEADER_LENGTH = HEADER.size
# Longer than any text that Node can make: another program wrote to the channel.
_MOST_PAYLOAD = 1 << 31
# Thousands of short runs at once, and small enough for malloc to keep it at hand (its mmap
# threshold is 128 KiB).
_READ_SIZE = 1 << 16
_LARGEST_READ = 1 << 24


class FrameError(Exception):
    """The channel carried something that is not a frame: something else writes to it."""

    def __init__(self, length: int, kind: int) -> None:
        super().__init__(
            "the channel carried %d bytes of kind %d, which was not expected: "
            "something else writes to file descriptor %d" % (length, kind, CHANNEL_FD)
        )


class Channel:
    """Reads and writes frames.

    Only the main thread writes, and it reads whenever it has no frame left. While it runs a task
    that takes long, the watcher reads in its place (`look_ahead`), because what comes may be meant
    for that very task.
    """

    def __init__(self, fd: int = CHANNEL_FD) -> None:
        self.fd = fd
        #: How often the main thread has fetched bytes, by which the watcher sees activity.
        self.fetches = 0
        #: True while a frame is written in pieces; no other may be written meanwhile.
        self.half_written = False
        self._data = b""
        self._at = 0
        self._ahead: List[bytes] = []
        self._ended = False
        # Its holder reads the socket and may change `_data` and `_ahead`.
        self._reading = allocate_lock()
        if HAS_POLL:
            self._readable = select.poll()
            self._readable.register(fd, select.POLLIN)
            self._hung_up = select.poll()
            # On Linux only; elsewhere POLLHUP, which is always reported, means the same.
            self._hung_up.register(fd, getattr(select, "POLLRDHUP", 0))

    def frames(self) -> Iterator[Tuple[int, int, int, bytes]]:
        """Kind, number, extra and payload of each frame, until the pool closes its side."""
        unpack = HEADER.unpack_from
        expected = _EXPECTED
        while True:
            data = self._data
            at = self._at
            size = len(data)
            needed = _HEADER_LENGTH
            while size - at >= _HEADER_LENGTH:
                length, kind, number, extra = unpack(data, at)
                if kind not in expected or length > _MOST_PAYLOAD:
                    raise FrameError(length, kind)
                start = at + _HEADER_LENGTH
                end = start + length
                if end > size:
                    needed = end - at
                    break
                self._at = end
                yield kind, number, extra, data[start:end]
                at = end
            # Not kept while waiting: it may be large.
            del data
            if not self._fetch(needed):
                return

    def _fetch(self, needed: int) -> bool:
        """Wait until at least `needed` bytes are there; False when the pool has closed its side
        before.
        """
        with self._reading:
            chunks = [self._data[self._at:], *self._ahead]
            self._data, self._at, self._ahead = b"", 0, []
            have = sum(map(len, chunks))
            while have < needed:
                chunk = (
                    b""
                    if self._ended
                    else self._read(max(_READ_SIZE, min(needed - have, _LARGEST_READ)))
                )
                if not chunk:
                    return False
                chunks.append(chunk)
                have += len(chunk)
            self._data = b"".join(chunks)
            self.fetches += 1
            return True

    def _read(self, size: int) -> bytes:
        try:
            chunk = os.read(self.fd, size)
        except ConnectionError:
            # The pool went away with answers unread.
            chunk = b""
        if not chunk:
            self._ended = True
        return chunk

    def look_ahead(self) -> Set[int]:
        """Numbers of the tasks that a soft timeout waits for among the frames not handled yet (for
        the watcher).
        """
        found: Set[int] = set()
        if not self._reading.acquire(False):
            # The main thread reads: the task is over.
            return found
        try:
            while not self._ended and self._readable.poll(0):
                chunk = self._read(_READ_SIZE)
                if chunk:
                    self._ahead.append(chunk)
            # The position of the main thread now or a moment ago, which is the start of a frame in
            # either case.
            rest = self._data[self._at:] + b"".join(self._ahead)
        finally:
            self._reading.release()
        at = 0
        while len(rest) - at >= _HEADER_LENGTH:
            length, kind, number, _ = HEADER.unpack_from(rest, at)
            if kind == SOFT_TIMEOUT:
                found.add(number)
            at += _HEADER_LENGTH + length
        return found

    @property
    def ended(self) -> bool:
        """True once the end was read."""
        return self._ended

    def hung_up(self) -> bool:
        """Whether the pool has closed its side, also while frames are left to read."""
        return self._ended or (HAS_POLL and bool(self._hung_up.poll(0)))

    def write(self, frame: bytes) -> None:
        """Write a frame, whole, before anything else happens."""
        written = os.write(self.fd, frame)
        if written != len(frame):
            self.half_written = True
            rest = memoryview(frame)[written:]
            while rest:
                rest = rest[os.write(self.fd, rest):]
            self.half_written = False


def frame_of(kind: int, number: int, extra: int, payload: bytes) -> bytes:
    """One frame, ready to be written."""
    return HEADER.pack(len(payload), kind, number, extra) + payload
