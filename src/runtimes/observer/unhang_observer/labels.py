"""Names of functions and short labels of tasks: `run(7)`, `run × 4 (items 8–11)`.

Nothing of the user's is run for them: of objects that are not Python's own, only the class is shown.
"""

from __future__ import annotations

import functools
import types
from typing import Any, List, Optional, Sequence, Tuple

from .layout import LABEL_BYTES

#: Of a text or a sequence, so much is shown.
_CHARACTERS = 40
_ELEMENTS = 6
_DEPTH = 3
# Digits of a larger number are slow to find.
_BITS = 200

_MAP = ("multiprocessing.pool.mapstar", "billiard.pool.mapstar")
_STARMAP = ("multiprocessing.pool.starmapstar", "billiard.pool.starmapstar")
_CHUNK = (
    "concurrent.futures.process._process_chunk",
    "loky.process_executor._process_chunk",
    "joblib.externals.loky.process_executor._process_chunk",
)


# What an array of numpy's is pickled into, and a large one by joblib.
_ARRAYS = (
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("joblib._memmapping_reducer", "_strided_from_memmap"),
    ("joblib.numpy_pickle", "load_temporary_memmap"),
    ("joblib._memmapping_reducer", "make_memmap"),
    ("joblib.backports", "make_memmap"),
)


class Stub:
    """Stands for an object of the program that was not brought to life; see stubs.py."""

    unhang_module = ""
    unhang_name = ""
    unhang_args: Tuple[Any, ...] = ()


class Task:
    """What a worker was told to do: `function`, `label`, and how many `items` it stands for."""

    __slots__ = ("function", "label", "first", "items")

    def __init__(self, function: str, label: str, first: Optional[int], items: int) -> None:
        self.function = function
        self.label = label
        self.first = first
        self.items = items


def task(
    function: Any, args: Sequence[Any], kwds: Any, index: int, chunk_size: Optional[int], arguments: bool
) -> Task:
    """Of a pool's `(job, index, function, args, kwds)`. `chunk_size` None = as long as this chunk."""
    batch = _joblib_batch(function)
    if batch is not None:
        return _batch(batch, arguments)
    path = _path(function)
    if path in _MAP or path in _STARMAP:
        inner, items = args[0]
        first = index * (chunk_size or len(items))
        return _chunk(inner, [tuple(item) if path in _STARMAP else (item,) for item in items], first, arguments)
    chunk = _chunk_of(function)
    if chunk is not None and len(args) == 1:
        return _chunk(chunk, [tuple(item) for item in args[0]], None, arguments)
    name = name_of(function)
    return Task(name, call(name, [*_bound(function), *args], kwds, arguments), index, 1)


def _joblib_batch(function: Any, depth: int = 0) -> Optional[List[Any]]:
    """What joblib has wrapped: `(function, args, kwds)` of each call; None where it is not joblib's."""
    kind = type(function)
    stub = isinstance(function, Stub)
    module, name = (function.unhang_module, function.unhang_name) if stub else (kind.__module__, class_name(kind))
    if depth > 5 or not module.startswith(("joblib.", "loky.")):
        return None
    parts = getattr(function, "unhang_state" if stub else "__dict__", None)
    if name == "BatchedCalls":
        items = function.unhang_args[0] if stub and function.unhang_args else (parts or {}).get("items")
        return items if type(items) is list and all(type(item) is tuple and len(item) == 3 for item in items) else None
    if not isinstance(parts, dict):
        return None
    return _joblib_batch(parts.get("func", parts.get("_obj")), depth + 1)


def _batch(calls: List[Any], arguments: bool) -> Task:
    if len(calls) == 1:
        function, args, kwds = calls[0]
        name = name_of(function)
        return Task(name, call(name, args, kwds, arguments), None, 1)
    name = name_of(calls[0][0]) if calls else "?"
    return Task(name, bounded("%s × %d" % (name, len(calls))), None, len(calls))


def is_map(function: Any) -> bool:
    """Whether it is what a pool wraps the function of a map() or starmap() into."""
    return _path(function) in _MAP or is_starmap(function)


def is_starmap(function: Any) -> bool:
    return _path(function) in _STARMAP


def is_chunk(function: Any) -> bool:
    """Whether it is what an executor wraps the function of a map() into."""
    return _chunk_of(function) is not None


def _chunk_of(function: Any) -> Any:
    """Of an executor's `partial(_process_chunk, function)` the function."""
    parts = _partial(function)
    if parts is not None and _path(parts[0]) in _CHUNK and len(parts[1]) == 1:
        return parts[1][0]
    return None


def _chunk(function: Any, calls: List[Tuple[Any, ...]], first: Optional[int], arguments: bool) -> Task:
    name = name_of(function)
    if len(calls) == 1:
        return Task(name, call(name, [*_bound(function), *calls[0]], {}, arguments), first, 1)
    label = "%s × %d" % (name, len(calls))
    if first is not None:
        label += " (items %d–%d)" % (first, first + len(calls) - 1)
    return Task(name, bounded(label), first, len(calls))


def call(name: str, args: Sequence[Any], kwds: Any, arguments: bool) -> str:
    """`run(7, key='x')`, at most LABEL_BYTES of UTF-8; `run(…)` when arguments are not to be shown."""
    if not arguments:
        return bounded("%s(…)" % name)
    shown = [render(value) for value in args[: _ELEMENTS + 1]]
    if isinstance(kwds, dict):
        shown += ["%s=%s" % (key, render(value)) for key, value in list(kwds.items())[: _ELEMENTS + 1]]
    return bounded("%s(%s)" % (name, ", ".join(shown)))


