"""What a cell says of itself, as values: options, title, and whether its text may be kept."""

import subprocess
import sys

import pytest

import capsulestore
from capsulestore.errors import UsageError
from capsulestore.recording.cell import MAX_TITLE, holds_secret, title_of
from capsulestore.recording.cell_header import parse_header


def test_a_header_is_split_as_a_shell_splits_it():
    header = parse_header(
        """first fit --input "a b.csv" --input=c.csv --output 'out/*' -1 --param x=a=b --label k= --parent @"""
    )
    assert header.title == "first fit -1"
    assert header.inputs == ["a b.csv", "c.csv"]
    assert header.outputs == ["out/*"]
    assert header.parameters == {"x": "a=b"}
    assert header.labels == {"k": ""}
    assert header.parents == ["@"]
    assert not header.strict


def test_an_empty_header_says_nothing_and_strict_is_a_switch():
    assert parse_header("").title == ""
    assert parse_header("--strict").strict


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("--params x=1", "no option `--params`", "did you mean `--param`?"),
        ("-m fit", "no option `-m`", "there are `--input`, `--output`, `--parent`, `--param`, `--label`, `--strict`"),
        ("--input", "`--input` takes a value", "write `--input PATH`"),
        ("--parent", "`--parent` takes a value", "write `--parent NAME`"),
        ("--label", "`--label` takes a value", "write `--label KEY=VALUE`"),
        ("--label =x", "`--label =x` is no KEY=VALUE", "write `--label KEY=VALUE`"),
        ("--param a=1 --param a=2", "`--param` gives `a` twice", None),
        ("--strict=no", "`--strict` takes no value", None),
        ("'fit", "a quotation in `'fit` does not close", "write words with an apostrophe in double quotes"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused_with_what_to_write(line, message, hint):
    with pytest.raises(UsageError) as caught:
        parse_header(line)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("%%capsule\n# %%\n\n## Fit the model ##\nx = 1", "Fit the model ##"),
        ("%%capsule\nx = 1\n# why", "why"),
        ("%%capsule\n\n%%time\nfit(x)\n", "fit(x)"),
        ("%%capsule\n%cd data", "%%capsule"),
        ("", "cell"),
        ("# " + "x" * 100, "x" * (MAX_TITLE - 1) + "…"),
        ("# " + "x" * MAX_TITLE, "x" * MAX_TITLE),
    ],
)
def test_a_title_is_the_first_comment_else_the_first_line_of_code(text, title):
    assert title_of(text) == title


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("%%capsule fit\nx = 1", False),
        ("%%time\ntoken = tokens[0]", False),
        ("token = tokens[0]\nfiles = !ls", False),
        ("password = 'c0rrect-horse-battery'", True),
        ("answer = !curl --password c0rrect-horse-battery https://example.org", True),
        ("%env SECRET_KEY=c0rrect-horse-battery", True),
        ("%%bash\ntrue\nexport SECRET_KEY=c0rrect-horse-battery", True),
    ],
)
def test_what_looks_like_a_credential_is_found_in_python_and_in_commands(text, holds):
    assert holds_secret(text) is holds


def test_neither_the_package_nor_its_extension_imports_ipython():
    code = "import capsulestore, sys; capsulestore.load_ipython_extension; print('IPython' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_where_there_is_no_shell_it_says_what_to_install():
    with pytest.raises(UsageError) as caught:
        capsulestore.load_ipython_extension(None)
    assert "pip install 'capsulestore[notebook]'" in caught.value.hint
