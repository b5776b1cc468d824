"""`--capture-capsule` of a command of click."""

import pytest

pytestmark = pytest.mark.slow

FIT = """
import sys
from pathlib import Path
import click
from capsulestore.post_process import capture_capsule_option

@click.command()
@click.option("--out", type=click.Path(path_type=Path), default="out")
@capture_capsule_option(inputs=["{data}"], outputs=["{out}/*.csv"])
@click.option("--pin", hide_input=True, default="1234")
@click.argument("data", nargs=-1)
@click.pass_context
def fit(ctx, out, pin, data):
    out.mkdir()
    (out / "fit.csv").write_text("1,2,3")
    print("fitted")
    {end}

if __name__ == "__main__":
    fit()
"""


@pytest.fixture
def fit(script):
    """A script that ends in its own way."""
    return lambda end="": script(FIT.replace("{end}", end))


def test_with_the_flag_the_command_is_recorded(fit, project, told):
    (project / "data.csv").write_text("0")
    done = fit()("--capture-capsule", "--out", "found", "data.csv")
    assert (done.returncode, done.stdout) == (0, "fitted\n")
    manifest = told(done)
    assert (manifest["title"], manifest["status"]) == ("fit.py", "completed")
    assert manifest["parameters"] == {"out": "found", "data": ["data.csv"]}
    assert [file["path"] for file in manifest["inputs"]] == ["data.csv"]
    assert [file["path"] for file in manifest["outputs"]] == ["found/fit.csv"]
    assert manifest["entry_point"] == "fit.py"


@pytest.mark.parametrize(
    ("end", "status", "recorded", "exception"),
    [
        ("ctx.exit()", 0, "completed", None),
        ("ctx.exit(3)", 3, "failed", "Exit"),
        ("sys.exit(3)", 3, "failed", "SystemExit"),
        ("raise SystemExit(0)", 0, "completed", None),
        ("raise click.UsageError('no')", 2, "failed", "UsageError"),
        ("raise ValueError('no')", 1, "failed", "ValueError"),
        ("raise KeyboardInterrupt", 1, "failed", "KeyboardInterrupt"),
    ],
)
def test_the_command_ends_as_ever_and_the_capsule_says_how(end, status, recorded, exception, fit, told, project):
    without = fit(end)()
    assert without.returncode == status
    (project / "out" / "fit.csv").unlink()
    (project / "out").rmdir()
    done = fit(end)("--capture-capsule")
    assert (done.returncode, done.stdout) == (without.returncode, without.stdout)
    manifest = told(done)
    assert (manifest["status"], manifest["run"].get("exception")) == (recorded, exception)


SHAPES = """
import asyncio
import functools
import click
from capsulestore.post_process import capture_capsule_option

def awaited(function):
    return functools.wraps(function)(lambda *given, **named: asyncio.run(function(*given, **named)))

@click.group()
def cli(): ...

@cli.command()
@capture_capsule_option
@click.option("--n", type=int, default=3)
def above(n): print(n)

@cli.command()
@click.option("--n", type=int, default=3)
@capture_capsule_option
def below(n): print(n)

@capture_capsule_option(title="of a command")
@cli.command()
@click.option("--n", type=int, default=3)
def around(n): print(n)

@cli.command()
@awaited
@capture_capsule_option()
@click.option("--n", type=int, default=3)
async def later(n):
    await asyncio.sleep(0)
    print(n)

@cli.command()
@capture_capsule_option
@click.option("--n", type=int, default=3)
@click.pass_context
def calls(ctx, n): ctx.invoke(below, n=n)

@cli.group()
@capture_capsule_option
def more(): ...

@more.command()
@capture_capsule_option
@click.option("--n", type=int, default=3)
def deep(n): print(n)

cli()
"""


@pytest.mark.parametrize(
    ("command", "title"),
    [
        ("above", "fit.py above"),
        ("below", "fit.py below"),
        ("around", "of a command"),
        ("later", "fit.py later"),
        ("calls", "fit.py calls"),
        ("more deep", "fit.py more deep"),
    ],
)
def test_the_option_stands_anywhere_and_its_command_too(command, title, script, told):
    done = script(SHAPES)(*command.split(), "--capture-capsule", "--n", "5")
    assert (done.returncode, done.stdout) == (0, "5\n")
    manifest = told(done)
    assert (manifest["title"], manifest["parameters"]) == (title, {"n": 5})


def test_a_group_says_that_its_commands_need_the_option(script, manifests):
    done = script(SHAPES)("more", "--capture-capsule", "deep")
    assert (done.returncode, done.stdout) == (0, "3\n")
    assert "fit.py more: not recorded" in done.stderr
    assert manifests() == []


def test_the_help_tells_the_flag(fit):
    assert "--capture-capsule" in fit()("--help").stdout


@pytest.mark.parametrize("start", [["fit.py", "--capture-capsule"], ["fit.py", "--capture-capsule", "--out", "out"]])
def test_without_a_store_it_is_a_warning(start, fit):
    done = fit()(*start[1:])
    assert (done.returncode, done.stdout) == (0, "fitted\n")
    (line,) = done.stderr.splitlines()
    assert line.startswith("fit.py: not recorded: no `.capsules`")
    assert "capsule init" in line


def test_outputs_that_name_no_parameter_are_a_warning(script, manifests):
    text = FIT.replace("{end}", "").replace("{out}/*.csv", "{uot}/*.csv")
    done = script(text)("--capture-capsule")
    assert done.returncode == 0
    assert "`{uot}/*.csv`: the script has no parameter `uot`" in done.stderr
    (manifest,) = manifests()
    assert "outputs" not in manifest


def test_without_the_flag_nothing_is_captured_and_no_store_is_needed(fit):
    end = "print(*(name for name in sys.modules if name.startswith('capsulestore.')))"
    done = fit(end)()
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.split()) == {
        "fitted",
        "capsulestore.post_process",
        "capsulestore.capture_flag",
        "capsulestore.capture_flag.of_click",
        "capsulestore.capture_flag.script",
    }
