"""A traced program runs as it would alone: what it prints, how it ends, and what it sees of its imports."""

import compileall
import sys

import pytest

SEEN_FROM_WITHIN = """
import sys
print(sys.path, sys.flags, sorted(sys.path_importer_cache))
print([getattr(found, "__name__", type(found)) for found in (*sys.meta_path, *sys.path_hooks)])
print(sorted(set(sys.modules) - {"atexit"}))
import importlib, importlib.util, os, pkgutil
print(importlib.util.find_spec("sitecustomize"), importlib.util.find_spec("nonesuch"))
print([module.name for module in pkgutil.iter_modules()])
import local
importlib.reload(local)
importlib.invalidate_caches()
print(local.__spec__.origin, type(local.__loader__), local.__cached__, sorted(vars(local)))
print(os.listdir("/proc/self/fd"), os.open("/dev/null", os.O_RDONLY))
print(sys.getrecursionlimit(), sys.gettrace(), sys.getprofile())
"""

PROGRAMS = {
    "what it sees from within": SEEN_FROM_WITHIN,
    "an error": "import local\nlocal.fails()\n",
    "an error in a module": "import broken\n",
    "a syntax error in a module": "import unreadable\n",
    "a module that is missing": "import nonesuch\n",
    "a module that is missing, by its name": "import importlib\nimportlib.import_module('nonesuch.below')\n",
    "a name that is missing": "from local import nonesuch\n",
    "a module without a parent": "import local.below\n",
    "a circle": "import circle\n",
    "a finder that fails": "import sys\nclass Finder:\n    def find_spec(*_): raise OSError('no')\n"
    "sys.meta_path.insert(0, Finder())\nimport local\n",
    "a finder that counts": "import sys\nasked = []\nclass Finder:\n    def find_spec(self, name, path, target=None):\n"
    "        asked.append(name)\nsys.meta_path.append(Finder())\n"
    "try:\n    import nonesuch\nexcept ImportError as error:\n    print(asked, error.name, error.__context__)\n",
    "an exit": "import atexit, local\natexit.register(print, 'last words')\nraise SystemExit(7)\n",
    "an exit with a message": "import sys\nsys.exit('enough')\n",
    "an interrupt": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n",
    "a signal": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n",
    "a warning": "import noisy\n",
    "a tracer": "import sys\nsys.settrace(lambda frame, event, _: print(event, frame.f_code.co_name))\nimport local\n",
    "a profiler": "import sys\nsys.setprofile(lambda frame, event, _: print(event, frame.f_code.co_name))\n"
    "import local\n",
    "a recursion without end": "import local\ndef deeper(): id(deeper()), __import__('gamma')\n"
    "try:\n    deeper()\nexcept RecursionError as error:\n    print(error)\nimport gamma\nprint(gamma.version)\n",
    "no descriptors left": "import os, resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
    "try:\n    import local\nexcept Exception as error:\n    print(repr(error))\n",
    "files put in others' place": "import builtins, os\nos.open = os.write = os.fstat = None\nimport local\n",
    "an audit hook of its own": "import sys\ndef refuse(event, arguments):\n"
    "    if event == 'open' and isinstance(arguments[1], str) and 'w' in arguments[1]: raise PermissionError\n"
    "sys.addaudithook(refuse)\nimport local, gamma\nprint(gamma.version)\n",
    "an audit hook that opens nothing": "import sys, gamma, local\n"
    "def refuse(event, _):\n    if event == 'open' and ready: raise RuntimeError('closed')\nready = False\n"
    "sys.addaudithook(refuse)\nready = True\nexec(compile('1', '/nonesuch/a.py', 'exec'))\nready = False\n",
    "modules that are none": "import sys\nsys.modules.update({'one': None, 'two': 2, 'three': print})\n",
    "a module that runs when asked": "import sys\nclass Lazy(type(sys)):\n"
    "    def __getattribute__(self, name): print('asked for', name)\nsys.modules['lazy'] = Lazy('lazy')\n",
    "other modules than before": "import sys\nsys.modules.clear()\n",
    "a subinterpreter": "try:\n    import _xxsubinterpreters as inner\n"
    "except ImportError:\n    import _interpreters as inner\n"
    "inner.run_string(inner.create(), 'import gamma; print(gamma.version)')\n",
    "an unknown event": "import sys\nsys.audit('exec')\nsys.audit('import', 1)\nsys.audit('exec', object())\n",
}


