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
        'DB_PASSWORD = "correct horse battery staple"',
        'password = "abc{def<ghi"',
        'password = "it\'sme4711"',
        'password = "abc"',
        'password = ("a"\n    "bc")',
        '+password = (\n+    "a"\n+    "bc")',
        'password = "a" + "bc"',
        'password = \\\n    "hunter2x"',
        'password = """hunter\n2x"""',
        'requests.get(url, auth=("ada", "hunter2x"))',
        'requests.get(url, auth=(user, "hunter2x"))',
        'x = \'{"password": "hunter2x"}\'',
        'x = "{\\"password\\": \\"hunter2x\\"}"',
        'url = "https://ada:p{w@example.org/x"',
    ],
)
def test_a_literal_credential_is_found(source):
    assert holds_secret(f"import os\n{source}\n")


@pytest.mark.parametrize(
    "source",
    [
        'password <- "hunter2x"',
        '#define PASSWORD "hunter2x"',
        'char password[] = "hunter2x";',
        "const password = `hunter 2x`;",
        "client({ password: 'hunter2x' })",
        'let password: &str = "hunter2x";',
        'const PASSWORD: &\'static str = "hunter2x";',
        'password := "hunter2x"',
        '"password" => "hunter2x",',
    ],
)
def test_a_literal_credential_is_found_in_other_languages(source):
    assert holds_secret(f"\n{source}\n")


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
        'password = f"{user}:{password}"',
        'password = "${PASSWORD}"',
        'password = "<your password>"',
        'password = ""\nx = "hunter2x"',
        'login(password="", user="ada")',
        'headers = {"Authorization": f"Bearer {token}"}',
        'headers = {"Authorization": "Bearer " + token}',
        'requests.get(url, auth=("apikey", key))',
        'print("Password: ", end="")',
        'url = "http://%s:%s@%s" % (user, password, host)',
        'url = "https://<user>:<password>@example.org"',
    ],
)
def test_what_is_computed_or_of_another_kind_is_none(source):
    assert not holds_secret(f"import os\n{source}\n")


@pytest.mark.slow
def test_hardly_a_module_of_the_standard_library_is_taken_for_one_that_holds_a_secret():
    modules = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    suspected = [path.name for path in modules if holds_secret(path.read_text("utf-8", "replace"))]
    assert len(suspected) <= len(modules) // 25, suspected


STRANGE = [
    *['token = "', 'token=""', "token = ('' ,", 'password="<a>"\n', "token='{}'+", "token=(", "token: ", "token=<\n"],
    *["a", "?a=", "://a:", '"--token", ', "token: str | ", "#define token ("],
]


@pytest.mark.slow
@pytest.mark.parametrize("part", STRANGE)
def test_a_long_source_of_strange_shape_is_looked_through(part):
    source = part * (1_000_000 // len(part))
    assert not holds_secret(source)
    assert holds_secret(f"{source}\n{TOKEN}")
    assert holds_secret(f'{source}\n"\'"\'\npassword = "hunter2x"\n')
