"""I1: the layer is the same wherever a prefix lies, whoever made it, from whatever channel and archive."""

import shutil

import pytest
from conda_prefixes import build_package, install


def test_a_layer_names_every_package_by_version_build_and_platform(capture_prefix, prefix):
    captured = capture_prefix(prefix)
    assert captured.state.as_json() == "captured"
    assert captured.findings == ()
    packages = captured.environment["packages"]
    told = {name: (entry["version"], entry["build"], entry["subdir"] == "noarch") for name, entry in packages.items()}
    assert told == {"alpha": ("1.0", "h1_0", False), "native": ("2.0", "h2_1", False), "data": ("3.0", "0", True)}
    assert captured.environment["rules"] == 1


def test_i1_a_prefix_at_another_path_is_the_same(capture_prefix, prefix, channel, tmp_path):
    other = install(tmp_path / "somewhere" / "else", channel, "native", "data")
    assert (prefix / "bin" / "native").read_text() != (other / "bin" / "native").read_text()
    assert capture_prefix(other).environment == capture_prefix(prefix).environment


def test_i1_a_prefix_from_a_mirror_is_the_same(capture_prefix, prefix, channel, tmp_path):
    shutil.copytree(channel, tmp_path / "mirror")
    other = capture_prefix(install(tmp_path / "other", tmp_path / "mirror", "native", "data"))
    assert other.environment == capture_prefix(prefix).environment
    assert other.context["archives"]["alpha"]["url"] != capture_prefix(prefix).context["archives"]["alpha"]["url"]


def test_i1_archives_of_both_formats_make_the_same(capture_prefix, prefix, build_channel, tmp_path):
    bzip2 = build_channel(tmp_path / "bzip2", "tar.bz2")
    other = capture_prefix(install(tmp_path / "other", bzip2, "native", "data"))
    assert other.context["archives"]["alpha"]["url"].endswith(".tar.bz2")
    assert other.environment == capture_prefix(prefix).environment
    assert other.context["archives"]["alpha"]["sha256"] != capture_prefix(prefix).context["archives"]["alpha"]["sha256"]


def test_i1_the_order_of_installing_counts_for_nothing(capture_prefix, prefix, channel, tmp_path):
    other = tmp_path / "other"
    for specs in (["data"], ["alpha", "data"], ["native", "data"]):
        install(other, channel, *specs)
    assert capture_prefix(other).environment == capture_prefix(prefix).environment


def test_i1_a_file_that_two_packages_have_counts_for_each_by_its_own_path(capture_prefix, tmp_path):
    alone = {}
    for name in ("aleph", "beth"):
        build_package(tmp_path / "channel", name, files={"share/common.txt": name})
        alone |= capture_prefix(install(tmp_path / name, tmp_path / "channel", name)).environment["packages"]
    both = install(tmp_path / "both", tmp_path / "channel", "aleph", "beth")
    assert [path for path in both.rglob("*common*") if path != both / "share" / "common.txt"], "one has another name"
    assert capture_prefix(both).environment["packages"] == alone


def test_i1_another_user_and_other_permissions_count_for_nothing(capture_prefix, prefix):
    before = capture_prefix(prefix)
    for path in prefix.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o400)
    assert capture_prefix(prefix) == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": "1.1"}, {"version"}),
        ({"build": "h9_3"}, {"build"}),
        ({"files": {"share/alpha.txt": "alpha, otherwise\n"}}, {"content"}),
        ({"files": {"share/alpha.text": "alpha 1.0\n"}}, {"content"}),
    ],
    ids=["a version", "a build", "a file's bytes", "a file's name"],
)
def test_what_is_another_package_is_named(change, told, capture_prefix, channel, tmp_path):
    before = capture_prefix(install(tmp_path / "before", channel, "alpha")).environment["packages"]["alpha"]
    package = {"version": "1.0", "build": "h1_0", "files": {"share/alpha.txt": "alpha 1.0\n"}, **change}
    build_package(tmp_path / "channel", "alpha", **package)
    after = capture_prefix(install(tmp_path / "after", tmp_path / "channel", "alpha")).environment["packages"]["alpha"]
    assert {key for key in before if before[key] != after[key]} == told
