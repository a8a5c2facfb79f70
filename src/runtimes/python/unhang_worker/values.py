"""JSON for arguments and results.

As `json` does it: tuples become lists, and keys that are numbers, booleans or None become strings
(of two that become the same string, the last one wins). What would arrive changed is refused, with
its place: NaN and infinities, for which JSON has no words, and whole numbers that JavaScript's
numbers cannot hold exactly.
"""

from __future__ import annotations

import json
import json.encoder
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator, List, Optional, Set, Tuple

# Internals of json.dumps() and json.loads() that the type stubs lack.
_parts: Any = json.encoder
_decoder: Any = json.JSONDecoder()
_quote = _parts.encode_basestring_ascii
_scan = _decoder.scan_once

#: JavaScript's Number.MAX_SAFE_INTEGER.
LARGEST_INT = 2**53 - 1
# Finds an int of 16 digits or more, which may be too large. Texts and floats can match as well, so
# the value is then checked.
_long_int = re.compile(r"[\[{,:-]\d{16}").search
#: Most steps of a path that are reported; longer ones are of no use to a reader.
_MOST_STEPS = 24


class Unserializable(Exception):
    """A result that cannot be sent, or not unchanged."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__("%s: %s" % (path, detail))
        self.path = path
        self.detail = detail


def _refuse(value: Any) -> Any:
    raise TypeError("not JSON: %s" % type(value))


def _make_encoder() -> Callable[[Any, int], Any]:
    if _parts.c_make_encoder is None:  # PyPy
        encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
        return lambda value, _level: (encoder.encode(value),)
    # json.dumps() would make a new encoder for each value. ASCII output, so that every string
    # passes, even half a surrogate pair.
    made: Callable[[Any, int], Any] = _parts.c_make_encoder(
        {}, _refuse, _quote, None, ":", ",", False, False, False
    )
    return made


_encode = _make_encoder()


def decode(payload: bytes) -> Any:
    """A value that the pool sent. Raises ValueError when it is not JSON."""
    try:
        return _scan(payload.decode("utf-8"), 0)[0]
    except StopIteration:
        raise ValueError("the pool sent what is not JSON: %r" % payload[:80]) from None


def encode(value: Any) -> bytes:
    """The value as JSON. Raises Unserializable, with the place of what cannot be sent."""
    kind = type(value)
    if value is None:
        return b"null"
    if kind is int and -LARGEST_INT <= value <= LARGEST_INT:
        return b"%d" % value
    if kind is str:
        text: str = _quote(value)
        return text.encode("ascii")
    global _encode
    try:
        text = "".join(_encode(value, 0))
    except Exception as error:
        # The encoder would keep its state for finding circles.
        _encode = _make_encoder()
        raise _explain(value) or Unserializable("result", _reason(error)) from None
    if text[0] in "-123456789" or _long_int(text):
        problem = _explain(value)
        if problem is not None:
            raise problem
    return text.encode("ascii")


def is_encodable(value: Any) -> bool:
    """Whether a value can be sent unchanged."""
    try:
        encode(value)
    except Unserializable:
        return False
    return True


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "is nested too deeply for JSON. Return a flat list, or a string made of it."
    try:
        return "cannot be sent as JSON (%s: %s)." % (type(error).__name__, error)
    except Exception:
        return "cannot be sent as JSON (%s)." % type(error).__name__


def _explain(result: Any) -> Optional[Unserializable]:
    """The first place that cannot be sent, in the order of the JSON text.

    Without recursion, as what is looked at may be nested too deeply for it.
    """
    # Each level: the container, its members still to come, and the step that led to it.
    levels: List[Tuple[Any, Iterator[Tuple[str, Any]], str]] = []
    above: Set[int] = set()
    step, value = "", result
    try:
        while True:
            detail = _problem_of(value)
            if detail is None and isinstance(value, (list, tuple, dict)):
                if id(value) in above:
                    detail = "is part of itself: JSON cannot hold a circle. Return ids or names."
                else:
                    above.add(id(value))
                    levels.append((value, _members(value), step))
            if detail is not None:
                return Unserializable(_path([level[2] for level in levels] + [step]), detail)
            while levels:
                following = next(levels[-1][1], None)
                if following is not None:
                    step, value = following
                    break
                above.discard(id(levels.pop()[0]))
            else:
                return None
    except _UnsuitableKey as key:
        return Unserializable(_path([level[2] for level in levels]), str(key))
    except Exception as error:
        # A class of the program, derived from list or dict, that fails while it is inspected.
        return Unserializable(_path([level[2] for level in levels]), _reason(error))


def _path(steps: List[str]) -> str:
    if len(steps) > _MOST_STEPS:
        steps = steps[:_MOST_STEPS] + ["…"]
    return "result" + "".join(steps)


class _UnsuitableKey(Exception):
    pass


def _members(container: Any) -> Iterator[Tuple[str, Any]]:
    if not isinstance(container, dict):
        for index, value in enumerate(container):
            yield "[%d]" % index, value
        return
    for key, value in container.items():
        if not (key is None or isinstance(key, (str, int, float))):
            raise _UnsuitableKey(
                "has the key %s, a %s; keys become strings, and this one has no agreed form. "
                "Make a string of it, or return a list of pairs: list(value.items())."
                % (_shown(key), type(key).__name__)
            )
        if isinstance(key, float) and not _is_finite(key):
            raise _UnsuitableKey(
                "has the key %s, for which JSON has no words. Use a string in its place." % key
            )
        yield "[%s]" % _shown(key), value


def _is_finite(value: float) -> bool:
    return value - value == 0


def _problem_of(value: Any) -> Optional[str]:
    """What is wrong with a value, apart from what is inside of it."""
    if value is None or isinstance(value, (bool, str, list, tuple, dict)):
        return None
    if isinstance(value, int):
        if -LARGEST_INT <= value <= LARGEST_INT:
            return None
        return (
            "is a whole number beyond 2**53, and JavaScript would change its last digits. "
            "Return it as a string: str(value)."
        )
    if isinstance(value, float):
        if _is_finite(value):
            return None
        return "is %r, for which JSON has no words. Return None or a string in its place." % value
    kind = type(value)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = "%s.%s" % (kind.__module__, name)
    return "is a %s, which JSON cannot hold. Return %s." % (name, _instead(value))


def _instead(value: Any) -> str:
    """What to return in its place."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "text: base64.b64encode(value).decode('ascii'), or value.decode() if it is text"
    if isinstance(value, (set, frozenset)):
        return "a list: sorted(value) or list(value)"
    if hasattr(value, "__next__") or isinstance(value, range) or _is_view(value):
        return "a list: list(value)"
    if isinstance(value, type) or callable(value):
        return "its name: value.__name__"
    if hasattr(value, "__dataclass_fields__"):
        return "a dict: dataclasses.asdict(value)"
    if hasattr(value, "__array__") and hasattr(value, "tolist"):
        return "plain numbers: value.tolist()"
    if hasattr(value, "isoformat"):
        return "text: value.isoformat()"
    if hasattr(value, "__fspath__"):
        return "text: str(value)"
    if any(base.__name__ == "Enum" for base in type(value).__mro__):
        return "its value or name: value.value"
    if hasattr(value, "_asdict") or hasattr(value, "model_dump"):
        return "a dict made of it"
    if type(value).__name__ in ("Decimal", "Fraction", "complex", "UUID"):
        return "text: str(value)"
    return (
        "a dict, a list, a string or a number made of it: vars(value)"
        if hasattr(value, "__dict__")
        else "text: str(value)"
    )


def _is_view(value: Any) -> bool:
    """Whether it is what dict.keys(), values() or items() return, or a deque."""
    return type(value).__name__ in ("dict_keys", "dict_values", "dict_items", "deque", "array")


def _shown(key: Any) -> str:
    try:
        text = repr(key)
    except Exception:
        text = "<%s>" % type(key).__name__
    return text if len(text) <= 60 else text[:57] + "…"
