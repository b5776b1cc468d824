"""I7: no secret enters a store. What is taken out of a url, and what is left as it is."""

import pytest

from capsulestore.model.redaction import REDACTED, redact_url
from capsulestore.model.redaction.urls import redact_channel

WITH_A_SECRET = {
    "a password": ("https://user:s3cret@example.org/x", "https://example.org/x"),
    "a token in the user's place": ("https://s3cret@example.org/x", "https://example.org/x"),
    "a token for git over https": ("git+https://s3cret@example.org/x.git@main", "git+https://example.org/x.git@main"),
    "a password of the user git": ("ssh://git:s3cret@example.org/x", "ssh://example.org/x"),
    "an at sign in a password": ("https://u:s3@cret@example.org/x", "https://example.org/x"),
    "a signature in a query string": ("https://example.org/x.whl?sig=s3cret&e=1", "https://example.org/x.whl"),
    "a fragment": ("https://example.org/x.whl#token=s3cret", "https://example.org/x.whl"),
    "everything at once": ("http://u:s3cret@h:8080/p?a=s3cret#s3cret", "http://h:8080/p"),
    "a user and password without slashes before them": ("user:s3cret@example.org/x", "example.org/x"),
    "a scheme without slashes": ("https:user:s3cret@example.org/x", "example.org/x"),
    "a password with a slash, without slashes before it": ("u:s3/cret-s3cret@example.org/x", "example.org/x"),
    "a password of the user git, without slashes": ("git:s3cret@example.org:x.git", "example.org:x.git"),
    "a query string, without slashes": ("git@example.org:x.git?token=s3cret", "git@example.org:x.git"),
    "a fragment, without slashes": ("git@example.org:x.git#token=s3cret", "git@example.org:x.git"),
    "a query string beside the user git": ("ssh://git@example.org/x?token=s3cret", "ssh://git@example.org/x"),
    "a password that ends the place of passwords": ("https://user:s3cret#s3cret@example.org/x", REDACTED),
    "a url that cannot be parsed": ("https://[s3cret/x", REDACTED),
    "a token in the path": (f"https://example.org/ghp_{'s3cret' * 6}/x", f"https://example.org/{REDACTED}/x"),
    "a token of a conda channel": (
        "https://example.org/t/ab-01234567-89ab-4cde-8f01-23456789abcd/main/x-1-0.conda",
        f"https://example.org/t/{REDACTED}/main/x-1-0.conda",
    ),
}


@pytest.mark.parametrize(("url", "clean"), WITH_A_SECRET.values(), ids=WITH_A_SECRET)
def test_i7_a_secret_is_taken_out_of_a_url(url, clean):
    assert redact_url(url) == (clean, True)
    assert "s3cret" not in clean


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/simple/numpy-2.1.0-py3-none-any.whl",
        "https://example.org:8443/x",
        "ssh://git@example.org/owner/name.git",
        "git+ssh://git@example.org/owner/name.git@1.0",
        "git@example.org:owner/name.git",
        "file:///home/user/a%20wheel.whl",
        "file:/home/user/x.whl",
        "file:/home/user@work/x.whl",
        "file://server:share/x.whl",
        "https://[::1]:8443/x",
        "../wheels/x.whl",
        "",
    ],
)
def test_a_url_without_a_secret_stays_as_it_is(url):
    assert redact_url(url) == (url, False)


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://example.org/t/s3cret/main/linux-64", "https://example.org/t/redacted/main/linux-64"),
        ("https://u:s3cret@example.org:8443/t/s3cret/main?x=s3cret", "https://example.org:8443/t/redacted/main"),
        ("https://example.org/t/s3cret", "https://example.org/t/redacted"),
        ("https://example.org/t/s3%2Fcret/main", "https://example.org/t/redacted/main"),
        ("file:///mirror/t/s3cret/main", "file:///mirror/t/redacted/main"),
        ("example.org/t/s3cret/main", "example.org/t/redacted/main"),
        ("t/s3cret/main", "t/redacted/main"),
    ],
)
def test_i7_a_channel_loses_what_stands_where_a_token_does(url, clean):
    assert redact_channel(url) == (clean, True)
    assert redact_channel(clean) == (clean, False)


@pytest.mark.parametrize("url", ["conda-forge", "https://example.org/conda-forge/label/t", "main/t/", "at/main", ""])
def test_a_channel_without_a_token_stays_as_it_is(url):
    assert redact_channel(url) == (url, False)


def test_what_elsewhere_stands_behind_a_t_is_no_token():
    topic = "https://forum.example.org/t/how-to-install-python-3-11-without-an-index/12345"
    assert redact_url(topic) == (topic, False)
