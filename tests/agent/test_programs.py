"""What is recorded of a program: how it was started, what it loaded, its code; and verifying finds the same."""

import hashlib
import json
import shutil
import zipapp
from dataclasses import replace

import pytest

pytestmark = pytest.mark.slow

BLOCK = """
from capsulestore import record
with record("fit") as run:
    import six
    import own
print(run.capsule_id)
"""
OWN = "value = 1\n"


@pytest.fixture
def own(project):
    """The project, with a module of its own and a program that records itself, as a script and in a package."""
    project.write("own.py", OWN)
    project.write("package/__init__.py", "")
    project.write("package/own.py", OWN)
    project.write("package/__main__.py", BLOCK)
    project.write("fit.py", BLOCK)
    return project


def archive(project):
    """Make an archive that is run as a program."""
    (project.directory / "app").mkdir()
    project.write("app/__main__.py", BLOCK)
    project.write("app/own.py", OWN)
    zipapp.create_archive(project.directory / "app", project.directory / "app.pyz")
    shutil.rmtree(project.directory / "app")


STARTED = {
    "a script": (["fit.py"], "fit.py", ["fit.py", "own.py"]),
    "a script elsewhere": (["../a project/fit.py"], "fit.py", ["fit.py", "own.py"]),
    "a module": (["-m", "fit"], "fit.py", ["fit.py", "own.py"]),
    "a package": (["-m", "package"], "package/__main__.py", ["own.py", "package/__init__.py", "package/__main__.py"]),
    "a directory": (["package"], "package/__main__.py", ["package/__main__.py", "package/own.py"]),
    "a text": (["-c", BLOCK], None, ["own.py"]),
    "an archive": (["app.pyz"], "app.pyz", ["app.pyz"]),
}


@pytest.mark.parametrize(("words", "entry_point", "files"), STARTED.values(), ids=STARTED)
def test_command_entry_point_and_code_are_those_of_the_program(words, entry_point, files, own):
    archive(own)
    printed = own.run(*words).out.strip()
    manifest = own.manifest()
    assert manifest["command"] == [str(own.python), *words]
    assert manifest.get("entry_point") == entry_point
    assert sorted(file["path"] for file in manifest["code"]["files"]) == files
    assert own.loaded(manifest) == ["six"]
    assert own.verify(printed)["verdict"] == own.verify("--loaded")["verdict"] == "identical"


def test_a_program_from_standard_input_has_no_entry_point(own):
    own.run("-", text=BLOCK)
    manifest = own.manifest()
    assert "entry_point" not in manifest
    assert manifest["command"] == [str(own.python), "-"]
    assert [file["path"] for file in manifest["code"]["files"]] == ["own.py"]


def test_the_files_of_the_code_have_their_digests_and_a_change_is_told(own):
    own.run("fit.py")
    (script, module) = own.manifest()["code"]["files"]
    assert module["sha256"] == hashlib.sha256(OWN.encode()).hexdigest()
    assert script["sha256"] == hashlib.sha256(BLOCK.encode()).hexdigest()
    own.write("own.py", "value = 2\n")
    answer = own.verify(status=1)
    assert answer["verdict"] == "identical"
    assert {failure["code"] for failure in answer["failures"]} == {"code_changed"}


def test_the_environment_is_the_one_that_the_commands_capture(own):
    own.run("fit.py")
    answer = json.loads(own.capsule("capture", "--json", "--python", own.python).out)
    manifest = own.manifest()
    assert manifest["environment_digest"] == answer["environment_digest"]
    assert manifest["target"] == {"python": str(own.python), "chosen_by": "running"}


LOADED = {
    "nothing": ("", []),
    "two": ("import six\nimport idna.core\n", ["idna", "six"]),
    "a module that waits to be used": (
        "import importlib.util, sys\nspec = importlib.util.find_spec('idna')\n"
        "spec.loader = importlib.util.LazyLoader(spec.loader)\n"
        "sys.modules['idna'] = module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\n",
        [],
    ),
    "a module that waited and was used": (
        "import importlib.util, sys\nspec = importlib.util.find_spec('idna')\n"
        "spec.loader = importlib.util.LazyLoader(spec.loader)\n"
        "sys.modules['idna'] = module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\n"
        "module.encode\n",
        ["idna"],
    ),
    "no modules at all": (
        "import sys, types\nsys.modules['a'] = None\nsys.modules['b'] = 3\nsys.modules['c'] = types.ModuleType('c')\n"
        "sys.modules['d'] = types.ModuleType('d')\nsys.modules['d'].__file__ = '/nowhere/at/all.py'\n"
        "sys.modules['e'] = types.SimpleNamespace(__file__=3)\n"
        "sys.modules['f'] = types.SimpleNamespace(__file__='\\0')\n",
        [],
    ),
    "one that answers to everything": (
        "import sys\nclass All:\n    def __getattr__(self, name): raise SystemExit(name)\n"
        "    __class__ = property(lambda self: sys.exit('asked'))\nsys.modules['a'] = All()\n",
        [],
    ),
    "an import in a function": ("def within():\n    import six\nwithin()\n", ["six"]),
}


@pytest.mark.parametrize(("text", "loaded"), LOADED.values(), ids=LOADED)
def test_loaded_are_the_distributions_that_were_imported_and_no_others(text, loaded, project):
    after = f"from capsulestore import record\nwith record('fit'):\n    pass\n{text}with record('fit'):\n    pass\n"
    project.script(after)
    first, second = project.manifests()
    assert (project.loaded(first), project.loaded(second)) == ([], loaded)
    assert set(first["loaded"]) >= {"dulwich", "orjson", "rfc8785"}


def test_verifying_by_what_was_loaded_looks_at_nothing_else(project, make_environment, tmp_path):
    project = replace(project, python=make_environment(tmp_path / "own", "six==1.16.0", "idna==3.6"))
    project.script(BLOCK.replace("    import own\n", ""))
    (unused,) = (tmp_path / "own").glob("lib/python*/site-packages/idna-*.dist-info")
    shutil.rmtree(unused)
    shutil.rmtree(unused.parent / "idna")
    assert project.verify(status=1)["verdict"] == "different"
    assert project.verify("--loaded")["verdict"] == "identical"
    (used,) = unused.parent.glob("six-*.dist-info")
    shutil.rmtree(used)
    assert project.verify("--loaded", status=1)["verdict"] == "different"


def test_only_the_layers_that_are_wanted_are_captured(project):
    project.script(
        "from capsulestore import record\nwith record('fit', layers=['variables', 'container']): import six\n"
    )
    manifest = project.manifest()
    assert sorted(manifest["layers"]) == ["container", "variables"]
    assert project.loaded(manifest) == ["six"]
