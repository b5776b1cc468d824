"""The content of real distributions, as an independent implementation of the design's rules computed it."""

import json
from pathlib import Path

import pytest

from capsulestore.capture.python.installed import read_installed
from capsulestore.capture.search_path import Directory

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "contents.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_a_distribution_has_the_content_that_its_vector_says(vector, package_index, uv, tmp_path):
    platform = ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28", "--only-binary", ":all:")
    requirement = f"{vector['name']}=={vector['version']}"
    uv("pip", "install", "--quiet", "--no-deps", "--target", tmp_path, *platform, requirement)
    installed = read_installed([Directory(str(tmp_path), "site")])
    assert installed.packages() == {vector["name"]: {key: vector[key] for key in ("version", "tags", "content")}}
    assert [len(distribution.rows) for distribution in installed.places[0].distributions] == [vector["rows"]]
    assert installed.findings == ()
