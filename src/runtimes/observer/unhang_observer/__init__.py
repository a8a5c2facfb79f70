"""What observes a program from inside. The contract with the host is in ../README.md.

Nothing in here raises into the program, prints, or changes its exit code.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .lost import WorkerLost

__all__ = ["WorkerLost"]


def __getattr__(name: str) -> object:
    """WorkerLost, when it is first asked for: its base is not there yet when we are imported."""
    if name == "WorkerLost":
        from . import lost

        globals()[name] = lost.WorkerLost
        return lost.WorkerLost
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
