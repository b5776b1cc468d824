"""Follows `uv run`: which interpreter it starts is asked of uv itself, which changes nothing in answering.

`uv python find` alone does not tell: in a project it looks for any `.venv` above the working directory, and for the
variables of an activated environment, where `uv run` takes the project's own.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import Final

from capsulestore.capture.command.line import Line, Started
from capsulestore.capture.command.options import read_options
from capsulestore.capture.command.programs import inside, is_interpreter, script_of
from capsulestore.capture.files import read_up_to

__all__ = ["through_uv", "through_uvx"]

_ANSWER_SECONDS: Final = 10.0
_SCRIPT_BYTES: Final = 2**20
_METADATA: Final = re.compile(rb"^# /// script\s*$", re.MULTILINE)
"""How a script begins its own requirements (PEP 723)."""
_SCRIPT_ENVIRONMENTS: Final = "environments-"
"""The directory of uv's cache that holds the environments of such scripts; what is found elsewhere is no such one."""
# fmt: off
_VALUED: Final = frozenset({
    "-w", "-p", "-i", "-f", "-P", "-C", "--allow-insecure-host", "--cache-dir", "--color", "--config-file",
    "--config-setting", "--config-settings-package", "--default-index", "--directory", "--env-file",
    "--exclude-newer", "--exclude-newer-package", "--extra", "--extra-index-url", "--find-links", "--fork-strategy",
    "--group", "--index", "--index-strategy", "--index-url", "--keyring-provider", "--link-mode",
    "--no-binary-package", "--no-build-isolation-package", "--no-build-package", "--no-editable-package",
    "--no-extra", "--no-group", "--no-sources-package", "--only-group", "--package", "--prerelease",
    "--prerelease-package", "--project", "--python", "--python-platform", "--refresh-package", "--reinstall-package",
    "--resolution", "--upgrade-group", "--upgrade-package", "--with", "--with-editable", "--with-requirements",
})
# fmt: on
_PASSED_ON: Final = frozenset(
    {
        "--cache-dir",
        "--config-file",
        "--directory",
        "--managed-python",
        "--no-config",
        "--no-managed-python",
        "--project",
    }
)
_ONLY_FOR_NOW: Final = ("--with", "-w", "--with-editable", "--with-requirements", "--isolated")


_AS_A_SCRIPT: Final = frozenset({"--script", "-s", "--gui-script"})


def through_uv(line: Line, uv: str) -> Line | Started | None:
    """Return what `uv run` starts: an interpreter, or another program in its environment; None for other commands."""
    before, rest = read_options(line.words[1:], _VALUED)
    if rest[:2] == ("tool", "run"):
        return through_uvx(line, uv)
    if rest[:1] != ("run",):
        return None
    options, words = read_options(rest[1:], _VALUED)
    call = _Call(line, uv, {**dict(before), **dict(options)})
    return call.starts(words)


