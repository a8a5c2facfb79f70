"""The error that a rescue raises in the program for a task whose worker is gone."""

from __future__ import annotations

from multiprocessing import ProcessError
from typing import Optional, Tuple


class WorkerLost(ProcessError):
    """A task's worker ended before it could answer: `task`, `worker`, `pid`, `exitcode`."""

    def __init__(self, task: str, worker: str, pid: int, exitcode: Optional[int]) -> None:
        self.task = task
        self.worker = worker
        self.pid = pid
        self.exitcode = exitcode
        super().__init__("task %s was lost: %s (pid %d) %s" % (task, worker, pid, _ended(exitcode)))

    def __reduce__(self) -> Tuple[type, Tuple[str, str, int, Optional[int]]]:
        return (type(self), (self.task, self.worker, self.pid, self.exitcode))


# As the program knows it, in tracebacks and pickles.
WorkerLost.__module__ = "unhang_observer"


def _ended(exitcode: Optional[int]) -> str:
    if exitcode is None:
        return "ended"
    if exitcode < 0:
        return "was killed by signal %d" % -exitcode
    return "exited with code %d" % exitcode
