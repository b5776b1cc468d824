"""Runs a command on a terminal of its own and talks to it: `terminal_dialogue.py DIALOGUE COMMAND...`.

DIALOGUE is JSON: a list of pairs, what to wait for on the terminal and what to type then (a pair of numbers: the lines
and columns that the window is to have). Prints what the terminal showed and exits with the command's status, as a shell
reports it; 99 where something that was waited for never came.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios

PATIENCE_SECONDS = 30.0
NEVER_CAME = 99


def main() -> int:
    dialogue = json.loads(sys.argv[1])
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvp(sys.argv[2], sys.argv[2:])
    shown, unread = b"", b""
    for expected, answer in [*dialogue, (None, None)]:
        while expected is None or expected.encode() not in unread:
            ready, _, _ = select.select([terminal], [], [], PATIENCE_SECONDS)
            try:
                data = os.read(terminal, 4096) if ready else b""
            except OSError:  # the last program on the terminal has ended
                data = b""
            shown, unread = shown + data, unread + data
            if not data:
                break
        if expected is None:
            break
        if expected.encode() not in unread:
            os.kill(child, signal.SIGKILL)
            print(f"{shown.decode(errors='replace')}\n--- `{expected}` never came")
            return NEVER_CAME
        unread = unread.partition(expected.encode())[2]
        if isinstance(answer, list):
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *answer, 0, 0))
        else:
            os.write(terminal, answer.encode())
    os.close(terminal)
    print(shown.decode(errors="replace"))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
