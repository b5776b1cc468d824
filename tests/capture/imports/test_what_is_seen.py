"""Every module that a command runs is seen, in whichever of its processes and however that one ends."""

import importlib.util
import shutil
import signal
import sys
import zipfile
from pathlib import Path

import pytest
import uv as uv_package

LOCAL = "import local\n"

PROCESSES = {
    "a script": LOCAL,
    "a thread": "import threading\nthread = threading.Thread(target=__import__, args=['local'])\nthread.start()\n"
    "thread.join()\n",
    "os._exit": f"import os\n{LOCAL}os._exit(0)\n",
    "a fork that ends by os._exit": "import os\nif not os.fork():\n    import local\n    os._exit(0)\nos.wait()\n",
    "a subprocess": "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import local'], check=True)\n",
    "a subprocess through a shell": "import os, sys\nos.system(f'cd / && {sys.executable} {__file__[:-7]}other.py')\n",
    "an exec": "import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'import local'])\n",
    "a pool that forks": "import multiprocessing\n"
    "with multiprocessing.get_context('fork').Pool(1) as pool:\n    pool.map(exec, ['import local'], 1)\n",
    "a pool that spawns": "import concurrent.futures, multiprocessing\nif __name__ == '__main__':\n"
    "    spawn = multiprocessing.get_context('spawn')\n"
    "    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:\n"
    "        pool.submit(exec, 'import local').result()\n",
    "a fork server": "import multiprocessing\nif __name__ == '__main__':\n"
    "    process = multiprocessing.get_context('forkserver').Process(target=exec, args=['import local'])\n"
    "    process.start()\n    process.join()\n",
    "a closed descriptor each": f"import os\nos.closerange(3, 1000)\n{LOCAL}",
    "another working directory": f"import os\nos.chdir('/')\n{LOCAL}",
    "variables that were cleared": f"import os\nos.environ.clear()\n{LOCAL}",
}


@pytest.mark.parametrize("program", PROCESSES.values(), ids=PROCESSES)
def test_a_module_is_seen_by_its_file_and_so_is_the_script(program, small, write, run_traced, tmp_path):
    write("local.py", "value = 1\n")
    write("other.py", LOCAL)
    script = write("main.py", program)
    done = run_traced(small.python, script)
    assert (done.status, done.stderr) == (0, "")
    assert {str(tmp_path / "local.py"), str(script)} <= done.traced.files
    assert done.traced.files <= {str(tmp_path / name) for name in ("local.py", "main.py", "other.py")}
    assert done.traced.interpreters == {str(small.python.parents[1])}
    assert done.traced.complete


