"""Runs cells in shells of IPython's, each in a process of its own: a fork of this one, which has imported IPython.

A line on stdin has, in JSON, the cells of a shell, its directory and its variables; the answer is a line with its
status, as `subprocess` has it, and what it wrote to stdout, which is what each cell did, and to stderr.
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output


def run(cells: Sequence[str]) -> list[dict]:
    """Run cells one by one in a shell, and tell what each did."""
    shell = InteractiveShell.instance()
    told = []
    for cell in cells:
        with capture_output(display=False) as written:
            ran = shell.run_cell(cell, store_history=True)
        failure = ran.error_before_exec or ran.error_in_exec
        told.append(
            {
                "success": ran.success,
                "error": type(failure).__name__ if failure else None,
                "result": repr(ran.result),
                "out": written.stdout,
                "err": written.stderr,
            }
        )
    return told


def ended(cells: Sequence[str], directory: str, environ: Mapping[str, str]) -> tuple[int, str, str] | None:
    """Return how the fork ended, None in the fork itself once it has run the cells."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            for number, stream in enumerate((os.open(os.devnull, os.O_RDONLY), out.fileno(), err.fileno())):
                os.dup2(stream, number)
            os.chdir(directory)
            os.environ.clear()
            os.environ.update(environ)
            print(json.dumps(run(cells)))
            return None
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        written = []
        for file in (out, err):
            file.seek(0)
            written.append(file.read().decode())
        return status, *written


if __name__ == "__main__":
    while line := sys.stdin.readline():
        answer = ended(**json.loads(line))
        # The fork ends as any interpreter does.
        if answer is None:
            break
        print(json.dumps(answer), flush=True)
