"""docs/python.md shows what its calls really answer.

Its examples (`>>>`) are run in order, in one interpreter, in a directory with a store and an environment in `.venv`;
what they print must be what the page shows, but for digests and the interpreter's version, ABI and platform.
`UPDATE_README=1` writes what is printed now into the page.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from doctest import DocTestParser
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "python.md"
BLOCK = re.compile(r"(?<=```)(pycon|console)\n(.*?)(?=```)", re.DOTALL)
SCRIPT = re.compile(r"```python\n# (\S+)\n(.*?)```", re.DOTALL)

# What an interactive interpreter does, and a shell beside it, with each answer apart.
INTERPRETER = """
import io, json, subprocess, sys, traceback
from contextlib import redirect_stdout
answers, names = [], {"__name__": "__main__"}
for kind, source in json.load(sys.stdin):
    with redirect_stdout(io.StringIO()) as printed:
        try:
            if kind == "console":
                shell = {"shell": True, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
                print(subprocess.run(source, **shell).stdout, end="")
            else:
                exec(compile(source, "<stdin>", "single"), names)
        except Exception as error:
            print("Traceback (most recent call last):\\n  ...")
            print("".join(traceback.format_exception_only(error)), end="")
    answers.append(printed.getvalue())
json.dump(answers, sys.stdout)
"""


def examples(kind: str, block: str) -> Iterator[tuple[str, str]]:
    """Yield each statement or command of a block with its kind."""
    if kind == "pycon":
        yield from ((kind, example.source) for example in DocTestParser().get_examples(block))
    else:
        yield from ((kind, line[2:]) for line in block.splitlines() if line.startswith("$ "))


def shown_as(kind: str, source: str, answer: str) -> str:
    """Return an example as a block has it: a statement with its prompts or a command, and its answer."""
    if kind == "console":
        return f"$ {source}\n{answer}"
    first, *more = source.splitlines()
    return "\n".join([f">>> {first}", *(f"... {line}" for line in more)]) + f"\n{answer}"


def masked(text: str) -> str:
    text = re.sub(r"\b[0-9a-f]{64}\b", "<digest>", text)
    text = re.sub(r"(?<!\w)[0-9a-f]{12}(?!\w)", "<digest>", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:+]+", "<time>", text)
    return re.sub(r'(?<=: )"[^"]*3\d\d?[^"]*"|3\.1\d\.\d+\S*?(?=[\'"])|"(x86_64|aarch64)"', "<interpreter>", text)


@pytest.mark.slow
def test_each_call_answers_what_the_page_shows(tmp_path, monkeypatch):
    project = tmp_path / "project"
    project.mkdir()
    (Path.home() / ".gitconfig").write_text("[user]\nname = Ada Lovelace\nemail = ada@example.org\n")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=project, check=True)
    subprocess.run(["capsule", "init"], cwd=project, check=True, capture_output=True)
    page = PAGE.read_text("utf-8")
    for name, text in SCRIPT.findall(page):
        (project / name).write_text(text)
    shown = [list(examples(*block)) for block in BLOCK.findall(page)]
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETER],
        cwd=project,
        input=json.dumps([example for block in shown for example in block]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answers = iter(json.loads(done.stdout))
    printed = ["".join(shown_as(*example, next(answers)) for example in block) for block in shown]
    if "UPDATE_README" in os.environ:
        texts = iter(printed)
        PAGE.write_text(BLOCK.sub(lambda block: f"{block[1]}\n{next(texts)}", page), "utf-8")
        page = PAGE.read_text("utf-8")
    assert [masked(text) for _, text in BLOCK.findall(page)] == [masked(text) for text in printed]