def bounded(text: str) -> str:
    """At most LABEL_BYTES of UTF-8; what is cut ends in `…`, and in `…)` where it was a call."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= LABEL_BYTES:
        return encoded.decode("utf-8")
    end = "…)" if text.endswith(")") else "…"
    return encoded[: LABEL_BYTES - len(end.encode("utf-8"))].decode("utf-8", "ignore") + end


def name_of(function: Any, depth: int = 0) -> str:
    """`run`, `Model.fit`; of a partial its function's; of an object that can be called `<ClassName>`."""
    parts = _partial(function)
    if parts is not None and depth < 10:
        return name_of(parts[0], depth + 1)
    kind = type(function)
    if isinstance(function, type):
        if issubclass(function, Stub):
            return _short(function.unhang_name)
        return _short(class_name(function))
    if kind in (types.FunctionType, types.BuiltinFunctionType):
        return _short(function.__qualname__)
    if kind is types.MethodType:
        return name_of(function.__func__, depth + 1)
    if isinstance(function, Stub):
        args = function.unhang_args
        # A bound method is pickled as getattr(object, name).
        if function.unhang_name == "getattr" and len(args) == 2 and isinstance(args[1], str):
            owner = name_of(args[0]) if isinstance(args[0], type) else _class_of(args[0])
            return "%s.%s" % (owner, args[1])
    return "<%s>" % _class_of(function)


def class_name(cls: type) -> str:
    """Its qualified name, whatever its metaclass would say."""
    return type.__dict__["__qualname__"].__get__(cls)


def render(value: Any, depth: int = 0) -> str:
    """A short repr() of what is Python's own; `<ClassName>` of all else."""
    kind = type(value)
    if value is None or value is ... or kind in (bool, float, complex):
        return repr(value)
    if kind is int:
        return repr(value) if value.bit_length() <= _BITS else "<int of %d bits>" % value.bit_length()
    if kind is str or kind is bytes:
        return repr(value) if len(value) <= _CHARACTERS else repr(value[:_CHARACTERS]) + "…"
    if kind in (tuple, list, set, frozenset, dict):
        return _render_many(kind, value, depth)
    if kind is range or kind is slice:
        bounds = [render(bound, depth + 1) for bound in (value.start, value.stop, value.step)]
        return "%s(%s, %s, %s)" % (kind.__name__, *bounds)
    if isinstance(value, type) or kind in (types.FunctionType, types.BuiltinFunctionType, types.MethodType):
        return name_of(value)
    return "<%s>" % _class_of(value)


def _render_many(kind: type, value: Any, depth: int) -> str:
    open_, close = {tuple: "()", list: "[]", dict: "{}", set: "{}", frozenset: "{}"}[kind]
    if not value:
        return {set: "set()", frozenset: "frozenset()"}.get(kind, open_ + close)
    if depth >= _DEPTH:
        return open_ + "…" + close
    shown = []
    for element in value:
        if len(shown) == _ELEMENTS:
            shown.append("…")
            break
        text = render(element, depth + 1)
        shown.append("%s: %s" % (text, render(value[element], depth + 1)) if kind is dict else text)
    inside = ", ".join(shown)
    return open_ + inside + ("," if kind is tuple and len(value) == 1 else "") + close


def _class_of(value: Any) -> str:
    if isinstance(value, Stub):
        # numpy's _reconstruct(ndarray, …), copyreg's _reconstructor(Class, …): the class says more.
        first = value.unhang_args[0] if value.unhang_args else None
        if (value.unhang_module, value.unhang_name) in _ARRAYS:
            return "ndarray"
        if value.unhang_name.startswith("_") and isinstance(first, type) and issubclass(first, Stub):
            return _short(first.unhang_name)
        return _short(value.unhang_name)
    return _short(class_name(type(value)))


def _path(function: Any) -> str:
    if isinstance(function, type) and issubclass(function, Stub):
        return "%s.%s" % (function.unhang_module, function.unhang_name)
    if type(function) is types.FunctionType:
        return "%s.%s" % (function.__module__, function.__qualname__)
    return ""


def _partial(function: Any) -> Optional[Tuple[Any, Tuple[Any, ...]]]:
    """The function of a partial, and its arguments."""
    if type(function) is functools.partial:
        return function.func, function.args
    if not isinstance(function, Stub):
        return None
    if function.unhang_name == "_rebuild_partial" and len(function.unhang_args) == 2:
        # As multiprocessing.reduction pickles them.
        bound = function.unhang_args[1]
        return function.unhang_args[0], bound if isinstance(bound, tuple) else ()
    if (function.unhang_module, function.unhang_name) == ("functools", "partial"):
        state = getattr(function, "unhang_state", None)
        args = state[1] if isinstance(state, tuple) and len(state) > 1 and isinstance(state[1], tuple) else ()
        return (function.unhang_args[0] if function.unhang_args else None), args
    return None


def _bound(function: Any) -> Tuple[Any, ...]:
    """The arguments that a partial has already."""
    parts = _partial(function)
    return () if parts is None else parts[1]


def _short(qualified: str) -> str:
    """`main.<locals>.run` is `run` to whoever wrote it."""
    return qualified.rpartition("<locals>.")[2]
