"""What the host may ask for."""

from __future__ import annotations

from typing import Any, Dict

from . import rescue, snapshot, stacks


def call(parent: Any, request: Dict[str, Any]) -> Any:
    """The result; raises what becomes an `error`. Parameters stand beside `method`, or in `params`."""
    method = request.get("method")
    parameters = request.get("params")
    if not isinstance(parameters, dict):
        parameters = request
    if method == "snapshot":
        return snapshot.snapshot(parent)
    if method == "stacks":
        return stacks.stacks(parent.control.thread_ident)
    if method == "fail":
        return rescue.fail(parent, parameters)
    if method == "retry":
        return rescue.retry(parent, parameters)
    if method == "release":
        return rescue.release(parent, parameters)
    raise ValueError("there is no method %r" % (method,))
