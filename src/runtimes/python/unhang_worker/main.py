"""Takes frames in order, runs tasks in the main thread, answers each before the next."""

from __future__ import annotations

import os
import sys
from time import perf_counter_ns
from types import CoroutineType

from . import lifeline, output, thrown, watcher, wire
from .functions import Functions, call_each, callable_names, run_coroutine
from .memory import rss_reader
from .soft_timeout import Running
from .values import Unserializable, decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

# EX_SOFTWARE of sysexits.h: the channel is broken, so the exit code is the only report.
_CHANNEL_BROKEN = 70
_LARGEST_U32 = 0xFFFFFFFF
# Nanoseconds between two checks whether the pool has closed its side: a system call that would slow
# down short tasks.
_CLOSED_EVERY = 1_000_000


def main() -> int:
    """Work until the pool closes the channel; the exit code. Raises what ends the worker.

    A task's exceptions are its answers, but for two. SystemExit leaves with its exit code, and
    KeyboardInterrupt by SIGINT, as they end any program: the task is lost, with that exit code.
    (CPython's own pool replaces the worker in silence, and the task's result never comes.)
    """
    fds = [wire.CHANNEL_FD, wire.LIFELINE_FD]
    if _is_open(wire.CLAIMS_FD):
        fds.append(wire.CLAIMS_FD)
    for fd in fds:
        # What a task starts must neither hold the channel open nor write to it.
        os.set_inheritable(fd, False)
    lifeline.hold()
    output.prepare()
    channel = wire.Channel()
    worker = Worker(channel)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: worker.become_stranger(fds))
    worker.running.take_signals()
    watcher.start(worker.running, channel)
    try:
        return worker.serve()
    except wire.FrameError as error:
        worker.tell_uncaught(error)
        print("unhang worker: %s" % error, file=sys.stderr)
        return _CHANNEL_BROKEN
    except SystemExit:
        raise
    except BaseException as error:
        worker.tell_uncaught(error)
        raise
    finally:
        output.forget_unwritable()


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