@pytest.fixture
def modules(write):
    write("local.py", "def fails():\n    raise ValueError('from within')\n")
    write("broken.py", "import local\nlocal.fails()\n")
    write("unreadable.py", "def :\n")
    write("circle.py", "from round import and_round\n")
    write("round.py", "from circle import and_round\n")
    write("noisy.py", "import warnings\nwarnings.warn('noise', stacklevel=2)\n")


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize(
    "options",
    [
        pytest.param([], id="as it is"),
        pytest.param(["-X", "dev", "-bb", "-W", "error"], id="strictly", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_it_prints_and_ends_as_it_would_alone(program, options, small, write, run_plainly, run_traced):
    script = write("main.py", program)
    compileall.compile_dir(script.parent, quiet=2)
    plain, traced = run_plainly(small.python, *options, script), run_traced(small.python, *options, script)
    assert traced.stdout == plain.stdout
    assert traced.stderr == plain.stderr
    assert traced.status == plain.status
    assert str(script) in traced.traced.files


def test_only_these_variables_differ(small, write, run_plainly, run_traced):
    script = write(
        "main.py", "import os\nprint(sorted(name for name in os.environ.items() if name[0] != 'PYTHONPATH'))\n"
    )
    assert run_traced(small.python, script).stdout == run_plainly(small.python, script).stdout


@pytest.mark.parametrize("path", ["", "/nonesuch", "/nonesuch:", ":/usr", "{here}/modules"])
def test_what_pythonpath_held_before_is_on_the_search_path_as_before(path, small, write, run_plainly, run_traced):
    here = write("modules/local.py", "").parents[1]
    program = "import sys; print(sys.path); import os; print(os.environ['PYTHONPATH'].partition(':')[2])"
    variables = {"PYTHONPATH": path.format(here=here)}
    plain = run_plainly(small.python, "-c", program, **variables)
    traced = run_traced(small.python, "-c", program, **variables)
    assert traced.stdout.splitlines()[0] == plain.stdout.splitlines()[0]
    assert traced.stdout.splitlines()[1] == variables["PYTHONPATH"]


CUSTOMIZED = {
    "speaks": "print('customized', __name__, __file__)\nimport sys\nsys.customized = True\n",
    "fails": "raise RuntimeError('from sitecustomize')\n",
    "misses a module": "import nonesuch\n",
    "ends it all": "raise SystemExit(5)\n",
    "is no Python": "def :\n",
}


@pytest.mark.parametrize("customized", CUSTOMIZED.values(), ids=CUSTOMIZED)
def test_the_sitecustomize_that_was_there_runs_as_it_would_alone(customized, venv, write, run_plainly, run_traced):
    (venv.site / "sitecustomize.py").write_text(customized)
    script = write("main.py", "import sys\nprint(sys.modules.get('sitecustomize'), hasattr(sys, 'customized'))\n")
    plain, traced = run_plainly(venv.python, script), run_traced(venv.python, script)
    assert (traced.stdout, traced.status) == (plain.stdout, plain.status)
    # Only where the whole of Python fails to start is there a traceback, and we in it.
    fatal = {line for line in traced.stderr.splitlines() if "capsule-imports-" in line}
    assert not fatal or "Fatal Python error" in plain.stderr
    assert [line for line in traced.stderr.splitlines() if line not in fatal][:3] == plain.stderr.splitlines()[:3]


def test_a_command_that_traces_runs_in_one_that_is_traced(small, write, run_traced, tmp_path):
    local = write("local.py", "")
    inner = (
        "import os, subprocess, sys\nfrom capsulestore.capture.imports import tracing\n"
        "with tracing(dict(os.environ)) as inner:\n"
        "    subprocess.run([sys.argv[1], '-c', 'import local, sys; print(sys.path)'], env=inner.environ)\n"
        "    print(sorted(inner.files().files))\n"
    )
    done = run_traced(sys.executable, "-c", inner, small.python)
    assert done.stdout.splitlines()[1] == str([str(local)])
    assert str(local) in done.traced.files
    assert "capsule-imports" not in done.stdout.splitlines()[0]


def test_nothing_is_left_where_compiled_modules_are_kept(small, write, run_traced, tmp_path):
    kept = tmp_path / "compiled"
    write("local.py", "")
    assert run_traced(small.python, "-c", "import local", PYTHONPYCACHEPREFIX=str(kept)).status == 0
    assert list(kept.rglob("local.*"))
    assert not list(kept.rglob("*sitecustomize*"))


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_an_interpreter_that_ignores_us_is_not_seen(option, small, write, run_traced):
    done = run_traced(small.python, option, write("main.py", "print('ran')\n"))
    assert done.stdout == "ran\n"
    assert (done.traced.interpreters, done.traced.files) == (frozenset(), frozenset())


def test_what_is_no_python_is_not_seen(run_traced):
    done = run_traced("sh", "-c", "echo $PYTHONPATH; exit 3")
    assert done.status == 3
    assert "capsule-imports" in done.stdout
    assert done.traced.interpreters == frozenset()
    assert done.traced.complete


@pytest.mark.slow
def test_every_python_of_this_machine_runs_as_it_would_alone(pythons, write, run_plainly, run_traced, tmp_path):
    local = write("local.py", "")
    script = write(
        "main.py", "import sys\nimport local\nprint(sys.path, len(sys.meta_path), sorted(sys.modules))\nlocal.x\n"
    )
    for version, python in {**pythons, "system": "/usr/bin/python3"}.items():
        # -B: old Pythons write compiled modules beside the source.
        plain, traced = run_plainly(python, "-B", script), run_traced(python, "-B", script)
        assert traced.stderr == plain.stderr, version
        assert traced.status == plain.status, version
        assert traced.stdout.replace("'atexit', ", "") == plain.stdout.replace("'atexit', ", ""), version
        if version != "2.7":
            assert str(local) in traced.traced.files, version
        if version in {"2.7", "3.6", "3.7"}:
            assert traced.traced.problem == f"Python {version} cannot be observed as it runs"
        else:
            assert traced.traced.complete, version
