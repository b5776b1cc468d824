"""I7: no secret enters a store. What is taken out of a url, and what is left as it is."""

import pytest

from capsulestore.model.redaction import REDACTED, redact_url

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
