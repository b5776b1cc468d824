"""`--capture-capsule` of a parser that is one of several: the whole command line is what is recorded."""

import pytest

pytestmark = pytest.mark.slow

COMMANDS = """
import argparse
from capsulestore.post_process import add_capture_capsule_argument
{parsers}
options = parser.parse_args()
print(options.capture_capsule)
"""
OF_THE_WHOLE = """
parser = argparse.ArgumentParser()
add_capture_capsule_argument(parser, title="a whole")
parser.add_argument("--seed", default="1")
parser.add_subparsers().add_parser("fit").add_argument("--n", type=int)
"""
OF_A_PART = """
parser = argparse.ArgumentParser()
parser.add_argument("--seed", default="1")
part = parser.add_subparsers().add_parser("fit")
part.add_argument("--n", type=int)
add_capture_capsule_argument(part, outputs=["{seed}.csv"])
"""
OF_A_PARENT = """
parent = argparse.ArgumentParser(add_help=False)
parent.add_argument("--seed", default="1")
add_capture_capsule_argument(parent, title="a parent's")
parser = argparse.ArgumentParser(parents=[parent])
parser.add_argument("--n", type=int)
"""
OF_A_KIND = """
class Parser(argparse.ArgumentParser):
    def parse_args(self, *given, **named):
        options = super().parse_args(*given, **named)
        if options.n < 0:
            self.error("n is negative")
        return options

parser = Parser()
parser.add_argument("--seed", default="1")
parser.add_argument("--n", type=int)
add_capture_capsule_argument(parser)
"""


@pytest.mark.parametrize(
    ("parsers", "arguments", "title"),
    [
        (OF_THE_WHOLE, ["--capture-capsule", "fit"], "a whole"),
        (OF_A_PART, ["fit", "--capture-capsule"], "fit.py fit"),
        (OF_A_PARENT, ["--capture-capsule"], "a parent's"),
        (OF_A_KIND, ["--capture-capsule"], "fit.py"),
    ],
)
def test_a_command_is_recorded_with_the_arguments_of_every_parser(parsers, arguments, title, script, told):
    done = script(COMMANDS.replace("{parsers}", parsers))(*arguments, "--n", "5")
    assert (done.returncode, done.stdout) == (0, "True\n")
    manifest = told(done)
    assert (manifest["title"], manifest["parameters"]) == (title, {"seed": "1", "n": 5})


def test_outputs_may_name_an_argument_of_the_whole(script, project, told):
    (project / "7.csv").touch()
    done = script(COMMANDS.replace("{parsers}", OF_A_PART))("--seed", "7", "fit", "--capture-capsule")
    assert [file["path"] for file in told(done)["outputs"]] == ["7.csv"]


def test_of_two_flags_one_is_enough(script, told):
    text = COMMANDS.replace("{parsers}", OF_A_PART + "add_capture_capsule_argument(parser, title='a whole')")
    done = script(text)("--capture-capsule", "fit")
    assert done.returncode == 0
    assert told(done)["title"] == "a whole"


@pytest.mark.parametrize(
    ("parsers", "arguments"),
    [
        (OF_A_PART, ["fit", "--capture-capsule", "--frobnicate"]),
        (OF_A_PART, ["fit", "--capture-capsule", "one too many"]),
        (OF_A_PART + 'parser.add_argument("--must", required=True)', ["fit", "--capture-capsule"]),
        (OF_A_KIND, ["--capture-capsule", "--n", "-1"]),
    ],
)
def test_what_any_of_the_parsers_refuses_is_not_recorded(parsers, arguments, script, manifests):
    done = script(COMMANDS.replace("{parsers}", parsers))(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ")
    assert manifests() == []
