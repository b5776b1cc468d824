"""docs/api.md shows what its calls really answer.

Its commands are run in order, in one shell, in a directory with a store, an environment in `.venv` and the wheels of
two versions of a package; the block that begins with `capsule serve` is the server that answers all of them. What they
print must be what the page shows, but for digests, times, tokens, cursors, ports, how much is moved, and versions; and
what `shortened` leaves out of long answers. `UPDATE_README=1` writes what is printed now into the page. Every route,
with its parameters, and every status that `/openapi.json` knows has its place there.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_wheels import small_wheel

from capsulestore.api import create_app
from capsulestore.store import Store

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"
BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)\n", re.MULTILINE)
SCRIPT = re.compile(r"```python\n# (\S+\.py)\n(.*?)```", re.DOTALL)
SHOWN_AT = "http://127.0.0.1:8000"
SERVE = "capsule serve"
END = "--- the command has ended ---"
LONG = ("context", "context_changes", "interpreter", "states")
"""Members of an answer of which the page shows that they are there, and not what is in them."""


@pytest.fixture
def thesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ada's directory, on whose machine nothing listens yet."""
    directory = tmp_path / "home" / "ada" / "thesis"
    directory.mkdir(parents=True)
    (Path.home() / ".gitconfig").write_text("[user]\nname = Ada Lovelace\nemail = ada@example.org\n")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory / ".venv"], check=True)
    for version in ("1.0", "1.1"):
        small_wheel(directory / "wheels", "tides", version)
    install = ["uv", "pip", "install", "-q", "wheels/tides-1.0-py3-none-any.whl"]
    subprocess.run(install, cwd=directory, check=True, capture_output=True)
    (directory / "fit.csv").write_text("slope,0.71\n")
    Store.init(str(directory)).close()
    return directory


@pytest.fixture
def url(thesis: Path) -> Iterator[str]:
    """Where the server listens that the page starts; what it says besides is in `server.log`."""
    with (thesis / "server.log").open("wb") as log:
        command = [*SERVE.split(), "--port", "0"]
        server = subprocess.Popen(command, cwd=thesis, stdout=subprocess.PIPE, stderr=log, text=True)
    assert server.stdout
    with server.stdout:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait() == 0


def outputs(commands: list[str], directory: Path, url: str) -> list[str]:
    """Run commands one after the other in one shell; return what each prints on either stream."""
    lines = "".join(f"{command}\necho {shlex.quote(END)}\n" for command in commands).replace(SHOWN_AT, url)
    done = subprocess.run(
        ["/bin/bash"],
        cwd=directory,
        input=lines,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    *printed, last = done.stdout.split(f"{END}\n")
    assert last == ""
    return printed


def shortened(text: str) -> str:
    for name in LONG:
        member = rf'^( *)("{name}": )(?:(\{{)|\[)\n.*?^\1[}}\]]'
        text = re.sub(
            member,
            lambda found: f"{found[1]}{found[2]}{'{...}' if found[3] else '[...]'}",
            text,
            flags=re.MULTILINE | re.DOTALL,
        )
    return text


def masked(text: str) -> str:
    text = re.sub(r"\b[0-9a-f]{64}\b", "<digest>", text)
    text = re.sub(r"(?<!\w)[0-9a-f]{12}(?!\w)", "<digest>", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+(Z|\+00:00)", "<time>", text)
    text = re.sub(r"\d+ objects(, [\d.]+ [KM]B|, \d+ bytes)?", "<objects>", text)
    text = re.sub(r'(?<="next": )"[\w-]+"', "<cursor>", text)
    return re.sub(r'(?<="version": )"\d+\.\d+\.\d+\w*"', "<version>", text)


@pytest.mark.slow
def test_each_call_answers_what_the_page_shows(thesis, url):
    page = PAGE.read_text("utf-8")
    for name, text in SCRIPT.findall(page):
        (thesis / name).write_text(text.replace(SHOWN_AT, url))
    commands = [command for block in BLOCK.findall(page) for command in COMMAND.findall(block) if command != SERVE]
    printed = iter(outputs(commands, thesis, url))
    (noted, *_) = (thesis / "server.log").read_text().splitlines(keepends=True)

    def shown(block: re.Match[str]) -> str:
        answers = (
            (command, f"{url}\n{noted}" if command == SERVE else next(printed)) for command in COMMAND.findall(block[0])
        )
        text = "".join(f"$ {command}\n{shortened(answer)}" for command, answer in answers)
        return text.replace(url, SHOWN_AT).replace(str(thesis.parents[2]), "")

    really = BLOCK.sub(shown, page)
    if "UPDATE_README" in os.environ:
        PAGE.write_text(really, "utf-8")
        page = really
    assert masked(page) == masked(really)
    assert "Traceback" not in page


def test_every_route_and_its_parameters_have_their_place(tmp_path):
    with Store.init(str(tmp_path)) as store:
        path = store.path
    described = create_app(path).openapi()
    sections = dict(
        re.findall(r"^### `([A-Z]+ /[^`]*)`\n(.*?)(?=^##)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    )
    routes = {
        f"{method.upper()} {path}": route
        for path, routes in described["paths"].items()
        for method, route in routes.items()
    }
    assert set(sections) == set(routes)
    for heading, route in routes.items():
        for parameter in route.get("parameters", []):
            if parameter["in"] == "query":
                assert f"`{parameter['name']}`" in sections[heading], (heading, parameter["name"])


def test_every_status_has_its_line(tmp_path):
    with Store.init(str(tmp_path)) as store:
        path = store.path
    described = create_app(path).openapi()
    known = {
        status for routes in described["paths"].values() for route in routes.values() for status in route["responses"]
    }
    lines = re.findall(r"^\| (\d{3}) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert {status for status in known if status >= "400"} <= set(lines)
    assert lines == sorted(set(lines))
