"""Runs inside the target interpreter, as `python -B -c SOURCE FD`; never imported by us.

It answers on the file descriptor FD, so that whatever the target's site code prints is out of the way. It imports
nothing that start-up has not imported already, but for three modules of the standard library that are written in C and
know which libraries they run with: a `json.py` or a `zlib.py` in a directory on PYTHONPATH is not ours to run. It must
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


def load(name):
    """Return a module in C, from the interpreter itself or its own lib-dynload: the search path is not asked."""
    if name in sys.modules:
        return sys.modules[name]
    bootstrap, external = sys.modules["_frozen_importlib"], sys.modules["_frozen_importlib_external"]
    if name in sys.builtin_module_names:
        return bootstrap._load(bootstrap.BuiltinImporter.find_spec(name))
    base = os.path.join(os.path.dirname(os.__file__), "lib-dynload", name)
    found = [base + suffix for suffix in suffixes() if os.path.isfile(base + suffix)][0]
    return bootstrap._load(bootstrap.ModuleSpec(name, external.ExtensionFileLoader(name, found), origin=found))


def constant(module, name):
    try:
        value = vars(load(module)).get(name)
    except Exception:
        return ""
    return value if isinstance(value, str) else ""


def library_versions():
    """Return the versions of the libraries that the standard library runs with, empty where they cannot be told.

    Meanwhile nothing but what is built in can be imported. `_ssl` asks for `_socket`, which is there by then; `_sqlite3`
    for functools, of which it keeps `lru_cache` to use later. Afterwards all is as it was, for exit hooks to find.
    """
    meta_path, modules = sys.meta_path, dict(sys.modules)
    try:
        sys.meta_path = [sys.modules["_frozen_importlib"].BuiltinImporter]
        if "functools" not in sys.modules:
            sys.modules["functools"] = type(sys)("functools")
            sys.modules["functools"].lru_cache = None
        constant("_socket", "")
        return {
            "openssl": constant("_ssl", "OPENSSL_VERSION"),
            "sqlite": constant("_sqlite3", "sqlite_version"),
            "zlib": constant("zlib", "ZLIB_RUNTIME_VERSION"),
        }
    except Exception:
        return {"openssl": "", "sqlite": "", "zlib": ""}
    finally:
        sys.meta_path = meta_path
        for name in set(sys.modules) - set(modules):
            # Its code stays in use: only the name is taken back.
            kept.append(sys.modules.pop(name))


def rests_on():
    """Return the paths of the modules loaded by now and of the libraries mapped: what start-up read."""
    found = {getattr(module, "__dict__", {}).get("__file__") for module in list(sys.modules.values()) + kept}
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
            found.update(line.rstrip("\n").split(None, 5)[5] for line in maps if "/" in line)
    except Exception:
        pass
    return [path for path in found if isinstance(path, str) and path[:1] == "/"]


kept = []
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
    "compiler": sys.version.rpartition("[")[2].rstrip("]") if "[" in sys.version else "",
    "user_site": (attribute("USER_SITE", None) or "") if attribute("ENABLE_USER_SITE", None) else "",
}
answer.update(library_versions())
answer["rests_on"] = rests_on()
text = ascii(answer) if sys.version_info[0] > 2 else repr(answer)
os.write(int(sys.argv[1]), text.encode("ascii") + b"\n")
