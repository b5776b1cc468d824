"""Starts one command, waits for it, and prints nanoseconds, peak memory in KiB, and its exit status.

    python -I -S starter.py STDOUT STDERR COMMAND [ARGUMENT ...]

A process of its own, which imports next to nothing: the kernel counts in a process's peak memory that of the one that
started it. The command's output goes to files, as there is nobody at the other end of a pipe to be waited for.
"""

import os
import sys
import time


def main() -> None:
    """Start the command that the arguments name."""
    out, error, *command = sys.argv[1:]
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, out, write, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, error, write, 0o600),
    ]
    start = time.perf_counter_ns()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=streams)
    _, status, usage = os.wait4(process, 0)
    took = time.perf_counter_ns() - start
    print(took, usage.ru_maxrss, os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
