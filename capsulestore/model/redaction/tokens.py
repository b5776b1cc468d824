"""Takes out of a text the credentials that are known by their form, whatever stands around them.

The forms are those that their issuers publish and that scanners of repositories (gitleaks, detect-secrets, trufflehog)
look for. A form has a beginning that nothing else has: digests, UUIDs, paths and data in base64 are no tokens.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from functools import cache
from typing import Final

__all__ = ["REDACTED", "redact_tokens"]

REDACTED: Final = "redacted"
"""What stands in a secret's place."""

_URLSAFE: Final = "[A-Za-z0-9_-]"
_FORMS: Final = {
    # GitHub: of users, apps and their installations, which may go on as a JSON Web Token does; GitLab.
    "ghp_": "[A-Za-z0-9_]{30,}",
    "gho_": "[A-Za-z0-9_]{30,}",
    "ghu_": "[A-Za-z0-9_]{30,}",
    "ghs_": rf"[A-Za-z0-9_]{{30,}}(?:\.{_URLSAFE}+){{0,3}}",
    "ghr_": "[A-Za-z0-9_]{30,}",
    "github_pat_": "[A-Za-z0-9_]{22,}",
    **dict.fromkeys(
        [
            f"gl{kind}-"
            for kind in ("agent", "cbt", "dt", "ffct", "ft", "imt", "oas", "pat", "ptt", "rt", "rtr", "soat")
        ],
        "[A-Za-z0-9_.=-]{16,}",
    ),
    "GR1348941": _URLSAFE + "{20,}",
    # Clouds: Amazon, Google, DigitalOcean, Azure, Alibaba, Databricks, Cloudflare.
    "AKIA": "[A-Z0-9]{16}(?![A-Za-z0-9])",
    "ASIA": "[A-Z0-9]{16}(?![A-Za-z0-9])",
    "ABIA": "[A-Z0-9]{16}(?![A-Za-z0-9])",
    "ACCA": "[A-Z0-9]{16}(?![A-Za-z0-9])",
    "AIza": _URLSAFE + "{30,}",
    "ya29.": _URLSAFE + "{20,}",
    "GOCSPX-": _URLSAFE + "{20,}",
    "1//0": _URLSAFE + "{30,}",
    "doo_v1_": "[a-f0-9]{40,}",
    "dop_v1_": "[a-f0-9]{40,}",
    "dor_v1_": "[a-f0-9]{40,}",
    "LTAI": "[A-Za-z0-9]{16,}",
    "dapi": "[a-f0-9]{32}(?:-[0-9])?",
    # Models and their trackers: OpenAI, Anthropic and others alike, Hugging Face, Groq, Replicate and so on.
    "sk-": "(?:(?:[a-z0-9]{1,16}-){0,2}[A-Za-z0-9]{20,}|(?:admin|ant|or|proj|svcacct)-[\\w-]{16,})[\\w-]*",
    "sk-lf-": _URLSAFE + "{30,}",
    "hf_": "[A-Za-z0-9]{30,}",
    "api_org_": "[A-Za-z0-9]{30,}",
    "gsk_": "[A-Za-z0-9]{40,}",
    "r8_": "[A-Za-z0-9]{30,}",
    "xai-": "[A-Za-z0-9]{40,}",
    "pplx-": "[A-Za-z0-9]{40,}",
    "nvapi-": _URLSAFE + "{40,}",
    "KGAT_": "[A-Za-z0-9]{20,}",
    # Registries of packages and images.
    "npm_": "[A-Za-z0-9]{30,}",
    "pypi-Ag": _URLSAFE + "{16,}",
    "rubygems_": "[a-f0-9]{40,}",
    "dckr_": "(?:pat|oat)_" + _URLSAFE + "{20,}",
    "AKCp": "[A-Za-z0-9]{60,}",
    # A channel of conda: the part of its path behind `/t/`, as conda itself hides it.
    "/t/": "[a-z]{2}-[0-9a-f]{8}-[0-9a-f-]{20,}",
    # Messengers, payment, mail, deployment, databases, monitoring.
    "xox": "(?:[abceoprs]-|e[.]xox[bp]-)[A-Za-z0-9-]{10,}",
    "xapp-": "[A-Za-z0-9-]{20,}",
    "hooks.slack.com/": "(?:services|triggers|workflows)/[A-Za-z0-9/_-]{20,}",
    "/api/webhooks/": rf"[0-9]{{15,}}/{_URLSAFE}{{40,}}",
    ":AA": _URLSAFE + "{33}",
    "sk_": "(?:live|prod|test)_[A-Za-z0-9]{10,}",
    "rk_": "(?:live|prod|test)_[A-Za-z0-9]{10,}",
    "whsec_": "[A-Za-z0-9+/=]{20,}",
    "sq0": rf"(?:atp|csp)-{_URLSAFE}{{20,}}",
    "shp": "(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}",
    "SG.": rf"{_URLSAFE}{{16,64}}\.{_URLSAFE}{{16,}}",
    "SK": "[0-9a-f]{32}(?![A-Za-z0-9])",
    "hvb.": _URLSAFE + "{20,}",
    "hvr.": _URLSAFE + "{20,}",
    "hvs.": _URLSAFE + "{20,}",
    "dp.": r"(?:audit|ct|pt|sa|scim|st)\.[A-Za-z0-9.]{30,}",
    "glsa_": "[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}",
    "glc_": "[A-Za-z0-9+/=]{32,}",
    "sntry": "[su]_[A-Za-z0-9+/=_-]{32,}",
    "NRAK-": "[A-Z0-9]{20,}",
    "PMAK-": "[a-f0-9]{24}-[a-f0-9]{30,}",
    "lin_api_": "[A-Za-z0-9]{32,}",
    "ntn_": "[A-Za-z0-9]{30,}",
    "sbp_": "[a-f0-9]{40}",
    "pscale_": r"(?:oauth|pw|tkn)_[A-Za-z0-9_.-]{30,}",
    "pul-": "[a-f0-9]{40}",
    "ATATT3": "[A-Za-z0-9_=-]{20,}",
    "ATCTT3": "[A-Za-z0-9_=-]{20,}",
    "AGE-SECRET-KEY-1": "[A-Z0-9]{50,}",
    # Our own, of `capsule token`: 32 bytes in base64, of which the last character holds four bits. No word, and no file
    # of an analysis, has capital letters at such a place and just so many characters.
    "capsule_": rf"(?={_URLSAFE}{{0,42}}[A-Z]){_URLSAFE}{{42}}[AEIMQUYcgkosw048](?![A-Za-z0-9])",
}
"""Tokens by how they begin, and the expression for what follows."""

