"""Runs the cells in its argument, a JSON list, one by one in an IPython shell, and writes what each did as JSON."""

import json
import sys

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

shell = InteractiveShell.instance()
told = []
for cell in json.loads(sys.argv[1]):
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
sys.stdout.write(json.dumps(told))
