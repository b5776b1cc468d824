"""Runs at the start of every interpreter of a traced command, as its `sitecustomize`; imported by us, it does nothing.

A copy of it stands in a directory that comes first on PYTHONPATH, where `site` finds it. It takes that directory off
`sys.path`, observes what is imported from there on, and lets the `sitecustomize` run that would have run without it.
What it writes, to the file `observed` beside it, is said in `observed.py`.

It observes by an audit hook (PEP 578) and not by a finder: a hook sees modules run, whoever found them, where a finder
sees them looked for; it stands in no traceback, asks nobody twice and is not in the way of other people's finders. Its
price is a tenth of a microsecond for each audited event, such as a call of `id`. The program must run as it would
alone, so nothing that goes wrong here is raised, and no file is held open. It must parse under every Python back to
2.7, whose modules it does not observe.
"""

# ruff: noqa
# mypy: ignore-errors

import os
import sys

# The program may put others in their place.
from os import close as close_descriptor, fstat, open as open_descriptor, write as write_descriptor

MAX_BYTES = 64 * 2**20
PACKAGES = "-packages" + os.sep  # site-packages, Debian's dist-packages
END = "capsulestore.imports.end"

directory = os.path.dirname(os.path.abspath(__file__))
observed = os.path.join(directory, "observed")
library = os.path.dirname(os.__file__) + os.sep
encoding = sys.getfilesystemencoding() or "utf-8"
written = set([os.path.abspath(__file__)])
waiting = []


def step_aside():
    """Leave `sys.path` as it would be without us."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != directory]
    sys.path_importer_cache.pop(directory, None)


def tidy():
    """Leave nothing of ours where compiled modules are kept for all (PYTHONPYCACHEPREFIX)."""
    compiled = getattr(globals().get("__spec__"), "cached", None)
    if compiled and not compiled.startswith(directory + os.sep):
        os.unlink(compiled)
        os.rmdir(os.path.dirname(compiled))


def observe():
    if sys.version_info < (3, 4):
        # The names of a module that is no longer in `sys.modules` are lost there.
        write([interpreter("part")])
        return
    import atexit

    if hasattr(sys, "addaudithook"):
        sys.addaudithook(hook)
        # By way of the hook, so that no tracing or profiling that the program set up sees us.
        atexit.register(sys.audit, END)
        write([interpreter("whole")])
    else:
        atexit.register(note_modules)
        write([interpreter("part")])
    note_modules()


def interpreter(seen):
    """Return the line that says which interpreter this is and where its packages are installed."""
    places = []
    site = sys.modules.get("site")
    try:
        places += site.getsitepackages()
        if site.ENABLE_USER_SITE:
            places.append(site.USER_SITE)
    except Exception:
        pass
    version = "%d.%d" % sys.version_info[:2]
    return line("interpreter", version, seen, sys.prefix, *places)


def hook(event, arguments):
    """Note the file of what is run as a module, and of an extension module, before its code runs."""
    try:
        if event == "exec":
            if arguments[0].co_filename[:1] != "<":
                # The module that is run is the newest. Without source, its code does not know where it lies.
                newest = sys.modules[next(reversed(sys.modules))]
                note([arguments[0].co_filename, file_of(newest)])
        elif event == "import":
            if arguments[1] is not None:
                note([arguments[1]])
        elif event == END:
            note_modules()
    except Exception:
        pass


def note_modules():
    """Note the modules that are there: imported before us, or brought in by what no hook sees."""
    try:
        note([file_of(module) for module in list(sys.modules.values())])
    except Exception:
        pass


def file_of(module):
    """Return a module's absolute path, None where it has none; no code of the module's is run by asking."""
    if type(module).__name__ == "_LazyModule":  # found and put off by importlib.util, or seen when it was run
        return None
    try:
        path = object.__getattribute__(module, "__dict__").get("__file__")
    except Exception:
        return None
    return path if type(path) is str and os.path.isabs(path) else None


def note(paths):
    """Write the paths that are new, and not in the standard library; a relative one is told from the directory here."""
    new = []
    for path in paths:
        if type(path) is not str:
            continue
        if not os.path.isabs(path):
            path = os.path.join(os.getcwd(), path)
        if path not in written and (PACKAGES in path or not path.startswith(library)):
            new.append(path)
    if new:
        write([line("file", path) for path in new])
        written.update(new)


def line(*fields):
    data = [field if isinstance(field, bytes) else field.encode(encoding, "surrogateescape") for field in fields]
    escaped = [field.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\t", b"\\t") for field in data]
    return b"\t".join(escaped) + b"\n"


def write(lines):
    """Append lines by one write, with those that could not be written before; after a fork, to the same file."""
    waiting.extend(lines)
    batch = []
    try:
        try:
            while True:
                batch.append(waiting.pop(0))
        except IndexError:
            pass
        descriptor = open_descriptor(observed, os.O_WRONLY | os.O_APPEND)
        try:
            if fstat(descriptor).st_size < MAX_BYTES:
                write_descriptor(descriptor, b"".join(batch))
        finally:
            close_descriptor(descriptor)
    except BaseException as problem:
        # Also an interrupt, which goes on: it is the program's.
        waiting.extend(batch)
        if not isinstance(problem, EnvironmentError):
            raise


if __name__ == "sitecustomize":
    try:
        step_aside()
        observe()
        tidy()
    except Exception:
        pass
    # Where there is no other, this raises what `site` expects where there is none.
    ourselves = sys.modules.pop(__name__)  # in Python 2, a module that nobody holds loses its names
    __import__(__name__)
