"""What is changed in the modules that make pools, right after each was executed.

As few frames of ours as can be: tracebacks of the program stay what they are. So instead of
wrapping start(), what start() calls is hooked, and the one who called is looked up.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Dict

#: The finder of sitecustomize.py: session folder, and what must not be replaced by a program.
finder: Any = None
# `is False` wherever it is asked: at the very end of the interpreter all that is here becomes None.
_disabled = False
# Those of multiprocessing's kin that were hooked.
_popens: "list[Any]" = []
# Kept for ever: multiprocessing knows it only weakly.
_after_fork_keys: "list[_Key]" = []


class _Key:
    """Something that multiprocessing can refer to weakly."""

    def __init__(self, process: str) -> None:
        #: The module whose current_process() it is about.
        self.process = process


def install(origin: Any, name: str, module: Any) -> None:
    """Hook one module."""
    global finder
    finder = origin
    installer = _INSTALLERS.get(name)
    if installer is not None and _disabled is False:
        guard(installer, module)


def guard(function: Callable[..., Any], *args: Any) -> Any:
    """Run something of ours; where it fails, the observer is over and the program goes on."""
    if _disabled is not False:
        return None
    try:
        return function(*args)
    except Exception as error:
        disable(error)
        return None


def disable(error: BaseException) -> None:
    """Do nothing from now on, and tell the host why."""
    global _disabled
    _disabled = True
    try:
        from . import parent

        parent.fail("%s: %s%s" % (type(error).__name__, error, _where(error)))
    except Exception:
        # There is nobody left to tell.
        pass


def is_disabled() -> bool:
    return _disabled


def _where(error: BaseException) -> str:
    traceback = error.__traceback__
    if traceback is None:
        return ""
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return " (%s:%d)" % (os.path.basename(traceback.tb_frame.f_code.co_filename), traceback.tb_lineno)


def _hook_process(module: Any) -> None:
    """multiprocessing.process, and billiard's: who starts, and who was started."""
    cleanup = module._cleanup
    start = module.BaseProcess.start.__code__

    def _cleanup() -> None:
        cleanup()
        # start() calls it right before the fork.
        frame = sys._getframe(1)
        if frame.f_code is start and _disabled is False:
            guard(_parent().starting, frame.f_locals["self"])

    module._cleanup = _cleanup
    module._children = Children(module._children)


class Children(set):
    """`_children` of multiprocessing.process: start() ends by adding the process to it."""

    def add(self, process: Any) -> None:
        set.add(self, process)
        if _disabled is False:
            guard(_parent().has_started, process)


class ReturnCode:
    """`returncode` of a Popen of multiprocessing: sees the exit code the moment it is known.

    It has no __get__, so that reading is the interpreter's own: a pool whose results are not read yet asks
    its workers for nothing else, tens of thousands of times a second.
    """

    def __set__(self, popen: Any, code: Any) -> None:
        popen.__dict__["returncode"] = code
        if code is not None and _disabled is False:
            guard(_parent().has_exited, popen, code)


class AskedReturnCode(ReturnCode):
    """The same while somebody waits for the next one who asks."""

    def __get__(self, popen: Any, owner: Any = None) -> Any:
        if popen is None:
            return self
        code = popen.__dict__.get("returncode")
        if code is None and _disabled is False:
            guard(_parent().looked)
        return code


def notice_looks(wanted: bool) -> None:
    """Whether `looked()` is called when the program asks whether a process still runs."""
    returncode = AskedReturnCode() if wanted else ReturnCode()
    for popen in _popens:
        popen.returncode = returncode


def _hook_popen(module: Any) -> None:
    _popens.append(module.Popen)
    module.Popen.returncode = ReturnCode()


def _hook_util(module: Any) -> None:
    """A child runs what is registered here, before its own code."""
    key = _Key(module.__name__.rpartition(".")[0] + ".process")
    _after_fork_keys.append(key)
    module.register_after_fork(key, _in_child)


def _hook_context(module: Any) -> None:
    """Since 3.10 a spawned child does not run what is registered in util."""
    spawned = getattr(module, "SpawnProcess", None)
    own = vars(spawned).get("_after_fork") if spawned is not None else None
    if not isinstance(own, staticmethod):
        return
    after_fork = own.__func__
    key = _Key("multiprocessing.process")

    def _after_fork() -> None:
        after_fork()
        _in_child(key)

    spawned._after_fork = staticmethod(_after_fork)


def _in_child(key: _Key) -> None:
    if _disabled is False:
        guard(_observe_child, sys.modules[key.process])


def _observe_child(module: Any) -> None:
    # _bootstrap() has made a new one.
    if not isinstance(module._children, Children):
        module._children = Children(module._children)
    current = module.current_process()
    if "unhang" not in getattr(current, "_config", ()):
        return
    from . import worker

    try:
        worker.observe(current)
    except (OSError, ValueError):
        # The recorder is gone: the parent or the host has ended. The child's own pools may still be observed.
        pass


def _hook_pool(module: Any) -> None:
    """multiprocessing.pool, and billiard's."""
    library = module.__name__.partition(".")[0]
    set_up = module.Pool._setup_queues

    def _setup_queues(self: Any) -> None:
        set_up(self)
        if _disabled is False:
            guard(_parent().pool_made, library, self, sys._getframe(1))

    module.Pool._setup_queues = _setup_queues
    generate = getattr(module.Pool, "_guarded_task_generation", None)
    if generate is None:
        return

    def _guarded_task_generation(self: Any, result_job: Any, func: Any, iterable: Any) -> Any:
        if _disabled is False:
            guard(_parent().job_made, self, result_job, func, iterable)
        return generate(self, result_job, func, iterable)

    module.Pool._guarded_task_generation = _guarded_task_generation


def _hook_executor(module: Any) -> None:
    """concurrent.futures.process, and loky.process_executor."""
    library = "concurrent.futures" if module.__name__.startswith("concurrent.") else "loky"
    check = module._check_system_limits
    make = module.ProcessPoolExecutor.__init__.__code__

    def _check_system_limits() -> None:
        # The first thing that __init__() calls.
        frame = sys._getframe(1)
        if frame.f_code is make and _disabled is False:
            guard(_parent().pool_made, library, frame.f_locals["self"], frame)
        check()

    module._check_system_limits = _check_system_limits


def _parent() -> Any:
    """Imported when the first pool or Process is made."""
    from . import parent

    return parent


_INSTALLERS: Dict[str, Callable[[Any], None]] = {
    "multiprocessing.context": _hook_context,
    "multiprocessing.pool": _hook_pool,
    "multiprocessing.popen_fork": _hook_popen,
    "multiprocessing.process": _hook_process,
    "multiprocessing.util": _hook_util,
    "concurrent.futures.process": _hook_executor,
    "billiard.pool": _hook_pool,
    "billiard.popen_fork": _hook_popen,
    "billiard.process": _hook_process,
    "billiard.util": _hook_util,
    "loky.process_executor": _hook_executor,
    "loky.backend.popen_loky_posix": _hook_popen,
    "joblib.externals.loky.process_executor": _hook_executor,
    "joblib.externals.loky.backend.popen_loky_posix": _hook_popen,
}