_KEPT: Final = frozenset({"/t/", "hooks.slack.com/", "/api/webhooks/", ":AA"})
"""Beginnings that belong to what stands before the token."""

# Expressions are compiled, and kept by `re`, when a text first needs them: start-up counts.
# A run of characters of which not all may be taken is read whole, and looked through once: so each takes linear time.
_DOTTED: Final = r"[A-Za-z0-9_.-]{20,}+"
_OF_JSON: Final = r"(?<![A-Za-z0-9])eyJ"
"""How `{"` begins in base64."""
_PRIVATE_KEY: Final = (
    r"(?s:-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r".*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z))"
)
_BEARER: Final = r"(?i:(?<![A-Za-z0-9])bearer[ \t]{1,8})([A-Za-z0-9._~+/=-]++)"
_BASIC: Final = r"(?i:(?<![A-Za-z0-9])basic[ \t]{1,8})([A-Za-z0-9+/_-]{4,}+={0,2})"
_LONG: Final = 20
"""Characters of a word that is no word of a language; or so many that one may be a token without a digit."""


def redact_tokens(text: str) -> str:
    """Return a text with `redacted` in the place of each token, private key (PEM), `Bearer x` and `Basic x`.

    What follows `Bearer` and `Basic` (RFC 6750, RFC 7617) counts where it has a credential's form: "bearer of news" and
    "basic statistics" stay. Takes time in proportion to the text's length.
    """
    for beginning in _FORMS:
        if beginning in text:
            text = _form(beginning).sub(rf"\g<1>{REDACTED}", text)
    if "eyJ" in text:
        text = re.compile(_DOTTED).sub(_without_web_token, text)
    if "PRIVATE KEY" in text:
        text = re.compile(_PRIVATE_KEY).sub(REDACTED, text)
    lower = text.lower()
    if "bearer" in lower:
        text = re.compile(_BEARER).sub(_without_bearer, text)
    if "basic" in lower:
        text = re.compile(_BASIC).sub(_without_basic, text)
    return text


@cache
def _form(beginning: str) -> re.Pattern[str]:
    before, itself = (re.escape(beginning), "") if beginning in _KEPT else ("", re.escape(beginning))
    if beginning[0].isalnum():
        # `task-...` holds no `sk-...`.
        before = f"(?<![A-Za-z0-9]){before}"
    elif beginning == ":AA":
        # Behind a bot's number.
        before = f"(?<=[0-9]{{8}}){before}"
    return re.compile(f"({before}){itself}(?:{_FORMS[beginning]})")


def _without_web_token(match: re.Match[str]) -> str:
    """Return a run of characters without a JSON Web Token (RFC 7519): parts in base64 with dots between them."""
    begins = re.compile(_OF_JSON).search(match[0])
    if begins is None:
        return match[0]
    header, _, rest = match[0][begins.start() :].partition(".")
    is_token = len(header) > 10 and len(rest.partition(".")[0]) >= 10
    return match[0][: begins.start()] + REDACTED if is_token else match[0]


def _without_bearer(match: re.Match[str]) -> str:
    word = match[1]
    is_token = len(word) >= _LONG or any(character.isdigit() for character in word)
    return match[0].removesuffix(word) + REDACTED if is_token else match[0]


def _without_basic(match: re.Match[str]) -> str:
    word = match[1]
    encoded = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        user, colon, _ = a2b_base64(encoded + "=" * (-len(encoded) % 4)).decode().partition(":")
    except ValueError:
        return match[0]
    is_pair = colon and (user + colon).isprintable()
    return match[0].removesuffix(word) + REDACTED if is_pair else match[0]
