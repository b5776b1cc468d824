"""`capsule capture`: look at the environment here, and store nothing."""

from __future__ import annotations

import click

from capsulestore.capture.files import path_text
from capsulestore.model.mapping import encode_mapping, layer_digests

from .command import Command, settings, settings_options, target_options
from .here import captured
from .output import print_findings, print_json, print_line, safe, table
from .text import layer_summary


@click.command(
    cls=Command,
    examples=(
        ("capsule capture", "the environment here, by layer"),
        ("capsule capture --python /usr/bin/python3", "that of another interpreter"),
        ("capsule capture --json > environment.json", "all of it, for `capsule add --environment`"),
    ),
)
@target_options
@settings_options
def command(python: str | None, layers: tuple[str, ...]) -> None:
    """Print the digest of the environment here, and what is in it.

    Nothing is stored, and no store is needed.
    """
    found = captured(python, layers)
    encoded = encode_mapping(found.environment)
    digests = layer_digests(encoded.id, encoded.objects.__getitem__)
    if settings().json:
        print_json(
            {
                "environment_digest": str(encoded.id),
                "layers": {name: str(digest) for name, digest in digests.items()},
                "environment": found.environment,
                "context": found.context,
                "target": {"python": path_text(found.target.python), "chosen_by": found.target.chosen_by},
                "findings": [finding.as_dict() for finding in found.findings],
            }
        )
        return
    print_line(f"environment {encoded.id}")
    rows = [("interpreter", "", safe(f"{found.target.python} ({found.target.chosen_by})"))]
    for name, state in found.layers.items():
        layer = found.environment.get(name)
        summary = layer_summary(layer) if isinstance(layer, dict) else f"{state.state} {state.reason or ''}".strip()
        rows.append((safe(name), digests[name].hex[:12] if name in digests else "", safe(summary)))
    for line in table(rows):
        print_line(line)
    print_findings(found.findings)
