"""Runs inside the target interpreter, as `python -B -c SOURCE FD`; never imported by us.

It answers on the file descriptor FD, so that whatever the target's site code prints is out of the way. It imports
nothing that start-up has not imported already: a `json.py` in a directory on PYTHONPATH is not ours to run. It must
parse under every Python back to 2.7, to be told apart from what is no Python at all.
"""

import os
import sys

# With -c, an empty entry stands first for the working directory, which is not the analysis's.
path = sys.path[1:] if sys.path and sys.path[0] == "" else sys.path
site = sys.modules.get("site")
implementation = getattr(sys, "implementation", None)


def version_text(info):
    text = "%d.%d.%d" % tuple(info[:3])
    if info[3] != "final":
        text += {"alpha": "a", "beta": "b", "candidate": "rc"}[info[3]] + str(info[4])
    return text


def suffixes():
    try:
        import _imp
    except ImportError:
        return []
    return _imp.extension_suffixes()


def confstr(name):
    try:
        return os.confstr(name) or ""
    except (AttributeError, ValueError, OSError):
        return ""


def attribute(name, otherwise):
    return getattr(site, name, otherwise) if site else otherwise


def site_directories():
    try:
        return attribute("getsitepackages", list)()
    except Exception:
        return []


answer = {
    "implementation": implementation.name if implementation else "cpython",
    "implementation_version": version_text(implementation.version) if implementation else "",
    "version": version_text(sys.version_info),
    "extension_suffixes": suffixes(),
    "abiflags": getattr(sys, "abiflags", ""),
    "debug": hasattr(sys, "gettotalrefcount"),
    "platform": sys.platform,
    "machine": os.uname()[4] if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", ""),
    "bits": 64 if sys.maxsize > 2**32 else 32,
    "libc": confstr("CS_GNU_LIBC_VERSION"),
    "executable": sys.executable,
    "prefix": sys.prefix,
    "base_prefix": getattr(sys, "base_prefix", sys.prefix),
    "path": [entry for entry in path if isinstance(entry, str)],
    "standard_library": os.path.dirname(os.__file__),
    "site_directories": site_directories(),
    "user_site": (attribute("USER_SITE", None) or "") if attribute("ENABLE_USER_SITE", None) else "",
}
text = ascii(answer) if sys.version_info[0] > 2 else repr(answer)
os.write(int(sys.argv[1]), text.encode("ascii") + b"\n")
