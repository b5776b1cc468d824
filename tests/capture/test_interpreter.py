"""An interpreter is asked by starting it; whatever its site code does, there is an answer or a clear error."""

import os
import select
import signal
import sys
from pathlib import Path

import pytest

from capsulestore.capture import asking
from capsulestore.capture.asking import ask
from capsulestore.errors import InterpreterProblem

ANSWER = {
    **dict.fromkeys(("implementation", "implementation_version", "abiflags", "platform", "machine", "libc"), ""),
    **dict.fromkeys(("executable", "prefix", "base_prefix", "standard_library", "user_site"), ""),
    **dict.fromkeys(("compiler", "openssl", "sqlite", "zlib"), ""),
    **{name: [] for name in ("extension_suffixes", "path", "site_directories")},
    "debug": False,
    "bits": 64,
    "version": "3.11.7",
}


@pytest.fixture
def script(tmp_path):
    """Write a program that is started as an interpreter would be; its last argument is where to answer."""

    def write(text: str) -> str:
        path = tmp_path / "python"
        path.write_text(f'#!/bin/sh\nfor last in "$@"; do :; done\n{text}\n')
        path.chmod(0o755)
        return str(path)

    return write


def answering(text: str) -> str:
    return f"cat >/dev/fd/$last <<'END'\n{text}\nEND"


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or goes now that it was killed."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ready, _, _ = select.select([descriptor], [], [], 10)
    os.close(descriptor)
    return bool(ready)


def test_an_interpreter_says_what_it_is(venv):
    answer = ask(str(venv.python), environ=venv.environ)
    assert answer.version == ".".join(map(str, sys.version_info[:3]))
    assert answer.executable == str(venv.python)
    assert answer.prefix == str(venv.python.parents[1])
    assert answer.base_prefix == sys.base_prefix
    assert answer.site_directories == [str(venv.site)]
    assert answer.path[-1] == str(venv.site)


NOISE = "import sys\nprint('noise\\n' * 100_000)\nprint('{}', file=sys.stderr)\nsys.stdout.flush()\n"
SITE_CODE: dict[str, str] = {
    "prints": NOISE,
    "raises": "raise RuntimeError('broken')\n",
    "closes its output": "import sys\nsys.stdout.close()\nsys.stderr.close()\n",
    "changes the directory": "import os\nos.chdir('/')\n",
    "replaces print and open": "import builtins\nbuiltins.print = builtins.open = None\n",
    "adds odd things to sys.path": "import sys\nsys.path += [None, 1, b'bytes']\n",
    "reads its input": "import sys\nsys.stdin.read()\n",
}


@pytest.mark.parametrize("code", SITE_CODE.values(), ids=SITE_CODE.keys())
def test_the_answer_is_the_same_whatever_site_code_does(code, venv):
    before = venv.capture().interpreter
    (venv.site / "sitecustomize.py").write_text(code)
    captured = venv.capture()
    assert captured.interpreter == before
    assert list(captured.environment["python"]["unowned"]) == ["sitecustomize.py"]


def test_a_path_that_site_code_adds_is_on_the_search_path(venv, tmp_path):
    (venv.site / "more.pth").write_text(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n")
    assert ask(str(venv.python), environ=venv.environ).path[0] == str(tmp_path)


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "import os; os._exit(3)", "import os; os.abort()"])
def test_site_code_that_ends_the_interpreter_is_told(code, venv):
    (venv.site / "sitecustomize.py").write_text(f"{code}\n")
    with pytest.raises(InterpreterProblem, match="does not answer as a Python would"):
        venv.capture()


def test_exit_hooks_that_hang_are_not_waited_for(venv, tmp_path):
    hook = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())), time.sleep(1000)"
    (venv.site / "sitecustomize.py").write_text(f"import atexit, os, time\natexit.register(lambda: ({hook}))\n")
    assert venv.capture().interpreter.version
    assert has_ended(int((tmp_path / "pid").read_text()))


