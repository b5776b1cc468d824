"""I7: no credential that stands in a prefix of conda's gets into the environment, the context or a finding."""

import json

import pytest

from capsulestore.model.mapping import encode_mapping

SECRET = "hunter2"

URLS = {
    "a token": (f"https://example.org/t/{SECRET}/main/linux-64/alpha-1.0-0.conda", "/main/linux-64/alpha-1.0-0.conda"),
    "a token of a known form": (f"https://example.org/t/ab-12345678-{SECRET.encode().hex()}/main", "/main"),
    "a token of a name without scheme": (f"t/{SECRET}/main", "/main"),
    "a password": (f"https://user:{SECRET}@example.org/main", "/main"),
    "a user alone": (f"https://{SECRET}@example.org/main", "/main"),
    "a token and a password": (f"https://user:{SECRET}@example.org/t/{SECRET}/main", "/main"),
    "a query": (f"https://example.org/main?sig={SECRET}", "/main"),
    "a fragment": (f"https://example.org/main#{SECRET}", "/main"),
    "a password with an at sign": (f"https://user:p@{SECRET}@example.org/main", "/main"),
    "a password without scheme": (f"user:{SECRET}@example.org/main", "/main"),
    "a password for a bucket": (f"s3://key:{SECRET}@bucket/main", "/main"),
    "a local token": (f"file:///mirror/t/{SECRET}/main", "/main"),
    "a token that ends it": (f"https://example.org/t/{SECRET}", "/t/redacted"),
}


def everything(captured) -> str:
    """Return all that is written down of a capture: values, objects, state and findings."""
    parts = [captured.environment or {}, captured.context or {}]
    objects = [each for part in parts for each in encode_mapping({"conda": part}).objects.values()]
    blobs = [each.data.decode("utf-8", "replace") for each in objects]
    return json.dumps([parts, blobs, captured.state.as_json(), [finding.as_dict() for finding in captured.findings]])


@pytest.mark.parametrize("member", ["url", "channel"])
@pytest.mark.parametrize(("url", "rest"), URLS.values(), ids=URLS.keys())
def test_i7_a_url_is_recorded_without_its_secret_which_is_told(url, rest, member, prefix, capture_prefix, rewrite):
    before = capture_prefix(prefix)
    rewrite(prefix, "alpha", **{member: url})
    captured = capture_prefix(prefix)
    assert captured.context["archives"]["alpha"][member].endswith(rest)
    assert captured.environment == before.environment
    assert [(finding.code, finding.subject) for finding in captured.findings] == [("redacted", "alpha")]
    assert SECRET not in everything(captured)
    assert SECRET.encode().hex() not in everything(captured)


def test_a_url_without_a_secret_is_recorded_as_it_is(prefix, capture_prefix, rewrite):
    url, channel = "https://example.org/conda-forge/linux-64/alpha-1.0-h1_0.conda", "conda-forge/label/test"
    rewrite(prefix, "alpha", url=url, channel=channel)
    captured = capture_prefix(prefix)
    assert {"url": url, "channel": channel}.items() <= captured.context["archives"]["alpha"].items()
    assert captured.findings == ()


ELSEWHERE = ["auth", "depends", "extracted_package_dir", "fn", "link", "requested_spec", "requested_specs", "token"]


@pytest.mark.parametrize("member", ELSEWHERE)
def test_i7_what_a_record_says_besides_is_not_recorded(member, prefix, capture_prefix, rewrite):
    before = capture_prefix(prefix)
    for value in (f"https://user:{SECRET}@example.org/t/{SECRET}::alpha", [SECRET], {SECRET: SECRET}):
        rewrite(prefix, "alpha", **{member: value})
        assert capture_prefix(prefix) == before


@pytest.mark.parametrize("member", ["name", "version", "build", "subdir", "sha256", "md5", "noarch"])
def test_i7_a_url_where_none_belongs_is_damage(member, prefix, capture_prefix, rewrite):
    rewrite(prefix, "alpha", **{member: f"https://user:{SECRET}@example.org/t/{SECRET}/x"})
    captured = capture_prefix(prefix)
    assert [finding.code for finding in captured.findings] == ["record-unreadable"]
    assert SECRET not in everything(captured)


def test_i7_what_lies_beside_the_records_is_not_read(prefix, capture_prefix, tmp_path):
    before = capture_prefix(prefix)
    secret = f"https://user:{SECRET}@example.org/t/{SECRET}/main"
    (prefix / "conda-meta" / "history").write_text(f"# cmd: conda install -c {secret} alpha\n+{secret}::alpha-1.0\n")
    (prefix / "conda-meta" / "state").write_text(json.dumps({"env_vars": {"API_KEY": SECRET}}))
    (prefix / "conda-meta" / "pinned").write_text(f"alpha {SECRET}\n")
    (prefix / ".condarc").write_text(f"channels: [{secret}]\n")
    (tmp_path / ".condarc").write_text(f"channel_alias: {secret}\n")
    variables = {
        "CONDA_PREFIX": secret,
        "CONDA_DEFAULT_ENV": SECRET,
        "CONDA_CHANNELS": secret,
        "ANACONDA_TOKEN": SECRET,
    }
    assert capture_prefix(prefix, HOME=str(tmp_path), CONDARC=str(tmp_path / ".condarc"), **variables) == before
