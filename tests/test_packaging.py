"""What is installed is what is in the folders, and importing it costs nothing."""

import ast
import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import capsulestore
import capsulestore_cli

ROOT = Path(__file__).parents[1]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
SOURCES = [
    path
    for folder in ("capsulestore", "cli", "tests", "benchmarks", "examples")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


def packages_in(folder, name):
    """Return the import packages that a folder with Python files is, and those below it."""
    found = {path.parent.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*.py")}
    return {".".join((name, *path.parts)) for path in found}


def test_the_packages_that_are_installed_are_the_folders_with_python_files():
    listed = SETUPTOOLS["packages"]
    assert len(listed) == len(set(listed))
    assert set(listed) == packages_in("capsulestore", "capsulestore") | packages_in("cli", "capsulestore_cli")


@pytest.mark.parametrize("folder", ["capsulestore", "cli"])
def test_every_folder_with_python_files_is_a_package(folder):
    for path in (ROOT / folder).rglob("*.py"):
        assert (path.parent / "__init__.py").is_file(), f"{path.parent} has no __init__.py"


def test_the_marker_for_type_checkers_is_installed():
    assert "py.typed" in SETUPTOOLS["package-data"]["capsulestore"]
    assert (ROOT / "capsulestore" / "py.typed").is_file()


def test_there_are_sources_to_look_at():
    assert ROOT / "cli" / "app.py" in SOURCES
    assert Path(__file__) in SOURCES


def test_no_module_imports_the_commands_as_cli_which_would_be_a_second_copy():
    imported = []
    for path in SOURCES:
        source = path.read_bytes()
        # A module without the word is not worth parsing.
        for node in ast.walk(ast.parse(source)) if re.search(rb"\bcli\b", source) else ():
            if isinstance(node, ast.Import):
                imported += [(path, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.append((path, node.module))
    assert imported
    assert [(path, name) for path, name in imported if name.partition(".")[0] == "cli"] == []


def modules_of(package):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        # The probe runs in other people's interpreters, and does its work when it is started.
        if module.name != "capsulestore.capture.probe":
            yield module.name


MODULES = [name for package in (capsulestore, capsulestore_cli) for name in (package.__name__, *modules_of(package))]


def test_every_name_that_a_module_lists_is_in_it():
    listed = {name: getattr(import_module(name), "__all__", []) for name in MODULES}
    assert [name for name, names in listed.items() if len(names) != len(set(names))] == []
    absent = [(name, public) for name in MODULES for public in listed[name] if not hasattr(sys.modules[name], public)]
    assert absent == []


WHAT_IS_IMPORTED = """
import sys
before = set(sys.modules)
{statement}
found = set(sys.modules) - before
import json
print(json.dumps(sorted(found)))
"""


def imported_by(statement):
    """Return the modules that a statement brings into an interpreter that has just started."""
    code = WHAT_IS_IMPORTED.format(statement=statement)
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return set(json.loads(answer.stdout))


def test_importing_capsulestore_imports_none_of_its_rooms_and_nothing_of_others():
    imported = imported_by("import capsulestore")
    assert {name for name in imported if name.startswith("capsulestore")} == {"capsulestore"}
    strangers = {name.partition(".")[0] for name in imported} - set(sys.stdlib_module_names) - {"capsulestore"}
    assert strangers == set()
    assert not imported & {"json", "subprocess", "sqlite3", "importlib.metadata", "email", "asyncio"}


def test_the_model_does_without_the_repository_and_the_command_line():
    imported = imported_by("import capsulestore.model.mapping, capsulestore.model.capsule, capsulestore.model.commit")
    assert "capsulestore.model.mapping" in imported
    assert not {name.partition(".")[0] for name in imported} & {"dulwich", "click", "rfc8785", "urllib3"}


@pytest.mark.parametrize("name", ["Store", "capture_environment"])
def test_what_users_import_is_there_when_it_is_asked_for(name):
    assert name in capsulestore.__all__
    assert callable(getattr(capsulestore, name))


def test_a_name_that_is_not_there_is_an_ordinary_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        capsulestore.nonsense  # noqa: B018
