"""What a program holds as a literal may be a credential; what it computes is none, whatever it is called."""

import sysconfig
from pathlib import Path

import pytest

from capsulestore.model.redaction.source import holds_secret

TOKEN = "ghp_" + "a1B2" * 9


@pytest.mark.parametrize(
    "source",
    [
        'token = "abcd1234efgh"',
        'password: str = "hunter2x"',
        'settings = {"api_key": "abcdef12345"}',
        'os.environ["DB_PASSWORD"] = "hunter2x"',
        'run(["login", "--token", "abcdef12"])',
        'run(\n    "--password",\n    "hunter2x",\n)',
        'url = "https://ada:hunter2x@example.org/x"',
        'url = "https://example.org/x?sig=abcdef12&y=1"',
        f"# {TOKEN}",
        f'client = Client("{TOKEN}")',
        "-password = 'hunter2hunter2'",
        '+secret_key = b"abcd1234"',
    ],
)
def test_a_literal_credential_is_found(source):
    assert holds_secret(f"import os\n{source}\n")


@pytest.mark.parametrize(
    "source",
    [
        "token = _watched.set(collected)",
        "password = getpass.getpass()",
        'password = os.environ["DB_PASSWORD"]',
        'tokenizer = "bert-base-uncased"',
        'pad_token = "padding"',
        'max_tokens = "unlimited"',
        '__all__ = ["Token", "copy_context"]',
        'key = "column_a"',
        'url = f"https://{user}:{password}@example.org"',
        'url = "https://example.org/x?page=12345"',
    ],
)
def test_what_is_computed_or_of_another_kind_is_none(source):
    assert not holds_secret(f"import os\n{source}\n")


def test_hardly_a_module_of_the_standard_library_is_taken_for_one_that_holds_a_secret():
    modules = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    suspected = [path.name for path in modules if holds_secret(path.read_text("utf-8", "replace"))]
    assert len(suspected) <= len(modules) // 25, suspected


@pytest.mark.parametrize("part", ['token = "', "a", "?a=", "://a:", '"--token", ', "token: str | "])
def test_a_long_source_of_strange_shape_comes_to_an_end(part):
    assert not holds_secret(part * (1_000_000 // len(part)))
