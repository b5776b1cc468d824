"""Runs its command line by `execute`, says on stderr how that ended, and exits with its status."""

import os
import sys

from capsulestore.errors import CapsuleError
from capsulestore.recording.execution import execute

try:
    done = execute(sys.argv[1:], environ=os.environ, directory=os.environ.get("DIRECTORY_OF_COMMAND"))
except CapsuleError as error:
    print(f"{error.message} ({error.hint})" if error.hint else error.message, file=sys.stderr)
    sys.exit(error.exit_code)
print(f"[status {done.status} signal {done.signal}]", file=sys.stderr)
sys.exit(done.status)
