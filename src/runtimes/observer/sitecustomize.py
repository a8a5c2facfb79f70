"""The way into a watched program: the interpreter imports this module before the user's code.

It leaves no trace but a finder: its folder is taken from sys.path again, and the user's own
sitecustomize, if there is one, takes its place. Without UNHANG_WATCH, or when the session's folder
is gone (the host has ended), even the finder is left out.
"""

import os
import sys


def _watch(folder):
    """Put a finder in front of all others that waits for the modules that make pools."""
    # The originals, before a program can replace them (gevent does).
    import _thread
    from _frozen_importlib_external import PathFinder

    package = "unhang_observer"
    libraries = {
        "multiprocessing": ("context", "pool", "popen_fork", "process", "util"),
        "concurrent.futures": ("process",),
        "billiard": ("pool", "popen_fork", "process", "util"),
        "loky": ("process_executor", "backend.popen_loky_posix"),
        "joblib.externals.loky": ("process_executor", "backend.popen_loky_posix"),
    }
    wanted = frozenset(name + "." + module for name, modules in libraries.items() for module in modules)

    class Finder:
        """See importlib.abc.MetaPathFinder."""

        session = os.environ["UNHANG_WATCH"]
        start_new_thread = staticmethod(_thread.start_new_thread)
        allocate_lock = staticmethod(_thread.allocate_lock)

        def find_spec(self, name, path=None, target=None):
            if name in wanted:
                return self._find_wanted(name, path, target)
            if name == package:
                return PathFinder.find_spec(name, [folder])
            return None

        def _find_wanted(self, name, path, target):
            for finder in sys.meta_path:
                find_spec = getattr(finder, "find_spec", None)
                if finder is self or find_spec is None:
                    continue
                spec = find_spec(name, path, target)
                if spec is not None:
                    self._patch_after(spec)
                    return spec
            return None

        def _patch_after(self, spec):
            """The loader's own exec_module comes back before it runs: the module looks as ever."""
            loader = spec.loader
            execute = getattr(loader, "exec_module", None)
            if execute is None or not hasattr(loader, "__dict__"):
                return

            def exec_module(module):
                if module.__spec__ is spec:
                    loader.__dict__.pop("exec_module", None)
                execute(module)
                if module.__spec__ is spec:
                    self.install(spec.name, module)

            try:
                loader.exec_module = exec_module
            except Exception:
                # Not observed, then.
                pass

        def install(self, name, module):
            try:
                from unhang_observer import hooks

                hooks.install(self, name, module)
            except Exception:
                # hooks.py tells the host what it can; whatever happens, the program goes on.
                pass

    finder = Finder()
    sys.meta_path.insert(0, finder)
    for name in wanted:
        # A .pth file can have imported it before us.
        if name in sys.modules:
            finder.install(name, sys.modules[name])


def _refuse():
    """In a Python older than 3.8, which has only this: tell the host when it makes a pool or a Process.

    Python 2 can be here, too. It empties a module that is taken out of sys.modules, so each name that is needed is bound
    here.
    """
    import os
    import sys

    session = os.environ["UNHANG_WATCH"]
    message = "Python %d.%d; 3.8 or later is needed" % tuple(sys.version_info[:2])
    # Imported when the first is made.
    wanted = (
        "multiprocessing.pool",
        "multiprocessing.popen_fork",
        "multiprocessing.forking",
        "billiard.pool",
        "billiard.popen_fork",
        "loky.backend.popen_loky_posix",
        "joblib.externals.loky.backend.popen_loky_posix",
    )
    told = []

    def tell():
        import json
        import socket

        with open(os.path.join(session, "session.json")) as file:
            token = json.load(file)["token"]
        with open("/proc/self/stat") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        hello = {
            "version": 1,
            "token": token,
            "pid": os.getpid(),
            "startTicks": ticks,
            "parentPid": os.getppid(),
            "python": "%d.%d.%d" % tuple(sys.version_info[:3]),
            "argv": [],
            "recorder": None,
        }
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(0.2)
            connection.connect(os.path.join(session, "control.sock"))
            for part in ({"hello": hello}, {"event": "failed", "message": message}):
                connection.sendall(json.dumps(part).encode("utf-8") + b"\n")
        finally:
            connection.close()

    class Finder(object):
        """It finds nothing: it only sees what is looked for."""

        def find_spec(self, name, path=None, target=None):
            if name in wanted and not told:
                told.append(name)
                try:
                    tell()
                except Exception:
                    # There is nobody left to tell.
                    pass
            return None

        def find_module(self, name, path=None):
            return self.find_spec(name, path)

    sys.meta_path.insert(0, Finder())


def _enter():
    """Take this folder off the path, watch, and make room for the user's own sitecustomize."""
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if not _is(entry, folder)]
    session = os.environ.get("UNHANG_WATCH")
    if session and os.path.isdir(session):
        try:
            if sys.version_info >= (3, 8):
                _watch(folder)
            else:
                _refuse()
        except Exception:
            pass


def _is(entry, folder):
    return isinstance(entry, str) and entry != "" and os.path.abspath(entry) == folder


_enter()
sys.modules.pop("sitecustomize", None)
# Where there is none, this raises what the interpreter would have met without us, and expects.
import sitecustomize  # noqa: E402,F401
