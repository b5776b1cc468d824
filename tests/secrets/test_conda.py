"""I7: no secret enters a store that stands in a prefix of conda's, in conda's settings or in its variables.

The project's interpreter runs from a real prefix. Each text of a record that is not recorded as it is gets a secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

BELOW = "conda-forge/linux-64/native-2.0-h2_0.conda"
URLS = (
    "https://ann:{S}@conda.example.org",
    "https://{S}@conda.example.org",
    "https://conda.example.org/t/{S}",
    "https://ann:{S}@conda.example.org:8443/t/{S}",
    "https://conda.example.org/t/ab-12345678-{S}",
    "s3://key:{S}@bucket",
    "file:///mirror/t/{S}",
)
"""Where channels lie, with a password, a user or a token as conda has them."""

NOT_RECORDED = "its url or channel held credentials, a token or a query string, which are not recorded"

RECORDED = frozenset({"channel", "url"})
WORDS = frozenset(
    """
    _path arch build file_mode md5 name noarch path_type platform prefix_placeholder sha256 sha256_in_prefix subdir
    version
    """.split()  # noqa: SIM905  (as a list it would take a page)
)
"""Members that say what a package and its files are."""

BESIDE = {
    "auth": "{S}",
    "requested_spec": "https://ann:{S}@conda.example.org/t/{S}/main::native==2.0",
    "requested_specs": ["https://ann:{S}@conda.example.org/t/{S}/main::native", "native[token={S}]"],
    "license": "{S}",
    "package_tarball_full_path": "/pkgs/t/{S}/native.conda",
    "signatures": {"native": {"key": {"signature": "{S}"}}},
    "token": "{S}",
    "whatever": [{"password": "{S}"}],
}
"""What conda and others write into a record as well."""

FILES = {
    "conda-meta/history": "==> now <==\n# cmd: conda install -c https://ann:{S}@example.org/t/{S}/main native\n",
    "conda-meta/pinned": "native ==2.0 # https://ann:{S}@example.org/t/{S}/main\n",
    "conda-meta/state": '{{"version": 1, "env_vars": {{"API_KEY": "{S}"}}}}',
    "conda-meta/pixi": '{{"manifest_path": "/{S}", "environment_lock_file_hash": "{S}"}}',
    "conda-meta/.draft.json": '{{"url": "https://ann:{S}@example.org/x"}}',
    ".condarc": "channels:\n  - https://ann:{S}@example.org/t/{S}/main\n",
    "condarc.d/x.yml": "proxy_servers:\n  https: https://ann:{S}@proxy.example.org\n",
    "etc/conda/env_vars.d/x.json": '{{"API_KEY": "{S}"}}',
    "etc/conda/activate.d/x.sh": "export API_KEY={S}\n",
    "pip.conf": "[global]\nindex-url = https://ann:{S}@example.org/simple\n",
}
"""What else lies in a prefix."""

SETTINGS = {
    ".condarc": "channel_alias: https://ann:{S}@example.org/t/{S}\n",
    ".mambarc": "channels: [https://ann:{S}@example.org/t/{S}/main]\n",
    ".conda/environments.txt": "/home/ann/{S}\n",
    ".continuum/anaconda-client/tokens/conda.token": "{S}",
    ".rattler/credentials.json": '{{"example.org": {{"BearerToken": "{S}"}}}}',
}

VARIABLES = {
    "ANACONDA_TOKEN": "{S}",
    "CONDARC": "/home/ann/{S}",
    "CONDA_CHANNELS": "https://ann:{S}@example.org/t/{S}/main",
    "CONDA_DEFAULT_ENV": "{S}",
    "CONDA_PREFIX": "/home/ann/{S}",
    "CONDA_PROMPT_MODIFIER": "({S})",
    "CONDA_PROXY_SERVERS__HTTPS": "https://ann:{S}@proxy.example.org",
    "CONDA_TOKEN": "{S}",
    "MAMBA_ROOT_PREFIX": "/home/ann/{S}",
    "PIP_EXTRA_INDEX_URL": "https://{S}@example.org/simple",
    "PIP_INDEX_URL": "https://ann:{S}@example.org/simple",
    "PIXI_TOKEN": "{S}",
    "RATTLER_AUTH_FILE": "/home/ann/{S}",
}


class Looks:
    """Looks at the project's prefix by each command that does, and registers what it sees."""

    def __init__(self, workshop: Any, prefix: Path) -> None:
        self.workshop, self.prefix = workshop, prefix

    def __call__(self, **variables: str) -> dict[str, Any]:
        """Return what `capsule capture` tells."""
        python = ("--python", "prefix")
        document = json.loads(self.workshop.run("capture", "--json", *python, env=variables))
        self.workshop.run("add", *python, env=variables)
        return document

    def rewrite(self, change: Callable[[str, dict[str, Any]], dict[str, Any]]) -> None:
        """Write each record anew, as a change to its package's name and its members has it."""
        for path in sorted((self.prefix / "conda-meta").glob("[a-z]*.json")):
            record = json.loads(path.read_text())
            path.write_text(json.dumps({**record, **change(record["name"], record)}))


