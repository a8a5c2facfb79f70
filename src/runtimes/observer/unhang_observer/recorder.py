"""The flight recorder, as the parent writes it: the file, and which slot belongs to whom."""

from __future__ import annotations

import mmap
import os
import time
from typing import List, Optional, Tuple

from . import layout

# So many slots are used before those of exited workers are given away again: the host has time to look.
_KEPT = 256
# Of a raw area, so much is there from the start; larger tasks ask for more (see window.py).
RESERVED_RAW_BYTES = 16384


class Slot:
    """What the parent knows of one slot."""

    __slots__ = ("number", "generation", "pool", "pid", "ticks", "name", "exited", "exit_code", "settled")

    def __init__(self, number: int) -> None:
        self.number = number
        self.generation = 0
        self.pool = 0
        self.pid = 0
        self.ticks = 0
        self.name = ""
        self.exited = False
        self.exit_code: Optional[int] = None
        #: Counter of the task that a rescue has dealt with.
        self.settled = 0


class Recorder:
    """Raises OSError when the file cannot be made."""

    def __init__(self, path: str, pid: int, ticks: int) -> None:
        self.path = path
        # Under its own name once there is something to read in it.
        making = path + ".new"
        fd = os.open(making, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(fd, layout.FILE_BYTES)
            # Written through a mapping, a page that the disk has no room for would end the program.
            os.posix_fallocate(fd, 0, layout.HEADERS_AT + 4096)
            self._map = mmap.mmap(fd, layout.RAWS_AT)
        finally:
            os.close(fd)
        self._reserved = layout.HEADERS_AT + 4096
        self.slots: List[Slot] = []
        # Of exited workers, oldest first.
        self._free: List[Slot] = []
        layout.FILE_HEADER.pack_into(self._map, 0, layout.MAGIC, 0, layout.HEADER_BYTES, layout.RAW_BYTES, pid, ticks)
        os.rename(making, path)

    def close(self) -> None:
        """In a child, which inherited it."""
        self._map.close()

    def give(self, pool: int, name: str, threads: int) -> Optional[Slot]:
        """A slot for a process that is about to start; None when there are too many."""
        slot = self._unused()
        if slot is None:
            return None
        at = layout.header_at(slot.number)
        generation = slot.generation + 1
        # Zeroed but for the generation, which comes last.
        self._map[at + 4 : at + layout.HEADER_BYTES] = bytes(layout.HEADER_BYTES - 4)
        slot.pool, slot.name = pool, name
        slot.pid = slot.ticks = slot.settled = 0
        slot.exited, slot.exit_code = False, None
        encoded = name.encode("utf-8", "replace")[: layout.NAME_BYTES]
        encoded = encoded.decode("utf-8", "ignore").encode("utf-8")
        self._map[at + layout.NAME_AT : at + layout.NAME_AT + len(encoded)] = encoded
        slot.generation = generation
        layout.GIVEN.pack_into(self._map, at, generation, pool, 0, threads, 0, time.time())
        return slot

    def started(self, slot: Slot, pid: int, ticks: int) -> None:
        slot.pid, slot.ticks = pid, ticks
        at = layout.header_at(slot.number)
        layout.PID.pack_into(self._map, at + layout.PID_AT, pid)
        if ticks:
            layout.TICKS.pack_into(self._map, at + layout.TICKS_AT, ticks)

    def exited(self, slot: Slot, code: int) -> None:
        if slot.exited:
            return
        slot.exited, slot.exit_code = True, code
        at = layout.header_at(slot.number)
        layout.EXIT_CODE.pack_into(self._map, at + layout.EXIT_CODE_AT, max(-(2**31), min(code, 2**31 - 1)))
        layout.EXIT_TIME.pack_into(self._map, at + layout.EXIT_TIME_AT, time.time())
        layout.EXIT_SEEN.pack_into(self._map, at + layout.EXIT_SEEN_AT, 1)
        self._free.append(slot)

    def note_stack_signal(self, slot: Slot, number: int) -> None:
        layout.STACK_SIGNAL.pack_into(self._map, layout.header_at(slot.number) + layout.STACK_SIGNAL_AT, number)

    def byte(self, slot: Slot, offset: int) -> int:
        return self._map[layout.header_at(slot.number) + offset]

    def note_released(self, slot: Slot, offset: int) -> None:
        self._map[layout.header_at(slot.number) + offset] = layout.RELEASED

    def task(self, slot: Slot) -> Tuple[int, int, int, int, int, int, int, int, float, int]:
        """Counter, phase, two locks, ready, raw bytes, job, index, started at, counter."""
        return layout.TASK.unpack_from(self._map, layout.header_at(slot.number) + layout.TASK_AT)

    def label(self, slot: Slot) -> str:
        at = layout.header_at(slot.number)
        (length,) = layout.LABEL_LENGTH.unpack_from(self._map, at + layout.LABEL_LENGTH_AT)
        start = at + layout.LABEL_AT
        return self._map[start : start + min(length, layout.LABEL_BYTES)].decode("utf-8", "replace")

    def raw(self, slot: Slot, counter: int, length: int) -> Optional[bytes]:
        """The pickled task, unless it has been replaced by another meanwhile."""
        if not 0 < length <= layout.RAW_BYTES:
            return None
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            raw = os.pread(fd, length, layout.raw_at(slot.number))
        finally:
            os.close(fd)
        after = self.task(slot)
        unchanged = after[0] == counter and after[9] == counter and after[1] != layout.IDLE
        return raw if unchanged and len(raw) == length else None

    def _unused(self) -> Optional[Slot]:
        if len(self.slots) >= _KEPT:
            for position, slot in enumerate(self._free):
                if self._is_resolved(slot):
                    del self._free[position]
                    return slot
        if len(self.slots) >= layout.SLOTS:
            return None
        number = len(self.slots)
        if not self._reserve(number):
            return None
        slot = Slot(number)
        self.slots.append(slot)
        layout.SLOTS_IN_USE.pack_into(self._map, layout.SLOTS_IN_USE_AT, number + 1)
        return slot

    def _is_resolved(self, slot: Slot) -> bool:
        """Whether nothing hangs on it any more: neither a task nor a lock that it took with it."""
        task = self.task(slot)
        if layout.HELD in (task[2], task[3]):
            return False
        return task[1] == layout.IDLE or slot.settled == task[0]

    def _reserve(self, number: int) -> bool:
        """Have room on the disk for a slot's header and for small tasks."""
        end = layout.header_at(number) + layout.HEADER_BYTES
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            if end > self._reserved:
                os.posix_fallocate(fd, self._reserved, 4096)
                self._reserved += 4096
            # Slot 0 is the parent: it has no tasks.
            if number > 0:
                os.posix_fallocate(fd, layout.raw_at(number), RESERVED_RAW_BYTES)
        except OSError:
            return False
        finally:
            os.close(fd)
        return True
