"""Where things are in the flight recorder; ../README.md, version 1."""

from struct import Struct

MAGIC = b"UNHANGR1"
SLOTS = 4096
HEADER_BYTES = 256
RAW_BYTES = 262144
HEADERS_AT = 4096
RAWS_AT = HEADERS_AT + SLOTS * HEADER_BYTES
FILE_BYTES = RAWS_AT + SLOTS * RAW_BYTES

#: Magic, slots in use, bytes of a header, bytes of a raw area, pid, start ticks.
FILE_HEADER = Struct("<8sIIIIQ")
SLOTS_IN_USE = Struct("<I")
SLOTS_IN_USE_AT = 8

#: Generation, pool key, pid, threads of the parent, start ticks, started at.
GIVEN = Struct("<IIIIQd")
PID = Struct("<I")
PID_AT = 8
TICKS = Struct("<Q")
TICKS_AT = 16
#: Exit code, then when.
EXIT_CODE = Struct("<i")
EXIT_CODE_AT = 32
EXIT_SEEN = Struct("<I")
EXIT_SEEN_AT = 36
EXIT_TIME = Struct("<d")
EXIT_TIME_AT = 40
NAME_AT = 48
NAME_BYTES = 48

#: Counter, phase, holds the tasks' lock, holds the results' lock, ready, raw bytes, job, index, started at, counter.
TASK = Struct("<QBBBBIqqdQ")
TASK_AT = 96
PHASE_AT = 104
TASKS_LOCK_AT = 105
RESULTS_LOCK_AT = 106
READY_AT = 107
STACK_SIGNAL = Struct("<I")
STACK_SIGNAL_AT = 144
LABEL_LENGTH = Struct("<I")
LABEL_LENGTH_AT = 148
UNPICKLABLE = Struct("<I")
UNPICKLABLE_AT = 152
LABEL_AT = 160
LABEL_BYTES = 96

IDLE, RUNNING, SENDING = 0, 1, 2
FREE, HELD, RELEASED = 0, 1, 2
#: At READY_AT: instead of "it has asked for its first task" (1), that nothing will ever be noted of its tasks.
UNTOLD = 2


def header_at(slot: int) -> int:
    return HEADERS_AT + slot * HEADER_BYTES


def raw_at(slot: int) -> int:
    return RAWS_AT + slot * RAW_BYTES
