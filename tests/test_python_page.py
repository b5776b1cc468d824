"""docs/python.md shows what its calls really answer.

Its examples (`>>>`) are run in order, in one interpreter, in a directory with a store and an environment in `.venv`; what
they print must be what the page shows, but for digests and the interpreter's version, ABI and platform.
`UPDATE_README=1` writes what is printed now into the page.
"""

import json
import os
import re
import subprocess
import sys
from doctest import DocTestParser
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "python.md"
BLOCK = re.compile(r"(?<=```pycon\n)(.*?)(?=```)", re.DOTALL)

# What an interactive interpreter does, with each answer apart.
INTERPRETER = """
import io, json, sys, traceback
from contextlib import redirect_stdout
answers, names = [], {"__name__": "__main__"}
for source in json.load(sys.stdin):
    with redirect_stdout(io.StringIO()) as printed:
        try:
            exec(compile(source, "<stdin>", "single"), names)
        except Exception as error:
            print("Traceback (most recent call last):\\n  ...")
            print("".join(traceback.format_exception_only(error)), end="")
    answers.append(printed.getvalue())
json.dump(answers, sys.stdout)
"""


def examples(block: str) -> list[tuple[str, str]]:
    """Return each statement of a block, and what is shown below it."""
    return [(example.source, example.exc_msg or example.want) for example in DocTestParser().get_examples(block)]


def block_of(answered: list[tuple[str, str]]) -> str:
    """Return a block's text: statements with their prompts, and answers."""
    text = ""
    for source, answer in answered:
        first, *more = source.splitlines()
        lines = [f">>> {first}", *(f"... {line}".rstrip() for line in more)]
        text += "\n".join([*lines, *(["..."] if more and more[-1].startswith(" ") else [])]) + f"\n{answer}"
    return text


def masked(text: str) -> str:
    text = re.sub(r"\b[0-9a-f]{64}\b", "<digest>", text)
    return re.sub(r'(?<=: )"[^"]*3\d\d?[^"]*"|3\.1\d\.\d+\S*?(?=[\'"])|"(x86_64|aarch64)"', "<interpreter>", text)


@pytest.mark.slow
def test_each_call_answers_what_the_page_shows(tmp_path, monkeypatch):
    project = tmp_path / "project"
    project.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=project, check=True)
    subprocess.run([sys.executable, "-m", "capsulestore_cli", "init"], cwd=project, check=True, capture_output=True)
    page = PAGE.read_text("utf-8")
    shown = [examples(block) for block in BLOCK.findall(page)]
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETER],
        cwd=project,
        input=json.dumps([source for block in shown for source, _ in block]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answers = iter(json.loads(done.stdout))
    printed = [block_of([(source, next(answers)) for source, _ in block]) for block in shown]
    if "UPDATE_README" in os.environ:
        texts = iter(printed)
        PAGE.write_text(BLOCK.sub(lambda _: next(texts), page), "utf-8")
        page = PAGE.read_text("utf-8")
    assert [masked(text) for text in BLOCK.findall(page)] == [masked(text) for text in printed]
