"""The layer as a whole: where it applies, what of damage it tells, and that it only reads."""

import hashlib
import os
import shutil

import pytest

from capsulestore.capture.cache import Cache
from capsulestore.model.mapping import decode_mapping, encode_mapping


def test_there_is_none_where_no_conda_made_the_prefix(capture_prefix, tmp_path, runtime):
    (tmp_path / "not-a-directory").mkdir()
    (tmp_path / "not-a-directory" / "conda-meta").touch()
    (tmp_path / "no-record" / "conda-meta").mkdir(parents=True)
    (tmp_path / "no-record" / "conda-meta" / "history").write_text("==> 2026 <==\n")
    for prefix in (tmp_path, tmp_path / "not-a-directory", tmp_path / "no-record", runtime.interpreter.base_prefix):
        captured = capture_prefix(prefix)
        assert captured.state.as_json() == "none"
        assert captured.environment is captured.context is None


def test_the_prefix_is_the_interpreters_and_not_what_a_variable_names(capture_prefix, prefix, tmp_path):
    assert capture_prefix(tmp_path, CONDA_PREFIX=str(prefix)).state.as_json() == "none"
    assert capture_prefix(prefix, CONDA_PREFIX=str(tmp_path)).state.as_json() == "captured"


def test_records_that_cannot_be_listed_leave_it_unknown(capture_apart, prefix, as_nobody_special):
    (prefix / "conda-meta").chmod(0)
    try:
        captured = capture_apart(prefix, *as_nobody_special)
    finally:
        (prefix / "conda-meta").chmod(0o755)
    assert captured[0] == {"unknown": "`conda-meta` cannot be listed (Permission denied)"}
    assert captured[1:] == [None, None, [], []]


def test_a_record_that_may_not_be_read_is_told(capture_apart, prefix, as_nobody_special):
    (record,) = (prefix / "conda-meta").glob("alpha-*.json")
    record.chmod(0)
    state, environment, _, findings, _ = capture_apart(prefix, *as_nobody_special)
    message = "a record that cannot be read (Permission denied): the package is not recorded"
    assert (state, environment) == ({"unknown": f"{record.name}: {message}"}, None)
    assert findings == [["conda", "record-unreadable", record.name, message, True]]


def replaced(make):
    def damage(path):
        path.unlink()
        make(path)

    return damage


def decoded(part):
    """What a store gives back of a layer's part."""
    encoded = encode_mapping({"conda": part})
    return decode_mapping(encoded.id, encoded.objects.__getitem__)["conda"]