def test_a_process_that_is_killed_has_said_what_it_ran(small, write, run_traced, tmp_path):
    write("local.py", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    done = run_traced(small.python, write("main.py", "import alpha.core\nimport local\n"))
    assert done.status == -signal.SIGKILL
    expected = {small.site / "alpha" / "__init__.py", small.site / "alpha" / "core.py", tmp_path / "local.py"}
    assert {str(path) for path in expected} <= done.traced.files


def test_a_module_that_fails_was_run_all_the_same(small, write, run_traced, tmp_path):
    write("local.py", "raise ImportError('not here')\n")
    done = run_traced(small.python, write("main.py", "try:\n    import local\nexcept ImportError:\n    pass\n"))
    assert str(tmp_path / "local.py") in done.traced.files


def test_a_module_that_was_only_looked_for_is_not_seen(small, write, run_traced):
    looks = "import importlib.util, pkgutil\nassert importlib.util.find_spec('beta')\nlist(pkgutil.iter_modules())\n"
    lazily = (
        "spec = importlib.util.find_spec('gamma')\nspec.loader = importlib.util.LazyLoader(spec.loader)\n"
        "module = importlib.util.module_from_spec(spec)\nimport sys\nsys.modules['gamma'] = module\n"
        "spec.loader.exec_module(module)\n"
    )
    done = run_traced(small.python, write("main.py", looks + lazily))
    assert (done.status, done.stderr) == (0, "")
    assert not {file for file in done.traced.files if file.startswith(str(small.site))}
    done = run_traced(small.python, write("main.py", looks + lazily + "module.version\n"))
    assert {file for file in done.traced.files if file.startswith(str(small.site))} == {str(small.site / "gamma.py")}


def test_of_a_package_that_is_run_as_a_program_every_module_is_seen(small, write, run_traced, tmp_path):
    for name in ("__init__", "__main__", "part"):
        write(f"package/{name}.py", "from . import part\n" if name == "__main__" else "")
    done = run_traced(small.python, "-m", "package")
    assert done.traced.files == {str(tmp_path / "package" / f"{name}.py") for name in ("__init__", "__main__", "part")}


def test_a_directory_that_is_run_as_a_program_is_seen(small, write, run_traced):
    main = write("program/__main__.py", "import beside\n")
    beside = write("program/beside.py", "")
    assert run_traced(small.python, main.parent).traced.files == {str(main), str(beside)}


def test_of_a_namespace_package_its_modules_are_seen(small, write, run_traced, tmp_path):
    write("one/space/a.py", "")
    write("two/space/b.py", "")
    done = run_traced(small.python, "-c", "import space.a, space.b", PYTHONPATH=f"{tmp_path}/one:{tmp_path}/two")
    assert done.traced.files == {str(tmp_path / "one/space/a.py"), str(tmp_path / "two/space/b.py")}


def test_of_a_module_in_an_archive_the_archive_is_seen(small, tmp_path, run_traced):
    archive = tmp_path / "modules.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("inside/__init__.py", "from . import deeper")
        file.writestr("inside/deeper.py", "")
    done = run_traced(small.python, "-c", "import inside", PYTHONPATH=str(archive))
    assert done.traced.files == {str(archive)}


@pytest.mark.parametrize("end", ["", "\nimport os\nos._exit(0)\n"], ids=["to the end", "os._exit"])
def test_a_module_without_source_is_seen_by_its_compiled_file(end, small, write, run_traced, run_plainly, tmp_path):
    source = write("local.py", "")
    assert run_plainly(small.python, "-m", "compileall", "-q", "-b", source).status == 0
    source.unlink()
    done = run_traced(small.python, "-c", f"import local{end}", PYTHONPATH=str(tmp_path))
    assert done.traced.files == {str(tmp_path / "local.pyc")}


def test_an_extension_module_is_seen(small, run_traced, tmp_path):
    found = importlib.util.find_spec("_zoneinfo")
    if found is None or not found.has_location:
        pytest.skip("the interpreter that runs the tests has no `_zoneinfo` in a file of its own")
    extension = Path(shutil.copy(found.origin, tmp_path))
    program = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport _zoneinfo\nimport os\nos._exit(0)\n"
    done = run_traced(small.python, "-c", program)
    assert (done.status, done.traced.files) == (0, {str(extension)})


def test_what_site_code_imports_is_seen(tmp_path, make_interpreter, small_wheels, write, run_traced):
    interpreter = make_interpreter(tmp_path / "python")
    interpreter.install(small_wheels["beta"], small_wheels["gamma"])
    (interpreter.site / "start.pth").write_text("import beta\n")
    base = {"PYTHONUSERBASE": str(tmp_path / "user")}
    user_site = interpreter.capture(**base).interpreter.user_site
    customized = write(f"{user_site}/usercustomize.py", "import gamma\n")
    done = run_traced(interpreter.python, "-c", "", **base)
    assert done.traced.files == {*(str(interpreter.site / name) for name in ("beta.py", "gamma.py")), str(customized)}
    assert done.traced.site_directories >= {str(interpreter.site), user_site}


def test_what_another_finder_brings_is_seen_before_and_behind_ours(small, write, run_traced, tmp_path):
    write("hidden/first.py", "")
    write("hidden/last.py", "")
    program = """
import importlib.util, os, sys

class Finder:
    def __init__(self, name):
        self.name = name

    def find_spec(self, name, path, target=None):
        if name == self.name:
            return importlib.util.spec_from_file_location(name, f"hidden/{name}.py")

sys.meta_path.insert(0, Finder("first"))
sys.meta_path.append(Finder("last"))
import first, last
sys.meta_path.clear()
os._exit(0)
"""
    done = run_traced(small.python, "-c", program)
    assert {str(tmp_path / "hidden" / f"{name}.py") for name in ("first", "last")} == done.traced.files


@pytest.mark.slow
def test_modules_that_pytest_rewrites_are_seen(write, run_traced, tmp_path):
    write("helpful.py", "def answer():\n    return 42\n")
    test = write("test_it.py", "import helpful\n\ndef test_it():\n    assert helpful.answer() == 42\n")
    conftest = write("conftest.py", "")
    done = run_traced(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test)
    assert done.status == 0, done.stdout
    assert {str(test), str(conftest), str(tmp_path / "helpful.py")} <= done.traced.files


def test_what_uv_starts_is_seen(small, run_traced):
    command = (uv_package.find_uv_bin(), "run", "--no-project", "--offline", "--python", small.python)
    done = run_traced(*command, "python", "-c", "import alpha")
    assert done.status == 0, done.stderr
    assert done.traced.files == {str(small.site / "alpha" / "__init__.py")}


def test_names_of_files_come_back_as_they_are(small, write, run_traced, tmp_path):
    odd = "new\nline\ttab\\back\udcff"
    write(f"{odd}/local.py", "")
    done = run_traced(small.python, "-c", "import local", PYTHONPATH=str(tmp_path / odd))
    assert done.traced.files == {str(tmp_path / odd / "local.py")}
    done = run_traced(small.python, "-c", "import local", PYTHONPATH=str(tmp_path / odd), LC_ALL="C", PYTHONUTF8="0")
    assert done.traced.files == {str(tmp_path / odd / "local.py")}
