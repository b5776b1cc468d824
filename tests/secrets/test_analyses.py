"""I7: no secret enters a store that an analysis which records itself is called with, says of itself, or fails with."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

QUICKLY = "layers=['container']"
BEGIN = "import os\nfrom capsulestore import record\n"

ARGUMENTS = f"""{BEGIN}
from argparse import Namespace
from dataclasses import dataclass
from typing import NamedTuple

@dataclass
class Settings:
    alpha: float
    api_key: str

class Login(NamedTuple):
    user: str
    password: str

class Client:
    def __init__(self, token):
        self.token = token
    def __repr__(self):
        return f"Client(token={{{{self.token!r}}}})"

@record("fit", {QUICKLY})
def fit(password, settings, login, client, options, url, *words, default="{{no secret}}", **more):
    return "result"

assert "result" == fit(
    "{{by name}}",
    Settings(0.1, "{{in a dataclass}}"),
    Login("ann", "{{in a named tuple}}"),
    Client("{{in the text of an object}}"),
    Namespace(deep=[{{{{"db": {{{{"secret_key": b"{{in bytes, by name}}"}}}}}}}}]),
    "https://ann:{{in a url}}@example.org/x?signature={{in a query}}",
    "--password", "{{among words}}",
    keys={{{{"https://{{in a key}}@h/": 2}}}},
    token="{{by a name that is not known}}",
    hf="hf_{{by form}}{{by form}}",
)
"""

SAID = f"""{BEGIN}
with record("fit --token {{in the title}}", labels={{{{"password": "{{in a label}}"}}}}, {QUICKLY}) as run:
    run.parameters["note"] = "Authorization: Bearer {{in a parameter}}"
    run.labels["TOKEN"] = "{{added later}}"
    os.environ["HF_TOKEN"] = "{{in a variable}}"
    os.environ["LC_TOKEN"] = "{{in a variable of a known kind}}"
"""

FAILED = f"""{BEGIN}
@record("fit", {QUICKLY})
def fit():
    raise ValueError("https://ann:{{in an exception}}@example.org/x")
try:
    fit()
except ValueError:
    pass
with record("fit", inputs=["https://ann:{{in a missing input}}@example.org/x"], {QUICKLY}) as run:
    pass
"""

CONTROL = "no secret"
"""What is planted and recorded, so that looking for it can find something."""


class Planting(dict):
    """Gives each place that a text names a secret of its own."""

    def __init__(self, workshop):
        super().__init__()
        self.workshop = workshop

    def __missing__(self, place):
        self[place] = self.workshop.plant(place)
        return self[place]


PROGRAMS = {"arguments": (ARGUMENTS, {CONTROL}), "said of it": (SAID, set()), "failed": (FAILED, set())}


@pytest.mark.parametrize(("program", "recorded"), PROGRAMS.values(), ids=PROGRAMS)
def test_i7_no_secret_of_an_analysis_enters_a_store(program, recorded, workshop):
    text = program.format_map(Planting(workshop))
    (workshop.project / "fit.py").write_text(text)
    environ = {**os.environ, "HOME": str(workshop.home)}
    done = subprocess.run(
        [sys.executable, "fit.py"], cwd=workshop.project, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    workshop.said.append((done.stdout, done.stderr))
    assert len(workshop.planted) > 1
    # Of a file, the path that was given is said.
    found = {place: where for place, where in workshop.found().items() if where != {"stderr"}}
    assert set(found) == recorded


def test_i7_no_secret_in_the_text_of_a_program_enters_a_store(workshop):
    text = workshop.plant("a program", f"{BEGIN}password = '{{S}}'\nwith record('fit', {QUICKLY}): pass\n")
    environ = {**os.environ, "HOME": str(workshop.home)}
    subprocess.run([sys.executable, "-c", text], cwd=workshop.project, env=environ, capture_output=True, check=True)
    assert workshop.found() == {}
