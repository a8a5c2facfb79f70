#!/usr/bin/env python3
"""Entry point of a Python worker: one interpreter, until the pool closes the channel.

Only this file is read by every Python there is, so its syntax is that of Python 2 as well: an
interpreter that is too old says so itself, in the first frame of the channel, instead of with a
SyntaxError on stderr. Everything else is in the package beside it (a package, because Python keeps
the bytecode of what is imported, not of what is run).
"""

import os
import sys

OLDEST = (3, 8)


def refuse():
    """Tell the pool that this Python is too old: a `loadFailed` frame of unhang_worker/wire.py."""
    import json
    import struct

    message = (
        '%s is Python %s; workers need Python %d.%d or later. Set "pythonPath" to a newer one.'
        % ((sys.executable, sys.version.split()[0]) + OLDEST)
    )
    thrown = {
        "kind": "error",
        "name": "PythonVersionError",
        "message": message,
        "stack": message,
        "properties": {},
    }
    payload = json.dumps(thrown).encode("ascii")
    os.write(3, struct.pack("<IBII", len(payload), 17, 0, 0) + payload)
    sys.exit(1)


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        refuse()
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, here)
    from unhang_worker.main import main

    # Twice: the interpreter adds it as well, unless PYTHONSAFEPATH is set.
    sys.path.remove(here)
    if not getattr(sys.flags, "safe_path", False):
        # As `python -m` would: the working folder comes first.
        sys.path[0] = os.getcwd()
    # multiprocessing's "spawn" runs the main module again in each child, by this name: it is no
    # program of the user's.
    del __file__
    sys.exit(main())
