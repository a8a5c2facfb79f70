"""No pool replaces its workers any more: asked for right before the whole program is ended."""

from __future__ import annotations

import sys
from typing import Any, Dict


def stop(parent: Any) -> Dict[str, Any]:
    """As the first step of Pool.terminate(), which is what keeps a pool from refilling. Executors never refill."""
    stopped = []
    for known in parent.pools:
        pool = known.get()
        handler = getattr(pool, "_worker_handler", None)
        module = sys.modules.get(type(handler).__module__ if known.library == "billiard" else "multiprocessing.pool")
        if handler is None or module is None:
            continue
        handler._state = module.TERMINATE
        stopped.append(known.name)
    return {"done": bool(stopped), "why": ", ".join(stopped)}
