"""The worker's side of a pool of Python processes (standard library only, Python 3.8 and later).

A task may catch `unhang_worker.SoftTimeLimitExceeded` to clean up before its hard limit; nothing
else here is for tasks.
"""

from .soft_timeout import SoftTimeLimitExceeded

__all__ = ["SoftTimeLimitExceeded"]
