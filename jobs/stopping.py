"""The worker's wish to stop, seen at once and without locks by every process forked from it."""

import mmap

_flag = mmap.mmap(-1, 1)  # made at import, so before the fork: one byte that all of the cluster's processes share


def request() -> None:
    """Ask every task to come to its end. Safe inside a signal handler."""
    _flag[0] = 1


def is_requested() -> bool:
    """Tell whether the worker is stopping: a long task then starts nothing new and leaves."""
    return _flag[0] != 0