DAMAGE = {
    "no JSON": lambda path: path.write_text("hunter2"),
    "empty": lambda path: path.write_text(""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "larger than is read": lambda path: os.truncate(path, 2**40),
    "a named pipe": replaced(os.mkfifo),
    "a directory": replaced(os.mkdir),
    "a link to nothing": replaced(lambda path: path.symlink_to("gone")),
    "a link to itself": replaced(lambda path: path.symlink_to(path.name)),
    "a device": replaced(lambda path: path.symlink_to(os.devnull)),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_with_a_damaged_record_it_is_not_known_what_is_there(damage, capture_prefix, prefix):
    before = capture_prefix(prefix)
    (record,) = (prefix / "conda-meta").glob("alpha-*.json")
    damage(record)
    captured = capture_prefix(prefix)
    (finding,) = captured.findings
    assert (finding.code, finding.subject, finding.incomplete) == ("record-unreadable", record.name, True)
    assert "hunter2" not in finding.message
    assert captured.state.as_json() == {"unknown": f"{record.name}: {finding.message}"}
    assert captured.environment is None
    archives = before.context["archives"]
    assert captured.context["archives"] == {name: archives[name] for name in ("data", "native")}


def test_of_many_damaged_records_the_reason_names_a_few(capture_prefix, tmp_path):
    (tmp_path / "conda-meta").mkdir()
    for number in range(151):
        (tmp_path / "conda-meta" / f"package-{number:03}-0.json").touch()
    captured = capture_prefix(tmp_path)
    assert len(captured.findings) == 151
    assert captured.state.reason.count("package-") == 3
    assert captured.state.reason.endswith("; and 148 more")


def test_a_prefix_of_which_no_record_can_be_read_has_no_packages(capture_prefix, tmp_path):
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta" / "alpha-1-0.json").touch()
    captured = capture_prefix(tmp_path)
    assert captured.state.state == "unknown"
    assert (captured.environment, captured.context) == (None, {"rules": 1})
    assert [finding.incomplete for finding in captured.findings] == [True]


def test_of_two_records_of_one_package_the_first_by_file_name_counts(capture_prefix, prefix, rewrite):
    (record,) = (prefix / "conda-meta").glob("alpha-*.json")
    shutil.copy(record, record.with_name("alpha-0.9-h1_0.json"))
    rewrite(prefix, "alpha-0.9", version="0.9")
    captured = capture_prefix(prefix)
    assert captured.environment["packages"]["alpha"]["version"] == "0.9"
    assert [(one.code, one.subject, one.incomplete) for one in captured.findings] == [("twice", "alpha", True)]


@pytest.mark.parametrize("stem", ["-1.0", f"{'é' * 110}-1.0"], ids=["without a name", "with one too long for a key"])
def test_a_distribution_of_any_name_leaves_an_environment_and_a_context(stem, capture_prefix, prefix, rewrite):
    metadata = prefix / "site-packages" / f"{stem}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.touch()
    path = str(metadata.relative_to(prefix))
    rewrite(prefix, "alpha", name="~" * 200, paths_data={"paths": [{"_path": path}]})
    captured = capture_prefix(prefix)
    assert len(decoded(captured.environment)["packages"]) == len(decoded(captured.context)["archives"]) == 3


def test_names_that_are_not_ascii_are_the_same_in_a_locale_without_them(capture_apart, capture_prefix, prefix, rewrite):
    record = prefix / "site-packages" / "größe-1.0.dist-info" / "RECORD"
    record.parent.mkdir(parents=True)
    record.write_text("größe.py,,\n", encoding="utf-8")
    hashed = {"_path": str(record.relative_to(prefix)), "sha256": hashlib.sha256(record.read_bytes()).hexdigest()}
    rewrite(prefix, "alpha", paths_data={"paths": [hashed]})
    captured = capture_prefix(prefix)
    assert captured.context["distributions"] == {"größe": "alpha"}
    ascii_alone = ("env", "LC_ALL=C", "PYTHONUTF8=0", "PYTHONCOERCECLOCALE=0")
    assert capture_apart(prefix, *ascii_alone) == captured.as_json()


def test_a_draft_of_a_client_is_no_record(capture_prefix, prefix):
    before = capture_prefix(prefix)
    (prefix / "conda-meta" / ".alpha-1.0-h1_0.json").write_text("half a rec")
    (prefix / "conda-meta" / "alpha-1.0-h1_0.json.tmp").write_text("half a rec")
    assert capture_prefix(prefix) == before


def test_files_without_hashes_are_told(capture_prefix, prefix, rewrite):
    rewrite(prefix, "alpha", paths_data=None, files=["share/alpha.txt"])
    assert [(one.code, one.subject, one.incomplete) for one in capture_prefix(prefix).findings] == [
        ("unhashed", "alpha", False)
    ]


def test_what_is_kept_is_used_until_a_record_changes(capture_prefix, prefix, rewrite, tmp_path):
    cache = Cache(str(tmp_path / "cache"), granularity_ns=0)
    assert capture_prefix(prefix, cache=cache) == capture_prefix(prefix, cache=cache) == capture_prefix(prefix)
    rewrite(prefix, "alpha", version="1.1")
    assert capture_prefix(prefix, cache=cache).environment["packages"]["alpha"]["version"] == "1.1"
    rewrite(prefix, "alpha").unlink()
    assert "alpha" not in capture_prefix(prefix, cache=cache).environment["packages"]


def test_i9_nothing_in_the_prefix_is_changed(capture_prefix, prefix):
    def everything():
        return {path: (path.lstat().st_mtime_ns, path.lstat().st_ctime_ns) for path in [prefix, *prefix.rglob("*")]}

    before = everything()
    capture_prefix(prefix)
    assert everything() == before
