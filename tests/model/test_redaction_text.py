"""I7: no secret enters a store. What is taken out of a title, a label or a parameter, and what is left as it is."""

import pytest

from capsulestore.model.redaction import redact_text

SECRET = "Xy7Q2mWvR4tB9kLzP3sD"
LONG = SECRET * 5
HEX = "0123456789abcdef" * 4

TOKENS = {
    "GitHub, of a user": f"ghp_{LONG[:36]}",
    "GitHub, of an app": f"ghs_{LONG[:36]}",
    "GitHub, fine-grained": f"github_pat_{LONG[:22]}_{LONG[:59]}",
    "GitLab": f"glpat-{SECRET}",
    "Amazon": "AKIAIOSFODNN7EXAMPLE",
    "Amazon, temporary": "ASIAIOSFODNN7EXAMPLE",
    "Slack": f"xoxb-123456789012-{SECRET}",
    "Slack, in the path of a url": f"https://hooks.slack.com/services/T0/B0/{SECRET}",
    "OpenAI": f"sk-{LONG[:48]}",
    "OpenAI, of a project": f"sk-proj-{SECRET[:8]}_{LONG[:40]}",
    "Anthropic": f"sk-ant-api03-{LONG[:93]}-AA",
    "Google": f"AIza{LONG[:35]}",
    "npm": f"npm_{LONG[:36]}",
    "PyPI": f"pypi-AgEIcHlwaS5vcmc{LONG[:60]}",
    "Hugging Face": f"hf_{LONG[:34]}",
    "Stripe": f"sk_live_{SECRET}",
    "Stripe, restricted": f"rk_live_{SECRET}",
    "Telegram": f"bot 123456789:AA{LONG[:33]}",
    "a channel of conda": f"https://conda.example.org/t/xy-{HEX[:8]}-{HEX[:4]}-{HEX[:4]}-{HEX[:4]}-{HEX[:12]}/main",
    "a JSON Web Token": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{LONG[:43]}",
    "a private key": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{LONG}\n-----END OPENSSH PRIVATE KEY-----",
    "a private key without an end": f"-----BEGIN RSA PRIVATE KEY-----\n{LONG}",
    "Bearer": f"Bearer {SECRET}",
    "Basic": "basic dXNlcjpYeTdRMm1XdlI0dEI5a0x6UDNzRA==",
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_i7_a_token_of_a_known_form_is_taken_out_wherever_it_stands(token):
    for text in (token, f"fit with {token}, again", f"x={token}", f'("{token}")', f"a\n{token}\nb"):
        clean, redacted = redact_text(text)
        assert redacted
        assert token not in clean
        assert not any(part in clean for part in (SECRET, HEX[:8], "EXAMPLE", "dXNl", "XpYe"))


NAMED = {
    "an equals sign": ("fit password={}", "fit password=redacted"),
    "a colon": ("Password: {} and more", "Password: redacted and more"),
    "a colon without a space": ("x-api-key:{}", "x-api-key:redacted"),
    "an arrow": ("secret => {}", "secret => redacted"),
    "single quotes": ("pwd='a {}' x", "pwd='redacted' x"),
    "double quotes": ('passwd="a \\" {}" x', 'passwd="redacted" x'),
    "a quote that is not closed": ("token='a {}\nx", "token='redacted\nx"),
    "quotes around key and value": ('-e "DB_PASSWORD=a {}" x', '-e "DB_PASSWORD=redacted" x'),
    "a mapping of Python": ("{{'clientSecret': '{}', 'n': 1}}", "{'clientSecret': 'redacted', 'n': 1}"),
    "JSON within quotes": ('"{{\\"token\\": \\"a {}\\", \\"n\\": 1}}"', '"{\\"token\\": \\"redacted\\", \\"n\\": 1}"'),
    "an index": ("config['api_key'] = {}", "config['api_key'] = redacted"),
    "two words": ("session key: {}", "session key: redacted"),
    "a header of more than one word": ("Authorization: a b {}\nx", "Authorization: redacted\nx"),
    "a header in quotes": ("-H 'Cookie: a=1; s={}' x", "-H 'Cookie: redacted' x"),
    "words": ("passphrase: horse battery {}", "passphrase: redacted"),
    "one word": ("PGPASSWORD={} psql", "PGPASSWORD=redacted psql"),
    "one of several": ("API_KEY_PROD={}", "API_KEY_PROD=redacted"),
    "an account's key": ("AccountName=x;AccountKey={};Suffix=y", "AccountName=x;AccountKey=redacted"),
    "a signature": ("X-Amz-Signature={}", "X-Amz-Signature=redacted"),
    "npm's": ("//example.org/:_authToken={}", "//example.org/:_authToken=redacted"),
    "an option": ("fit --api-key {} --n 1", "fit --api-key redacted --n 1"),
    "an option with a quoted value": ("fit --token 'a {}' --n 1", "fit --token 'redacted' --n 1"),
    "a list of Python": ("['--password', '{}']", "['--password', 'redacted']"),
    "curl's option": ("curl -u bob:{} x", "curl -u redacted x"),
    "an address without a scheme": ("psql bob:{}@example.org/x", "psql redacted@example.org/x"),
    "an at sign in it": ("psql bob:a@{}@example.org/x", "psql redacted@example.org/x"),
    "a url among others": (
        "see (https://u:{}@example.org/x), https://h/?q={}",
        "see (https://example.org/x), https://h/",
    ),
    "a url behind a url": ("https://h/x,https://u:{}@example.org/x", "https://h/x,https://example.org/x"),
    "a space in a url": ("https://u:a {}@example.org/x", "redacted"),
    "a quote in a url": ("https://u:a'{}@example.org/x", "https://example.org/x"),
    "a scheme in a url's password": ("https://u:a://{}@example.org/x", "redacted"),
    "one slash in a url": ("https:/u:{}@example.org/x.py", "https:/example.org/x.py"),
    "one slash, a token": ("in /a/http:/{}@example.org/x.py.", "in /a/http:/example.org/x.py."),
    "one slash, a query": ("git+https:/example.org/x?sig={}", "git+https:/example.org/x"),
    "backticks": ("layer `DB_PASSWORD={}` is unknown", "layer `DB_PASSWORD=redacted` is unknown"),
    "a command in backticks": (
        "`env PATH=/x DB_PASSWORD={}` runs none",
        "`env PATH=/x DB_PASSWORD=redacted` runs none",
    ),
    "an option in backticks": ("`mysql -p{}` runs none", "`mysql -predacted` runs none"),
    "no scheme in a url": ("//u:{}@example.org/x", "//redacted@example.org/x"),
}


@pytest.mark.parametrize(("text", "clean"), NAMED.values(), ids=NAMED)
def test_i7_what_a_name_calls_a_secret_is_taken_out(text, clean):
    found, redacted = redact_text(text.format(*[SECRET] * text.count("{}")))
    assert redacted
    assert SECRET not in found
    if clean != "redacted":
        assert found == clean


@pytest.mark.parametrize(
    "key", ["pwd", "secret", "token", "auth", "credentials", "cookie", "accessKey", "private-key", "sig"]
)
def test_i7_a_text_that_is_json_is_looked_through_as_json(key):
    text = f'{{"n": [1, {{"{key}": ["a", "{SECRET}"]}}], "title": "é"}}'
    assert redact_text(text) == (f'{{"n": [1, {{"{key}": "redacted"}}], "title": "é"}}', True)
    repeated = f'{{"{key}": "{SECRET}", "{key}": null}}'
    assert redact_text(repeated) == (f'{{"{key}": null}}', True)


@pytest.mark.parametrize(
    "text",
    [
        "--tokenizer bert --author Ann --auth-type basic --key-column id --no-password fit.py",
        "max_tokens=512 n_tokens: 5 pad_token=<pad> low_pass=40 sort_key=x monkey=1 secretary: Ann",
        "password_file=/etc/x token=true use_auth_token: None PWD=/home/ann sig=0.05",
        f"{HEX} sha256:{HEX} image:1.0@sha256:{HEX} 123e4567-e89b-12d3-a456-426614174000",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==",
        "eyJhbHBoYSI6IDAuNSwgImJldGEiOiAxfQ== keyJoinColumns.of_something_very_long",
        "numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "/data/run:3/x@2/sk-learn-random-forest-classifier/t/a-rather-long-name-of-a-directory/x",
        "pkg:pypi/numpy@2.1.0 ann@example.org mailto:ann@example.org git@example.org:ann/x.git actions/x@v4",
        "ssh://git@example.org:22/x git+https://example.org:8443/x.git@main https://example.org/a:b@c",
        "Basic statistics of the bearer of tokens: 3, at 12:30@lab, std::token::x, it's Ann's [draft] {1: 2}",
        '{"alpha": 0.5, "max_tokens": 5, "token": null, "auth": false}',
        "docker run -u 1000:1000 -p 8080:80 x; python -u fit.py -p 3; python3 -u x:y.py --pass 1",
        "http:/x https:/example.org/x C:/x at 2024-01-01T10:00@lab",
        "",
    ],
)
def test_what_is_no_secret_stays_as_it_is(text):
    assert redact_text(text) == (text, False)