def test_a_python_that_hangs_is_told_and_ended_with_all_it_started(script, tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "ANSWER_SECONDS", 0.5)
    hangs = script(f"echo $$ > {tmp_path}/pids; sleep 1000 & echo $! >> {tmp_path}/pids; wait")
    with pytest.raises(InterpreterProblem, match="did not answer") as caught:
        ask(hangs)
    assert hangs in caught.value.message
    assert caught.value.hint
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    assert all(has_ended(pid) for pid in pids)


NO_PYTHON: dict[str, str] = {
    "says nothing": "exit 0",
    "fails": "echo 'this is no python' >&2; exit 1",
    "talks": "echo hello; echo world >&2",
    "is killed": "kill -SEGV $$",
    "answers with nonsense": answering("hello"),
    "answers with bytes": "printf '\\377\\376\\n' >/dev/fd/$last",
    "answers with another value": answering("[1, 2]"),
    "answers with too little": answering("{'version': '3.11.7'}"),
    "answers with too much": answering(repr({**ANSWER, "more": 1})),
    "answers with other types": answering(repr({**ANSWER, "version": 3, "path": None})),
    "answers with a path that is none": answering(repr({**ANSWER, "path": [1]})),
    "answers with code": answering("__import__('os').abort()"),
    "answers nested too deep": answering("-" * 100_000 + "1"),
    "answers without end": 'exec head -c 50000000 /dev/zero >&"$last"',
}


@pytest.mark.parametrize("text", NO_PYTHON.values(), ids=NO_PYTHON.keys())
def test_what_is_no_python_is_told(text, script):
    program = script(text)
    with pytest.raises(InterpreterProblem) as caught:
        ask(program)
    assert program in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_what_a_failing_python_complains_of_is_passed_on(script):
    with pytest.raises(InterpreterProblem, match="no module named encodings"):
        ask(script("echo 'Fatal: no module named encodings' >&2; exit 1"))


def test_python_2_is_told_with_its_version(script):
    with pytest.raises(InterpreterProblem, match=r"is Python 2\.7\.18; Python 3 is needed"):
        ask(script(answering(repr({**ANSWER, "version": "2.7.18"}))))


def test_a_program_that_cannot_be_started_is_told(tmp_path):
    (tmp_path / "not-executable").write_text("#!/bin/sh\n")
    (tmp_path / "broken").write_text("#!/nowhere/at/all\n")
    (tmp_path / "broken").chmod(0o755)
    names = ["not-executable", "broken", "missing", ".", "null\0byte", "not-executable/below"]
    for name in names:
        with pytest.raises(InterpreterProblem, match="cannot start") as caught:
            ask(str(tmp_path / name))
        assert caught.value.hint


@pytest.mark.slow
def test_every_interpreter_of_this_machine_is_captured_or_told(pythons, make_venv, tmp_path, make_wheel):
    for version, python in pythons.items():
        if version == "2.7":
            with pytest.raises(InterpreterProblem, match=r"is Python 2\.7\.\d+; Python 3 is needed"):
                ask(str(python))
            continue
        venv = make_venv(tmp_path / version, python=str(python))
        venv.install(make_wheel("alpha"))
        captured = venv.capture()
        assert captured.interpreter.version.startswith(f"{version}.")
        assert captured.environment["python"]["interpreter"]["soabi"].startswith("cpython-3")
        assert list(captured.environment["python"]["packages"]) == ["alpha"]
        assert captured.findings == ()


def open_and_running() -> tuple[list[str], list[str]]:
    """Return our open files and our children; fixtures of other tests may have some of each."""
    children = [pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]
    return sorted(os.listdir("/proc/self/fd")), sorted(children)


def test_nothing_is_left_running_or_open(venv):
    before = open_and_running()
    venv.capture()
    assert open_and_running() == before
    assert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL
