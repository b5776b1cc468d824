"""Stands in for ssh, with nobody on the other side: runs what it is to run there, here, and counts what goes through.

    GIT_SSH_COMMAND="python -I -S wire.py COUNT" GIT_SSH_VARIANT=simple git push ssh://nowhere/PATH

The file COUNT then holds the number of bytes, in both directions together.
"""

import subprocess
import sys
import threading
from typing import BinaryIO

PIECE = 2**16


def main() -> None:
    """Run the last of the arguments, a command line for the shell."""
    count, *_, command = sys.argv[1:]
    counted: list[int] = []
    with subprocess.Popen(["/bin/sh", "-c", command], bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as git:
        assert git.stdin is not None
        assert git.stdout is not None
        there = threading.Thread(target=_pass_on, args=(sys.stdin.buffer.raw, git.stdin, counted), daemon=True)
        there.start()
        _pass_on(git.stdout, sys.stdout.buffer.raw, counted)
        there.join()
    with open(count, "w", encoding="ascii") as file:
        file.write(str(sum(counted)))
    sys.exit(git.returncode)


def _pass_on(source: BinaryIO, sink: BinaryIO, counted: list[int]) -> None:
    """Copy until the source ends, and close the sink."""
    while data := source.read(PIECE):
        counted.append(len(data))
        left = memoryview(data)
        while left:
            left = left[sink.write(left) :]
    sink.close()


if __name__ == "__main__":
    main()
