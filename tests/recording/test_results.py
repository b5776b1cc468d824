"""What lies at the results of an analysis, what is said of it there, and what a capsule of it says."""

import hashlib
import json
import os

import pytest

from capsulestore.errors import CapsuleError, FileProblem, UnknownName, UsageError
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.recording.results import MAX_FILES, description_of, summarise
from capsulestore.store import Store

FIVE = hashlib.sha256(b"1,2,3").hexdigest()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A directory with results, which is the working directory."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "fit.csv").write_text("1,2,3")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def summary(project):
    def summarised(*results, **metadata):
        return summarise(results or ["out"], root=str(project), **metadata)

    return summarised


@pytest.fixture
def say(project):
    """Write what an analysis says of itself."""

    def write(said, path="out/metadata.json"):
        (project / path).write_text(said if isinstance(said, str) else json.dumps(said))

    return write


@pytest.fixture
def described(project, summary):
    """Return what a capsule of the results says."""

    def description(given=None, **metadata):
        with Store.init("store") as store:
            return description_of(store, summary(**metadata), given or Description(title=""))

    return description


def test_each_file_is_told_with_its_digest_and_size(summary, project):
    (project / "out" / "deep").mkdir()
    (project / "out" / "deep" / "log").touch()
    (project / "fit.png").write_bytes(b"\x89")
    found = summary("out", "fit.png")
    assert [(file.path, file.size) for file in found.files] == [("fit.png", 1), ("out/deep/log", 0), ("out/fit.csv", 5)]
    assert found.files[-1].sha256 == FIVE
    assert found.as_dict()["bytes"] == found.bytes == 6
    assert found.as_dict()["metadata"] is None


def test_a_file_named_twice_is_told_once(summary):
    assert len(summary("out", "./out", "out/fit.csv").files) == 1


def test_names_that_are_no_text_are_told_with_their_bytes(summary, project):
    (project / "out" / os.fsdecode(b"\xff\n.csv")).touch()
    assert summary().files[0].path == "out/\\xff\n.csv"


def test_a_link_is_followed_and_no_directory_is_walked_twice(summary, project):
    (project / "out" / "again").symlink_to(project / "out")
    (project / "out" / "latest.csv").symlink_to("fit.csv")
    assert [(file.path, file.sha256) for file in summary().files] == [("out/fit.csv", FIVE), ("out/latest.csv", FIVE)]


WRONG = {
    "nothing there": (lambda out: ["nowhere"], "`nowhere`: No such file"),
    "an empty directory": (lambda out: (out / "empty").mkdir() or ["out/empty"], "no file in the directory"),
    "a link to nothing": (lambda out: (out / "latest").symlink_to("gone"), "out/latest`: No such file"),
    "a pipe, which nobody writes to": (lambda out: os.mkfifo(out / "pipe"), "out/pipe`: Not a regular file"),
    "a path with a null": (lambda out: ["a\0b"], "null"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_read_is_told(what, summary, project):
    make, said = WRONG[what]
    with pytest.raises(FileProblem, match=said):
        summary(*(make(project / "out") or ["out"]))


@pytest.mark.slow
def test_too_many_files_are_refused_before_any_is_read(summary):
    with pytest.raises(FileProblem, match="too many") as caught:
        summary(*["out/fit.csv"] * (MAX_FILES + 1))
    assert "archive" in caught.value.hint


def test_the_analysis_files_are_not_touched(summary, project):
    path = project / "out" / "fit.csv"
    path.chmod(0o400)
    before = path.stat()
    summary()
    assert (path.stat().st_mtime_ns, path.stat().st_ctime_ns) == (before.st_mtime_ns, before.st_ctime_ns)


def test_metadata_lies_at_the_top_of_a_directory_of_results(summary, say, project):
    say({"title": "below"}, "metadata.json")
    assert summary().metadata is None
    say({"title": "first fit", "mood": "good"})
    found = summary().metadata
    assert (found.path, found.recorded, found.left_alone) == ("out/metadata.json", {"title": "first fit"}, ("mood",))
    assert [file.path for file in summary().files] == ["out/fit.csv", "out/metadata.json"]


def test_another_metadata_file_may_be_named(summary, say):
    say({"title": "here"})
    say({"title": "named"}, "said.json")
    assert summary(metadata="said.json").metadata.value == {"title": "named"}


def test_two_directories_with_metadata_leave_open_which_one_holds(summary, say, project):
    (project / "more").mkdir()
    say({}), say({}, "more/metadata.json")
    with pytest.raises(UsageError, match="more than one metadata file") as caught:
        summary("out", "more")
    assert "--metadata" in caught.value.hint
    assert summary("out", "more", metadata="more/metadata.json").metadata.value == {}
    assert summary("out", "out/").metadata.value == {}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "expected a mapping"),
        ('{"title": 1}', "title: expected a text"),
        ('{"parameters": []}', "parameters: expected a mapping"),
        ('{"parameters": {"n": 12345678901234567890}}', r"parameters/n: .*2\^53"),
        ('{"parameters": {"loss": NaN}}', "parameters/loss: nan"),
        ('{"title": "\\ud800"}', "title: .*surrogate"),
        ('{"command": "fit"}', "command: expected a list of texts"),
        ('{"parents": "@"}', "parents: expected a list of names"),
        ('{"status": "done"}', "status: expected `completed` or `failed`"),
    ],
)
def test_malformed_metadata_is_told_by_file_and_key(said, reason, summary, say):
    say(said)
    with pytest.raises(FileProblem, match=f"^`out/metadata.json`: {reason}") as caught:
        summary()
    assert caught.value.hint


