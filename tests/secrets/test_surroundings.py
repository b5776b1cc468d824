"""I7: no secret enters a store that stands in variables, settings, or where a distribution came from."""

import json

import pytest

pytestmark = pytest.mark.slow

VARIABLES = {
    "PIP_INDEX_URL": "https://ann:{S}@index.example.org/simple",
    "PIP_EXTRA_INDEX_URL": "https://{S}@index.example.org/simple",
    "UV_INDEX_URL": "https://ann:{S}@index.example.org/simple",
    "UV_INDEX": "private=https://ann:{S}@index.example.org/simple",
    "UV_INDEX_PRIVATE_PASSWORD": "{S}",
    "TWINE_PASSWORD": "{S}",
    "AWS_SECRET_ACCESS_KEY": "{S}",
    "HF_TOKEN": "hf_{S}{S}",
    "LC_TOKEN": "{S}",
    "HTTPS_PROXY": "http://ann:{S}@proxy.example.org:3128",
    "XLA_FLAGS": "--xla_dump_to=https://ann:{S}@example.org/x",
    "PYTHONPATH": "/nowhere:https://ann:{S}@example.org/x",
    "TZ": "https://example.org/x?token={S}",
}
TOLD = ("PYTHONPATH", "TZ", "XLA_FLAGS")
"""Those of them that are recorded, without the secret."""

SETTINGS = {
    ".config/pip/pip.conf": "[global]\nindex-url = https://ann:{S}@index.example.org/simple\n",
    ".config/uv/uv.toml": '[[index]]\nname = "x"\nurl = "https://ann:{S}@index.example.org/simple"\n',
    ".netrc": "machine example.org login ann password {S}\n",
    ".pypirc": "[pypi]\nusername = __token__\npassword = pypi-AgE{S}\n",
    ".git-credentials": "https://ann:{S}@example.org\n",
    ".gitconfig": "[user]\n\tname = Ann\n\temail = ann@example.org\n[http]\n\textraHeader = Authorization: Basic {S}\n",
    "a project/.env": "API_KEY={S}\n",
}

SOURCES = (
    "https://ann:{S}@example.org/x",
    "git+https://{S}@example.org/x.git",
    "https://example.org/x.whl?X-Sig={S}#{S}",
)


def test_i7_no_secret_of_the_surroundings_enters_a_store(workshop):
    variables = {name: workshop.plant(name, value) for name, value in VARIABLES.items()}
    for path, text in SETTINGS.items():
        (workshop.home / path).parent.mkdir(parents=True, exist_ok=True)
        (workshop.home / path).write_text(workshop.plant(path, text))
    workshop.run("capture", "--json", env=variables)
    workshop.run("add", env=variables)
    (line,) = [line for line in workshop.told().splitlines() if "credentials" in line]
    assert all(name in line for name in TOLD)
    assert workshop.found() == {}


def test_i7_no_secret_in_where_a_distribution_came_from_enters_a_store(workshop):
    paths = sorted((workshop.project / ".venv").glob("lib/python*/site-packages/*.dist-info/direct_url.json"))
    assert len(paths) == len(SOURCES)
    for path, url in zip(paths, SOURCES, strict=True):
        document = json.loads(path.read_text())
        path.write_text(json.dumps({**document, "url": workshop.plant(path.parent.name, url)}))
    workshop.run("capture", "--json")
    workshop.run("add")
    (line,) = [line for line in workshop.told().splitlines() if "credentials" in line]
    assert all(name in line for name in ("alpha", "beta", "gamma"))
    assert workshop.found() == {}


def test_i7_no_secret_in_an_environment_captured_elsewhere_enters_a_store(workshop, not_recorded):
    document = json.loads(workshop.run("capture", "--json"))
    for (name, source), url in zip(document["context"]["python"]["sources"].items(), SOURCES, strict=True):
        source["url"] = workshop.plant(name, url)
    channels = [workshop.plant("a channel", "https://ann:{S}@conda.example.org/x"), "x"]
    document["context"]["conda"] = {"rules": 1, "channels": {"list": channels}}
    workshop.run("add", "--environment", "-", text=json.dumps(document))
    assert not_recorded.format("context") in workshop.told()
    assert workshop.found() == {}