class Worker:
    """State and main loop of this process."""

    def __init__(self, channel: wire.Channel) -> None:
        self.running = Running()
        self._channel = channel
        self._functions = Functions()
        # By id, those that were found.
        self._found: Dict[int, Callable[..., Any]] = {}
        self._rss: Optional[Callable[[], int]] = None
        self._most_bytes = 0
        # True once the memory limit was exceeded: no further task is started.
        self._over_memory = False
        # The task whose exception ends the worker.
        self._fatal_task = 0
        self._forked = False

    def become_stranger(self, fds: List[int]) -> None:
        """Close the channel in a forked child, which must neither hold it nor answer."""
        self._forked = True
        self._channel.fd = -1
        for fd in fds:
            try:
                os.close(fd)
            except OSError:
                pass

    def serve(self) -> int:
        """Handle frames until the channel ends; the exit code."""
        try:
            return self._serve()
        except (BrokenPipeError, ConnectionResetError):
            # The pool no longer reads: it is gone, or has given up this worker.
            return 0
        except OSError:
            if self._forked:
                # A forked child returned from the task's function: it has nothing more to do.
                return 0
            raise

    def _serve(self) -> int:
        channel = self._channel
        dropping = closing = False
        looked = 0
        for kind, number, extra, payload in channel.frames():
            if kind == wire.RUN_JSON:
                if dropping or self._over_memory:
                    continue
                if extra & wire.CLAIM:
                    now = perf_counter_ns()
                    if now - looked > _CLOSED_EVERY:
                        looked = now
                        closing = channel.hung_up()
                    if closing:
                        continue
                    if not os.read(wire.CLAIMS_FD, 1):
                        dropping = True
                        continue
                channel.write(self._answer(number, extra, payload))
                # Otherwise a large payload would be kept until the next frame.
                payload = b""
            elif kind == wire.RECALL_MARK:
                dropping = False
                channel.write(wire.frame_of(wire.RECALLED, 0, 0, b""))
            elif kind == wire.DEFINE:
                function = decode(payload)
                self._found.pop(number, None)
                self._functions.define(number, function["module"], function["name"])
            elif kind == wire.INIT:
                if not self._load(decode(payload)):
                    return 1
            # Otherwise the soft timeout of a task that is over; the watcher handles that of a
            # running task.
        return 0

    def _load(self, wanted: Dict[str, Any]) -> bool:
        """Load the module and run the initializer; False when that failed."""
        functions = self._functions
        try:
            module = functions.load(wanted["module"], wanted["defaultExport"])
            initializer = wanted["initializer"]
            if initializer is not None:
                made = functions.by_name(initializer["module"], initializer["name"])(
                    *wanted["initargs"]
                )
                if type(made) is CoroutineType:
                    run_coroutine(made)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # SystemExit, too: a module that ends the program while it loads cannot be used.
            if self._forked:
                raise
            output.flush()
            self._channel.write(wire.frame_of(wire.LOAD_FAILED, 0, 0, thrown.pack(error)))
            return False
        if wanted["maxMemoryBytes"] is not None:
            self._most_bytes = wanted["maxMemoryBytes"]
            self._rss = rss_reader()
        output.flush()
        self._channel.write(wire.frame_of(wire.READY, 0, 0, encode(callable_names(module))))
        return True

    def _answer(self, number: int, extra: int, payload: bytes) -> bytes:
        """Run a task. The frame that answers it; before it, one that says that the memory limit
        was passed.
        """
        running = self.running
        args: Any = None
        value: Any = None
        started = perf_counter_ns()
        try:
            # A soft timeout may be raised only between these two lines. They are in an inner `try`,
            # because it may also be raised when the task has just ended: the outer one then catches
            # it as this task's error.
            try:
                running.number = number
                function = self._found.get(extra & wire.FUNCTION_MASK) or self._find(
                    extra & wire.FUNCTION_MASK
                )
                args = decode(payload) if payload != b"[]" else ()
                started = perf_counter_ns()
                if extra & wire.CHUNK:
                    value = call_each(function, args, bool(extra & wire.STAR))
                else:
                    value = function(*args)
                    if type(value) is CoroutineType:
                        value = run_coroutine(value)
            finally:
                running.number = 0
        except (SystemExit, KeyboardInterrupt):
            # They end a program, and so this worker: the task is lost, and the exit code is the
            # requested one.
            self._fatal_task = number
            raise
        except BaseException as error:
            if self._forked:
                raise
            took = perf_counter_ns() - started
            kind = wire.THREW
            result = thrown.pack(error)
        else:
            took = perf_counter_ns() - started
            kind = wire.RETURNED_JSON
            result = b""
            if extra & wire.KEEP_RESULT:
                try:
                    result = encode(value)
                except Unserializable as problem:
                    kind = wire.UNSERIALIZABLE
                    result = encode({"path": problem.path, "detail": problem.detail})
        output.flush()
        took = min(took // 1000, _LARGEST_U32)
        if self._rss is None:
            return wire.HEADER.pack(len(result), kind, number, took) + result
        args = value = None
        rss = self._rss()
        before = b""
        if rss > self._most_bytes:
            self._over_memory = True
            before = wire.frame_of(wire.OVER_MEMORY, number, min(rss >> 20, _LARGEST_U32), b"")
        return before + wire.frame_of(kind, number, took, result)

    def _find(self, function_id: int) -> Callable[..., Any]:
        function = self._functions.by_id(function_id)
        self._found[function_id] = function
        return function

    def tell_uncaught(self, error: BaseException) -> None:
        """Tell the pool what is about to end this worker, if it can still be told."""
        if self._forked or self._channel.half_written:
            return
        try:
            self._channel.write(
                wire.frame_of(wire.UNCAUGHT, self._fatal_task, 0, thrown.pack(error))
            )
        except OSError:
            # The pool still learns the exit code, and stderr has the error.
            pass
