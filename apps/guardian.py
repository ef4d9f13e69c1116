"""A script that runs one command and sees to it that nothing of it is left: the parent of every child process.

Usage: ``python guardian.py SUPERVISOR_PID GRACE_S COMMAND...``. The command gets a process group of its own. On SIGTERM
or SIGINT, and on Linux when the supervisor dies, however it dies, the whole group gets SIGTERM, and SIGKILL after the
grace. It ends as the command ended, with exit code 128 + n after signal n. It imports little, so it weighs little.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from types import FrameType

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LEFTOVERS_S = 3.0


def main(supervisor: int, grace_s: float, command: list[str]) -> int:
    """Run `command` to its end and return its exit code."""
    _ask_kernel(_PR_SET_CHILD_SUBREAPER, 1)
    _ask_kernel(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor:  # it died before the kernel was asked
        return 1
    try:
        # Should this process be killed, the command's first process goes too.
        child = subprocess.Popen(
            command, process_group=0, preexec_fn=lambda: _ask_kernel(_PR_SET_PDEATHSIG, signal.SIGKILL)
        )
    except OSError as exc:
        print(f"{command[0]}: {exc.strerror}", file=sys.stderr)
        return 127
    _forward_signals(child.pid, grace_s)
    code = _reap_until(child.pid)
    _end_leftovers(child.pid)
    return code if code >= 0 else 128 - code


def _forward_signals(group: int, grace_s: float) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        _signal_group(group, signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, grace_s)

    signal.signal(signal.SIGALRM, lambda _signal, _frame: _signal_group(group, signal.SIGKILL))
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, stop)


def _reap_until(pid: int) -> int:
    """Wait for `pid`, and on Linux for the orphans it left meanwhile; return the code that `pid` ended with."""
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def _end_leftovers(group: int) -> None:
    """Give the rest of the group a moment to end by itself, then end it."""
    deadline = time.monotonic() + _LEFTOVERS_S
    while _reap_orphans() and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal_group(group, signal.SIGKILL)


def _reap_orphans() -> bool:
    """Return True while processes of the command are left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _signal_group(group: int, name: signal.Signals) -> None:
    try:
        os.killpg(group, name)
    except (ProcessLookupError, PermissionError):
        return


def _ask_kernel(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
