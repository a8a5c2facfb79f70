"""The pools of this process, as the observer knows them: without keeping one alive."""

from __future__ import annotations

import os
import time
import weakref
from typing import Any, Callable, Dict, Optional, Tuple

from . import labels

# What is known of a pool's calls is thrown away when they have ended, and looked through at this many.
_MOST_JOBS = 1000


class Call:
    """One map(), imap() … of a program."""

    __slots__ = ("call", "function", "chunk_size", "total")

    def __init__(self, call: str, function: str, chunk_size: Optional[int], total: Optional[int]) -> None:
        self.call = call
        self.function = function
        self.chunk_size = chunk_size
        self.total = total


def _quietly(gone: Callable[[], None]) -> Callable[[Any], None]:
    """A pool may also go when the interpreter does, and with it what we need."""

    def told(_: Any) -> None:
        try:
            gone()
        except Exception:
            pass

    return told


class Pool:
    """Raises TypeError when the pool cannot be referred to weakly."""

    def __init__(self, key: int, library: str, pool: Any, place: Tuple[str, int], gone: Callable[[], None]) -> None:
        self.key = key
        self.library = library
        self.file, self.line = place
        self.name = "%s:%d" % (os.path.basename(self.file), self.line)
        self.made_at = time.time()
        self.calls: Dict[int, Call] = {}
        self._pool = weakref.ref(pool, _quietly(gone))
        #: What is said of it once it is gone.
        self.start_method: Optional[str] = None
        self.processes = 0

    def get(self) -> Any:
        """The program's own object, None when it is gone. Not to be kept."""
        return self._pool()

    def call_made(self, job: int, function: Any, iterable: Any) -> None:
        """From what a pool hands to `_guarded_task_generation`."""
        pool = self.get()
        cache = getattr(pool, "_cache", {})
        if len(self.calls) >= _MOST_JOBS:
            self.calls = {known: call for known, call in list(self.calls.items()) if known in cache}
        result = cache.get(job)
        call = "starmap" if labels.is_starmap(function) else "map"
        chunk_size: Optional[int] = 1
        if labels.is_map(function):
            # Not begun: its arguments are its locals.
            batches = iterable.gi_frame.f_locals
            function, chunk_size = batches["func"], batches["size"]
        values = getattr(result, "_value", None)
        if isinstance(values, list):
            total: Optional[int] = len(values)
        else:
            call, total = ("imap_unordered" if "Unordered" in type(result).__name__ else "imap"), None
        self.calls[job] = Call(call, labels.name_of(function), chunk_size, total)