@pytest.fixture
def look(workshop, prefix) -> Looks:
    return Looks(workshop, prefix)


def with_secrets(workshop: Any, place: str, value: Any) -> Any:
    """Return a JSON value with a new secret in each text of it, but for members that are words by their form."""
    if isinstance(value, dict):
        return {
            key: member if key in WORDS else with_secrets(workshop, f"{place}/{key}", member)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [with_secrets(workshop, f"{place}/{number}", member) for number, member in enumerate(value)]
    if not isinstance(value, str):
        return value
    return workshop.plant(place, value if "{S}" in value else f"{value} https://ann:{{S}}@example.org/t/{{S}}")


def test_i7_no_secret_of_a_channel_enters_a_store(workshop, look):
    of_urls, of_channels = cycle(URLS), cycle(URLS[1:] + URLS[:1])

    def with_urls(name: str, record: dict[str, Any]) -> dict[str, Any]:
        url, channel = next(of_urls), next(of_channels)
        planted = f"{workshop.plant(f'{name}, a url: {url}', url)}/{BELOW}"
        return {"url": planted, "channel": workshop.plant(f"{name}, a channel: {channel}", channel)}

    # Three records at a time.
    for _ in URLS[::3]:
        look.rewrite(with_urls)
        archives = look()["context"]["conda"]["archives"]
        assert [archive["url"].endswith(f"/{BELOW}") for archive in archives.values()] == [True] * 3
        assert workshop.told() == f"note: conda: native, python, table: {NOT_RECORDED}\n"
    assert len(workshop.planted) >= 2 * len(URLS)
    assert workshop.found() == {}


def test_i7_no_secret_elsewhere_in_a_record_enters_a_store(workshop, look):
    before = look()

    def with_more(name: str, record: dict[str, Any]) -> dict[str, Any]:
        # That of Python lists hundreds of files.
        own = {} if name == "python" else {key: value for key, value in record.items() if key not in RECORDED}
        return with_secrets(workshop, name, {**own, **BESIDE})

    look.rewrite(with_more)
    after = look()
    assert len(workshop.planted) > 40
    assert (after["environment_digest"], after["context"]) == (before["environment_digest"], before["context"])
    assert workshop.found() == {}


def test_i7_no_secret_in_the_place_of_a_word_enters_a_store(workshop, look):
    members = {"native": "name", "python": "build", "table": "sha256"}
    urls = {name: workshop.plant(name, "https://ann:{S}@example.org/t/{S}") for name in members}
    look.rewrite(lambda name, _: {members[name]: urls[name]})
    document = look()
    assert "conda" not in document["environment"]
    assert "unknown" in document["states"]["conda"]
    for member in members.values():
        assert f"a record that has a `{member}` that is none: the package is not recorded" in workshop.told()
    assert workshop.found() == {}


def test_i7_no_secret_beside_the_records_or_in_variables_enters_a_store(workshop, look):
    before = look()
    for directory, files in ((look.prefix, FILES), (workshop.home, SETTINGS)):
        for path, text in files.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_text(workshop.plant(f"{directory.name}/{path}", text))
    variables = {name: workshop.plant(name, value) for name, value in VARIABLES.items()}
    assert look(**variables) == before
    workshop.run("verify", "--python", "prefix", env=variables)
    workshop.run("run", "--", "prefix/bin/python", "-c", "pass", env=variables)
    assert workshop.found() == {}


def test_i7_no_secret_in_where_pip_found_a_distribution_of_a_prefix_enters_a_store(workshop, look):
    (path,) = look.prefix.glob("lib/python*/site-packages/beta-*.dist-info/direct_url.json")
    url = workshop.plant("a distribution", "https://ann:{S}@example.org/beta-1.0-py3-none-any.whl?sig={S}")
    path.write_text(json.dumps({**json.loads(path.read_text()), "url": url}))
    assert look()["context"]["python"]["sources"]["beta"]["url"] == "https://example.org/beta-1.0-py3-none-any.whl"
    assert "its url held credentials or a query string" in workshop.told()
    assert workshop.found() == {}


def test_i7_no_secret_of_channels_that_are_handed_over_enters_a_store(workshop, look, not_recorded):
    document = look()
    archives = document["context"]["conda"]["archives"]
    template = next(iter(archives.values()))
    archives |= {f"package-{number}": {**template} for number in range(len(URLS) - len(archives))}
    for archive, form in zip(archives.values(), URLS, strict=True):
        archive |= {"url": f"{workshop.plant(form, form)}/{BELOW}", "channel": workshop.plant(f"channel {form}", form)}
    workshop.run("add", "--environment", "-", text=json.dumps(document))
    assert not_recorded.format("context") in workshop.told()
    assert workshop.found() == {}