def through_uvx(line: Line, _uv: str) -> Line:
    """Return nothing to follow: the environment of a tool is not the one here."""
    return replace(line, words=(), doubt="`uvx` runs a tool in an environment of its own")


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of `uv run`: the command line, uv itself, and the options by name, each with its last value."""

    line: Line
    uv: str
    options: dict[str, str]

    def starts(self, words: tuple[str, ...]) -> Line | Started | None:
        directory = inside(self.line.directory, self.options.get("--directory", ""))
        line = replace(
            self.line, directory=directory, chosen_by="uv run", prepares=True, doubt=self._doubt() or self.line.doubt
        )
        as_script = bool(self.options.keys() & _AS_A_SCRIPT)
        path = inside(directory, words[0]) if words else ""
        by_python = (
            as_script
            or bool(self.options.keys() & {"-m", "--module"})
            or words[:1] == ("-",)
            or path.endswith((".py", ".pyw"))
            or os.path.isfile(os.path.join(path, "__main__.py"))
        )
        is_script = path.endswith((".py", ".pyw")) or as_script
        python = self._python(path if is_script and _has_metadata(path) else None)
        if python is None:
            arguments = words[1:] if words and is_interpreter(words[0]) else words if is_script else ()
            reason = "`uv run` has not made the environment yet"
            return Started(None, script_of("", arguments, directory), line.prepares, reason)
        if by_python:
            return line.started(python, script_of(python, words, directory) if is_script else None)
        prefix = os.path.dirname(os.path.dirname(python))
        entered = line.entering(os.path.dirname(python), words, **({"VIRTUAL_ENV": prefix} if _is_venv(prefix) else {}))
        return replace(entered, python=python)

    def _doubt(self) -> str | None:
        given = next((name for name in _ONLY_FOR_NOW if name in self.options), None)
        if given is None and self.line.environ.get("UV_ISOLATED"):
            given = "--isolated"
        return f"`uv run {given}` runs in an environment that is gone afterwards" if given else None

    def _python(self, script: str | None) -> str | None:
        """Return the interpreter of the environment; None where uv has yet to make it."""
        environ = self.line.environ
        request = [value for name in ("--python", "-p") if (value := self.options.get(name))]
        root = None if script else self._project()
        virtual = environ.get("VIRTUAL_ENV")
        if "--active" in self.options and virtual and (script or root):
            return _existing(os.path.join(virtual, "bin", "python"))
        if script:
            python = self._answer("python", "find", "--no-python-downloads", "--script", script, *request)
            cached = os.path.basename(os.path.dirname(os.path.dirname(os.path.dirname(python or ""))))
            return python if cached.startswith(_SCRIPT_ENVIRONMENTS) else None
        if root:
            project_environment = environ.get("UV_PROJECT_ENVIRONMENT") or ".venv"
            return _existing(os.path.join(root, project_environment, "bin", "python"))
        return self._answer("python", "find", "--no-python-downloads", "--no-project", *request)

    def _project(self) -> str | None:
        """Return the root of the project or workspace that uv runs in, None where it runs in none."""
        if "--no-project" in self.options or self.line.environ.get("UV_NO_PROJECT"):
            return None
        start = self.options.get("--project") or self.line.environ.get("UV_PROJECT") or ""
        directory = inside(self.line.directory, self.options.get("--directory", ""))
        # An older uv cannot be asked, and none names the root of what has only settings for tools.
        return self._answer("workspace", "dir") or _nearest_project(inside(directory, start))

    def _answer(self, *command: str) -> str | None:
        """Return the one line that uv answers; None where it answers with an error."""
        import subprocess  # noqa: PLC0415

        passed_on = [
            word
            for name, value in self.options.items()
            if name in _PASSED_ON
            for word in ([name, value] if name in _VALUED else [name])
        ]
        try:
            done = subprocess.run(
                [self.uv, *command, "--offline", "--no-progress", *passed_on],
                cwd=self.line.directory,
                env=self.line.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_ANSWER_SECONDS,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return os.fsdecode(done.stdout).strip() or None if done.returncode == 0 else None


def _existing(python: str) -> str | None:
    return python if os.path.exists(python) else None


def _is_venv(prefix: str) -> bool:
    return os.path.exists(os.path.join(prefix, "pyvenv.cfg"))


def _has_metadata(script: str) -> bool:
    try:
        return bool(_METADATA.search(read_up_to(script, _SCRIPT_BYTES)))
    except OSError:
        return False


def _nearest_project(directory: str) -> str | None:
    """Return the nearest directory upwards with a `pyproject.toml`, unless that keeps uv out (`managed = false`)."""
    while not os.path.isfile(os.path.join(directory, "pyproject.toml")):
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above
    import tomllib  # noqa: PLC0415

    try:
        settings = tomllib.loads(read_up_to(os.path.join(directory, "pyproject.toml"), _SCRIPT_BYTES).decode())
        managed = settings.get("tool", {}).get("uv", {}).get("managed", True)
    except (OSError, ValueError, AttributeError):
        return None
    return directory if managed else None
