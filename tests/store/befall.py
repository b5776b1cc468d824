"""Runs Python programs, and lets something befall a system call of each: `befall.py STRACE`.

A line on stdin asks, in JSON, for a program's text to be run with these arguments and variables, and names the kind of
call and what befalls it, as strace calls an injection; the answer is a line with its status, as `subprocess` has it,
and what it wrote to stdout and to stderr. Each is run in a process of its own, a fork of this one, which has imported
what the store needs: strace watches from the program's first line on, and not as the interpreter starts, which would
take ten times as long as all that follows.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from typing import NoReturn

import capsulestore.recording.capsule
import capsulestore.store  # noqa: F401

PR_SET_PTRACER = 0x59616D61


def run(program: str, arguments: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Stop until strace watches, run the program, and end as an interpreter would that was started on it."""
    # Where the kernel lets only its ancestors watch a process (Yama), any may watch this one.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["-c", *arguments]
    code = compile(program, "<string>", "exec")
    os.kill(os.getpid(), signal.SIGSTOP)
    status = 1
    try:
        exec(code, {"__name__": "__main__"})
        status = 0
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def befall(strace: str, call: str, what: str, **started: object) -> tuple[int, str, str]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        pid = os.fork()
        if pid == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(error.fileno(), 2)
            run(**started)
        assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
        options = ["-f", "-o", os.devnull, "-e", f"trace=/^{call}$", "-e", f"inject=/^{call}$:{what}"]
        with subprocess.Popen([strace, *options, "-p", str(pid)], stderr=subprocess.PIPE, text=True) as watching:
            said = watching.stderr.readline()
            os.kill(pid, signal.SIGCONT if "attached" in said else signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            assert "attached" in said, said + watching.stderr.read()
        written = []
        for file in (out, error):
            file.seek(0)
            written.append(file.read().decode())
        return status, *written


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(befall(sys.argv[1], **json.loads(line))), flush=True)
