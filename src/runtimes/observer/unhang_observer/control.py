"""The control channel: a thread of our own that answers the host, also while the main thread is blocked.

The program does not see it (it is none of `threading`'s), and it is not there while the program
forks. Other threads never wait for it, but for the moment before a fork.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import sys
import time
from typing import Any, Dict, Optional, Tuple

from . import hooks, processes, signals
from .session import Session

_VERSION = 1
# Seconds: between two "changed".
_QUIET_SECONDS = 0.02
# How long a fork waits for our thread to end.
_PAUSE_SECONDS = 0.2
# Bytes that the host has not read: it is not listening any more.
_MOST_UNSENT = 64 * 1024 * 1024
_CONNECT_SECONDS = 10.0
# How long the end of the program waits for an answer that is being given.
_LAST_ANSWER_SECONDS = 0.2


class _Hangup(Exception):
    """The host is gone."""


class Descriptor:
    """A descriptor of ours in a program that may close it, and open something else under its number."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._identity = _identity(fd)

    def is_ours(self) -> bool:
        return self._identity is not None and _identity(self.fd) == self._identity


def _identity(fd: int) -> Optional[Tuple[int, int]]:
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino


class Control:
    """The connection of one parent. It is made by its thread, when that first runs."""

    def __init__(self, parent: Any) -> None:
        self._parent = parent
        #: Native id of the thread, 0 while there is none.
        self.thread_id = 0
        self.thread_ident = 0
        # Signals that its thread blocked before it began to leave them to others.
        self._mask: "set[int]" = set()
        self._channel: Optional[Descriptor] = None
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._wake_reader, self._wake_writer = Descriptor(reader), Descriptor(writer)
        self._received = b""
        self._unsent = b""
        self._over = False
        self._changed = False
        self._last_changed = 0.0
        self._failure: Optional[str] = None
        self._stopping = False
        self._answering = False
        # CPU time of the threads that were, in seconds.
        self._spent = 0.0
        # A program that a rescue lets go on may end at once: what was done for it is still told.
        atexit.register(self._finish_answer)
        # The next look at a process is an occasion to start the thread again.
        self._awaits = False
        # How many forks are under way, in threads of their own.
        self._forks = 0
        # Held while the thread runs.
        self._running = hooks.finder.allocate_lock()

    @property
    def is_paused(self) -> bool:
        return not self._over and self._forks == 0 and not self._running.locked()

    def count_without(self, thread_ids: "set[int]") -> int:
        """How many of these threads are not ours."""
        if self._running.locked() and not self.thread_id:
            # It has not told its number yet.
            return len(thread_ids) - 1
        return len(thread_ids - {self.thread_id})

    def own_cpu_seconds(self) -> float:
        """What watching has cost so far; to be asked in its thread."""
        return self._spent + time.thread_time()

    def changed(self) -> None:
        """Have the host told that there is something to look at."""
        self._changed = True
        self._wake()

    def fail(self, message: str) -> None:
        self._failure = message
        self.resume()
        self._wake()

    def resume(self) -> None:
        """Start the thread, unless it runs, or a fork is under way."""
        if self._over or self._forks:
            return
        # Before the lock: one that was told to stop, and has not yet, goes on; or finds this as its last act.
        self._stopping = False
        if not self._running.acquire(False):
            return
        self.thread_id = 0
        try:
            hooks.finder.start_new_thread(self._run, ())
        except RuntimeError:
            # No thread to be had, or the program is at its end.
            self._running.release()
            self._await_occasion(True)
            return
        self._await_occasion(False)

    def pause(self) -> None:
        """Before a fork: end the thread, so that the program forks with those it has without us."""
        self._forks += 1
        thread = self.thread_id
        if not self._running.locked() or (thread and thread == _native_id()):
            return
        self._stopping = True
        self._wake()
        deadline = time.monotonic() + _PAUSE_SECONDS
        if not self._running.acquire(True, _PAUSE_SECONDS):
            return
        try:
            # One that had only just been started has told its number by now. What is left of it is the kernel's.
            thread = self.thread_id
            while thread and os.path.exists("/proc/self/task/%d" % thread) and time.monotonic() < deadline:
                _pass_a_moment(self._running)
        finally:
            self._running.release()

    def resume_after_fork(self) -> None:
        """From 3.12 on Python warns whoever forks with several threads, and may count them only now.

        Where ours would be the one that makes them several, it waits for the next occasion.
        """
        self._forks -= 1
        if sys.version_info < (3, 12) or processes.threads() > 1:
            self.resume()
        else:
            self._await_occasion(True)

    def _await_occasion(self, wanted: bool) -> None:
        if wanted is not self._awaits:
            self._awaits = wanted
            hooks.notice_looks(wanted)

    def drop(self) -> None:
        """In a child by fork: it has copies of our descriptors, and no thread."""
        self._over = True
        self._await_occasion(False)
        for descriptor in (self._channel, self._wake_reader, self._wake_writer):
            if descriptor is not None and descriptor.is_ours():
                os.close(descriptor.fd)

    def _wake(self) -> None:
        if self._wake_writer.is_ours():
            try:
                os.write(self._wake_writer.fd, b".")
            except OSError:
                # The pipe is full: it is awake.
                pass

    def _run(self) -> None:
        try:
            self.thread_ident, self.thread_id = _ident(), _native_id()
            self._mask = signals.leave_to_others()
            self._serve()
            self._spent += time.thread_time()
        except BaseException:
            # The host is gone, or the interpreter is about to be: the program goes on.
            self._end()
        finally:
            self._running.release()
        if not self._stopping:
            self.resume()

    def _end(self) -> None:
        self._over = True
        for descriptor in (self._channel, self._wake_reader):
            if descriptor is not None and descriptor.is_ours():
                os.close(descriptor.fd)

    def _serve(self) -> None:
        if self._channel is None:
            self._connect()
        while not self._stopping:
            if hooks.is_disabled():
                self._send({"event": "failed", "message": self._failure or "the observer has failed"})
                self._flush(time.monotonic() + 1.0)
                raise _Hangup
            wait = self._tell_changed()
            for fd, events in self._poll(wait):
                if fd == self._wake_reader.fd:
                    self._drain()
                elif events & ~select.POLLOUT:
                    self._receive()
            self._write()

    def _poll(self, seconds: Optional[float]) -> "list[Tuple[int, int]]":
        assert self._channel is not None
        if not self._wake_reader.is_ours() or not self._channel.is_ours():
            raise _Hangup
        poll = select.poll()
        poll.register(self._wake_reader.fd, select.POLLIN)
        poll.register(self._channel.fd, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        return poll.poll(None if seconds is None else seconds * 1000 + 1)

    def _connect(self) -> None:
        parent = self._parent
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_CONNECT_SECONDS)
            connection.connect(parent.session.path("control.sock"))
            connection.setblocking(False)
            # No object is kept: at the end of the program it would be warned of as unclosed.
            self._channel = Descriptor(connection.detach())
        self._send(_hello(parent.session, parent.pid, parent.ticks, parent.recorder_name))

    def _tell_changed(self) -> Optional[float]:
        """Seconds until it may be told again; None when there is nothing to tell."""
        if not self._changed:
            return None
        wait = self._last_changed + _QUIET_SECONDS - time.monotonic()
        if wait > 0:
            return wait
        self._changed = False
        self._last_changed = time.monotonic()
        self._send({"event": "changed"})
        return None

    def _drain(self) -> None:
        try:
            while os.read(self._wake_reader.fd, 4096):
                pass
        except BlockingIOError:
            pass

    def _receive(self) -> None:
        assert self._channel is not None
        try:
            chunk = os.read(self._channel.fd, 65536)
        except BlockingIOError:
            return
        if not chunk:
            raise _Hangup
        *lines, self._received = (self._received + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                self._answer(line)

    def _answer(self, line: bytes) -> None:
        # Not above: what is there needs us.
        from . import methods

        request = json.loads(line.decode("utf-8"))
        answer: Dict[str, Any] = {"id": request.get("id")}
        self._answering = True
        try:
            try:
                # A rescue may call back the program, and what that starts takes over the mask.
                signals.restore(self._mask)
                answer["result"] = methods.call(self._parent, request)
            except Exception as error:
                answer["error"] = "%s: %s" % (type(error).__name__, error)
            finally:
                signals.leave_to_others()
            self._send(answer)
        finally:
            self._answering = False

    def _finish_answer(self) -> None:
        deadline = time.monotonic() + _LAST_ANSWER_SECONDS
        while self._answering and time.monotonic() < deadline:
            _pass_a_moment(self._running)

    def _send(self, message: Dict[str, Any]) -> None:
        self._unsent += json.dumps(message).encode("utf-8") + b"\n"
        if len(self._unsent) > _MOST_UNSENT:
            raise _Hangup
        self._write()

    def _write(self) -> None:
        assert self._channel is not None
        while self._unsent:
            if not self._channel.is_ours():
                raise _Hangup
            connection = socket.socket(fileno=self._channel.fd)
            try:
                connection.setblocking(False)
                # Not os.write(): without MSG_NOSIGNAL a program that wants SIGPIPE would die of a dead host.
                sent = connection.send(self._unsent, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            finally:
                connection.detach()
            self._unsent = self._unsent[sent:]

    def _flush(self, deadline: float) -> None:
        while self._unsent and time.monotonic() < deadline:
            self._poll(0.05)
            self._write()


def _hello(session: Session, pid: int, ticks: int, recorder: Optional[str]) -> Dict[str, Any]:
    return {
        "hello": {
            "version": _VERSION,
            "token": session.token,
            "pid": pid,
            "startTicks": ticks,
            "parentPid": os.getppid(),
            "python": "%d.%d.%d" % sys.version_info[:3],
            "argv": [str(argument) for argument in getattr(sys, "argv", [])],
            "recorder": recorder,
        }
    }


def tell_failure(session: Session, message: str) -> None:
    """Of an observer that failed before it had a recorder. Raises OSError when nobody listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PAUSE_SECONDS)
        connection.connect(session.path("control.sock"))
        hello = _hello(session, os.getpid(), processes.start_ticks("self"), None)
        for part in (hello, {"event": "failed", "message": message}):
            connection.sendall(json.dumps(part).encode("utf-8") + b"\n")


def _ident() -> int:
    import _thread

    return _thread.get_ident()


def _native_id() -> int:
    import _thread

    return _thread.get_native_id()


def _pass_a_moment(lock: Any) -> None:
    """Wait without the GIL, on a lock that is held: time.sleep() may be somebody else's (gevent)."""
    lock.acquire(True, 0.0002)


_HANDLERS = ("_handle_workers", "_handle_tasks", "_handle_results", "_queue_management_worker")


def is_of_a_pool(thread: Any) -> bool:
    """Whether a thread is one that pools make for themselves."""
    if type(thread).__name__ in ("_ExecutorManagerThread", "Worker", "Supervisor", "TaskHandler", "ResultHandler"):
        return type(thread).__module__.partition(".")[0] in ("concurrent", "billiard", "loky", "joblib")
    if thread.name.startswith("QueueFeederThread"):
        return True
    return getattr(getattr(thread, "_target", None), "__name__", None) in _HANDLERS
