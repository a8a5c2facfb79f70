"""A worker's view of its own slot: two mappings into the recorder's file."""

from __future__ import annotations

import mmap
import os
from typing import Tuple

from . import layout, processes
from .recorder import RESERVED_RAW_BYTES


class Window:
    """Raises OSError or ValueError when the recorder is not there, or the slot is not ours any more."""

    def __init__(self, path: str, slot: int, generation: int) -> None:
        self._path = path
        self._slot = slot
        self._reserved = RESERVED_RAW_BYTES
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self.header, self.header_at = _map(fd, layout.header_at(slot), layout.HEADER_BYTES)
            self.raw, self.raw_at = _map(fd, layout.raw_at(slot), layout.RAW_BYTES)
        finally:
            os.close(fd)
        if layout.GIVEN.unpack_from(self.header, self.header_at)[0] != generation:
            raise ValueError("the slot was given to another process")
        layout.TICKS.pack_into(self.header, self.header_at + layout.TICKS_AT, processes.start_ticks("self"))

    def note_stack_signal(self, number: int) -> None:
        layout.STACK_SIGNAL.pack_into(self.header, self.header_at + layout.STACK_SIGNAL_AT, number)

    def note_label(self, text: str) -> None:
        """An empty one says: ask the parent."""
        encoded = text.encode("utf-8", "replace")[: layout.LABEL_BYTES]
        at = self.header_at + layout.LABEL_AT
        self.header[at : at + layout.LABEL_BYTES] = encoded.ljust(layout.LABEL_BYTES, b"\0")
        layout.LABEL_LENGTH.pack_into(self.header, self.header_at + layout.LABEL_LENGTH_AT, len(encoded))

    def count_unpicklable(self) -> None:
        at = self.header_at + layout.UNPICKLABLE_AT
        (count,) = layout.UNPICKLABLE.unpack_from(self.header, at)
        layout.UNPICKLABLE.pack_into(self.header, at, count + 1)

    def note_untold(self) -> None:
        """Nothing will be noted of the tasks of this worker."""
        self.header[self.header_at + layout.READY_AT] = layout.UNTOLD

    def reserve(self, length: int) -> int:
        """How many bytes of a task can be kept, after there was made room for so many; 0 for one that is too large."""
        if length > layout.RAW_BYTES:
            return 0
        if length > self._reserved:
            self._reserved = max(self._reserved, self.reserve_raw(length))
        return self._reserved

    def reserve_raw(self, length: int) -> int:
        """Have room on the disk for so many bytes; how many there are, 0 when the disk is full.

        Written through a mapping, a page that there is no room for would end the worker.
        """
        length = min(layout.RAW_BYTES, -(-length // 65536) * 65536)
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            try:
                os.posix_fallocate(fd, layout.raw_at(self._slot), length)
            finally:
                os.close(fd)
        except OSError:
            return 0
        return length


def _map(fd: int, at: int, length: int) -> Tuple[mmap.mmap, int]:
    """A mapping that has `length` bytes from `at`, and where in it they begin."""
    inside = at % mmap.ALLOCATIONGRANULARITY
    return mmap.mmap(fd, inside + length, offset=at - inside), inside
