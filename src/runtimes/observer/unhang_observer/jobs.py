"""The calls of a pool that have not ended: how much of each is left."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from . import labels
from .pools import Call, Pool

# So many are told of; a program can have a hundred thousand apply_async() under way.
MOST_JOBS = 100


def jobs(known: Pool, pool: Any, functions: Dict[int, str]) -> List[Dict[str, Any]]:
    """`functions` are those of the jobs that workers have in hand."""
    if known.library in ("concurrent.futures", "loky"):
        return _futures(pool)
    told = []
    for job, result in first_of(vars(pool).get("_cache") or {}):
        call = known.calls.get(job)
        total, left = counts(result, call)
        name = call.call if call is not None else _call_of(result)
        function = call.function if call is not None else functions.get(job, "")
        chunk_size = call.chunk_size if call is not None else getattr(result, "_chunksize", 1)
        told.append(
            {"job": job, "call": name, "function": function, "total": total, "left": left, "chunkSize": chunk_size or 1}
        )
    return told


def first_of(cache: Any) -> "List[Tuple[Any, Any]]":
    """The first items of a dict that other threads change."""
    for _ in range(10):
        try:
            chosen = []
            for item in cache.items():
                chosen.append(item)
                if len(chosen) == MOST_JOBS:
                    break
            return chosen
        except RuntimeError:
            # It changed size; once more.
            continue
    return []


def counts(result: Any, call: Optional[Call]) -> Tuple[Optional[int], Optional[int]]:
    """Items in all, and those whose result has not come; None while a program is not done naming them."""
    if hasattr(result, "_number_left"):
        chunk_size = result._chunksize
        values = result._value
        total = len(values) if isinstance(values, list) else call.total if call is not None else None
        left = result._number_left * chunk_size
        if total is None:
            return left, left
        rest = total % chunk_size
        if rest and left and _is_missing(values, total - rest):
            # The last chunk is shorter.
            left -= chunk_size - rest
        return total, min(left, total)
    if hasattr(result, "_unsorted"):
        chunk_size = call.chunk_size or 1 if call is not None else 1
        if result._length is None:
            return None, None
        total = result._length * chunk_size
        return total, (result._length - _arrived(result)) * chunk_size
    return 1, 1


def is_awaited(result: Any, index: int) -> bool:
    """Whether a call still waits for that chunk. Where results are None, it cannot be told from one that has come."""
    if hasattr(result, "_number_left"):
        values = result._value
        at = index * result._chunksize
        if not isinstance(values, list) or not result._success:
            # A task has failed: which of the others have come is not kept.
            return bool(result._number_left > 0)
        return 0 <= at < len(values) and _is_missing(values, at)
    if hasattr(result, "_unsorted"):
        if "Unordered" in type(result).__name__:
            return result._length is None or _arrived(result) < result._length
        return bool(index >= result._index) and index not in result._unsorted
    return not result._event.is_set()


def _arrived(result: Any) -> int:
    return int(result._index) + len(result._unsorted)


def _is_missing(values: Any, at: int) -> bool:
    return not isinstance(values, list) or values[at] is None


def chunks_left(result: Any) -> Optional[int]:
    """How many tasks a call still waits for; None when it is not known."""
    if hasattr(result, "_number_left"):
        return int(result._number_left)
    if hasattr(result, "_unsorted"):
        return None if result._length is None else max(0, result._length - _arrived(result))
    return 1


def _call_of(result: Any) -> str:
    name = type(result).__name__
    if name == "IMapUnorderedIterator":
        return "imap_unordered"
    if name == "IMapIterator":
        return "imap"
    if is_joblibs(result):
        return "Parallel"
    return "map" if name == "MapResult" else "apply"


def is_joblibs(result: Any) -> bool:
    """Whether it was handed in by a joblib.Parallel."""
    return type(getattr(result, "_callback", None)).__module__ == "joblib.parallel"


def _futures(executor: Any) -> List[Dict[str, Any]]:
    told = []
    for job, item in first_of(vars(executor).get("_pending_work_items") or {}):
        task = labels.task(item.fn, item.args, item.kwargs, 0, None, False)
        call = "map" if labels.is_chunk(item.fn) else "submit"
        told.append(
            {
                "job": job,
                "call": call,
                "function": task.function,
                "total": task.items,
                "left": task.items,
                "chunkSize": task.items,
            }
        )
    return told