def test_what_a_capsule_has_no_place_for_may_be_anything(summary, say):
    say('{"loss": NaN, "n": 12345678901234567890, "schema": "mine", "environment_digest": 1}')
    assert summary().metadata.recorded == {}


def test_a_metadata_file_that_cannot_be_read_is_told(summary, project):
    os.mkfifo(project / "pipe")
    for path in ("nowhere.json", "out", "pipe"):
        with pytest.raises(FileProblem, match=f"cannot read `{path}`"):
            summary(metadata=path)


def test_without_a_word_the_capsule_is_called_by_its_results(described, summary, project):
    assert described().title == "results in out"
    with Store.init("store") as store:
        several = summary("out", "out/fit.csv", os.fspath(project / "out"))
        assert description_of(store, several, Description(title="")).title == "results in out and 2 more"


def test_what_the_metadata_says_goes_into_the_capsule(described, say):
    said = {
        "title": "first fit",
        "description": "to see",
        "parameters": {"alpha": 0.5},
        "labels": {"sample": "A"},
        "command": ["fit", "--fast"],
        "entry_point": "fit.py",
        "status": "failed",
    }
    say(said)
    description = described()
    assert (description.title, description.parameters, description.labels) == (
        "first fit",
        {"alpha": 0.5},
        {"sample": "A"},
    )
    assert description.observed == {key: said[key] for key in ("description", "command", "entry_point", "status")}
    assert [file.path for file in description.outputs] == ["out/fit.csv", "out/metadata.json"]


def test_what_is_given_wins_member_by_member(described, say):
    say({"title": "said", "parameters": {"alpha": 1, "beta": 2}, "labels": {"a": "1"}})
    description = described(Description(title="given", parameters={"alpha": "3"}, labels={"b": "2"}))
    assert description.title == "given"
    assert description.parameters == {"alpha": "3", "beta": 2}
    assert description.labels == {"a": "1", "b": "2"}


def test_parents_in_the_metadata_are_names_of_capsules(described, say):
    say({"parents": ["nobody"]})
    with pytest.raises(UnknownName, match="nobody"):
        described()
    with Store.init("store") as store:
        first = record(store, Surroundings(environment={"python": {"rules": 1}}), Description(title="first")).capsule
    say({"parents": ["@", str(first)[:8]]})
    assert list(described().parents) == [first, first]
    assert list(described(Description(title="", parents=[first])).parents) == [first]


def test_every_refusal_is_one_of_our_errors(summary, project):
    (project / "out" / "metadata.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(CapsuleError, match=r"metadata\.json"):
        summary()
