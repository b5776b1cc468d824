"""The benchmark's arithmetic and its page; what it measures is for `make benchmark`."""

import hashlib
import importlib.util
import re
import sys
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from capsulestore.capture.environment import LAYERS

ROOT = Path(__file__).parents[1]
HOME = ROOT / "benchmarks"


def benchmark(name):
    """Import a module of the benchmark, which is not installed."""
    if "benchmarks" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "benchmarks", HOME / "__init__.py", submodule_search_locations=[str(HOME)]
        )
        sys.modules["benchmarks"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["benchmarks"])
    return importlib.import_module(f"benchmarks.{name}")


Figure = benchmark("figures").Figure
TARGETS = benchmark("targets").TARGETS
by_hand, page = benchmark("table").by_hand, benchmark("table").page
whole_process = benchmark("whole_process")
in_process = benchmark("in_process")
Environments = benchmark("environments").Environments
installed_files = benchmark("records").installed_files
enlarge = benchmark("larger").enlarge

MILLISECONDS = {
    "true": 1,
    "capture-cold": 70,
    "capture-warm": 50,
    "verify": 60,
    "run": 101,
    "uv-freeze": 20,
    "pip-freeze": 200,
    "datalad-run": 400,
    "in-process-store": 31.5,
    "in-process-capture-warm": 15,
    "in-process-record": 24,
    "conda-python": 50,
    "conda-all": 60,
    "layer-python-alone": 10,
    "layer-all": 13,
    "deep-xargs": 100,
    "deep-first": 50,
    "deep-again": 20,
    "moving-push-10": 100,
    "moving-push-100000": 120,
    "moving-pull-10": 200,
    "moving-pull-100000": 210,
    "moving-push-known": 100,
    "moving-first-push": 3200,
    "moving-git-first-push": 1000,
    "moving-clone": 6000,
    "moving-git-clone": 800,
    "serving-capsule": 0.3,
    "serving-bare": 0.2,
    "serving-page": 2,
    "serving-title": 3,
    "serving-package": 4,
}
KILOBYTES = {
    "moving-push-10": 3,
    "moving-push-100000": 4.8,
    "moving-pull-10": 4,
    "moving-pull-100000": 4,
    "moving-push-known": 1.5,
}
PERCENTILES = {"serving-page": 20, "serving-title": 30, "serving-package": 51}
OURS = {"conda-all", "conda-python", "capture-cold", "capture-warm", "verify", "run", "deep-first", "deep-again"}
OURS |= {"moving-first-push", "moving-clone"}


def figures(**missing):
    """Figures of round numbers; `run="no command"` says that there is none of that name."""
    found = {}
    for name, time in MILLISECONDS.items():
        label = f"`capsule {name}`" if name in OURS else name
        if name in missing:
            found[name] = Figure(label=label, missing=missing[name])
        else:
            times = (time, time * 9, time / 9)
            found[name] = Figure(
                label=label,
                times=times,
                memory=40.0 + time,
                kilobytes=KILOBYTES.get(name),
                percentile_99=PERCENTILES.get(name),
            )
    return found


def page_of(found, rounds=15, by_hand=""):
    return page(found, machine="a machine", compared="this and that 1.0", rounds=rounds, by_hand=by_hand)


def rows(text):
    """Return the other columns of each table's row by its first."""
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return {first: others for first, *others in cells}


def target(part):
    (found,) = [target for target in TARGETS if part in target.sentence]
    return found


def test_a_figure_is_the_median_of_all_rounds():
    assert Figure(label="x", times=(9.0, 1.0, 2.0)).median == 2.0
    assert Figure(label="x", times=(4.0, 1.0, 2.0, 9.0)).median == 3.0
    assert Figure(label="x", missing="there is none").median is None


@pytest.mark.parametrize(
    ("part", "reached", "met"),
    [
        ("its index cold", 0.35, True),
        ("its index warm", 2.5, True),
        ("capsule verify`, warm, takes at most 1.6", 1.2, True),
        ("capsule run -- true", 0.25, False),
        ("is stored in", 31.5, False),
        ("a warm capture", 15, True),
        ("recording a function", 24, True),
        ("all layers warm", 1.2, True),
        ("the same within a process", 1.3, True),
        ("its index empty, takes", 0.5, True),
        ("`, again, takes", 0.4, False),
        ("pushing a new capsule to 100,000", 1.6, False),
        ("pulling a new capsule to 100,000", 1.05, True),
        ("whose environment the other store has", 1.5, True),
        ("the first push", 3.2, True),
        ("a clone of 20,000", 7.5, True),
        ("GET /api/capsules/ID", 1.5, True),
        ("pages of a list", 51, False),
        ("MB of memory", 141, False),
        ("aimed at: `capsule verify`", 3, False),
    ],
)
def test_a_target_is_held_to_the_medians_of_one_run(part, reached, met):
    assert target(part).reached(figures()) == pytest.approx(reached)
    assert target(part).met(figures()) is met


def test_every_target_is_tried_above():
    assert len(TARGETS) == 20


def test_a_target_that_is_just_missed_is_not_met():
    slower = figures() | {"in-process-store": Figure(label="storing", times=(30.01,))}
    assert target("is stored in").met(slower) is False


def test_where_a_figure_is_missing_nothing_is_claimed():
    found = figures(run="no command `run`")

    assert target("capsule run -- true").met(found) is None
    assert target("MB of memory").met(found) is None
    text = rows(page_of(found))
    assert text["`capsule run`"][0] == "not measured: no command `run`"
    assert text[target("capsule run -- true").sentence] == ["not measured", "-"]


def test_where_no_conda_prefix_could_be_made_every_layer_says_so(tmp_path):
    places = dict.fromkeys(("target", "capsule", "recorder", "larger", "uv", "datalad", "rattler", "conda"), tmp_path)
    made = Environments(**places, without_datalad="", without_conda="there is no py-rattler")

    found = figures() | in_process.measure_layers(made, 2, tmp_path)

    assert {f"layer-{layer.name}-{index}" for layer in LAYERS for index in ("cold", "warm")} <= found.keys()
    text = rows(page_of(found))
    assert text["layer `conda`, index warm"] == ["not measured: there is no py-rattler", "-", "-"]
    assert text[target("the same within a process").sentence] == ["not measured", "-"]


def test_of_a_server_it_is_told_how_many_requests_it_answers_and_how_long_the_slowest_wait():
    text = rows(page_of(figures()))
    assert text["serving-page"] == ["2.00 ms", "0.222 ms", "18.0 ms", "500", "20.0 ms"]
    assert text["serving-bare"][-1] == "-"
    (without,) = (target for target in TARGETS if "pages of a list" in target.sentence)
    assert without.met(figures(**{"serving-title": "there is no `wrk`"})) is None


def test_each_part_of_the_page_has_the_figures_that_belong_there():
    parts = re.split("^## ", page_of(figures()), flags=re.MULTILINE)
    found = {part.partition("\n")[0]: rows(part).keys() for part in parts}
    assert found["Deep verification"] == {
        "command",
        ":--",
        "`capsule deep-first`",
        "`capsule deep-again`",
        "deep-xargs",
    }
    assert {"`capsule moving-clone`", "moving-git-clone"} <= found["Moving stores"]
    assert {"serving-capsule", "serving-page"} <= found["Serving"]
    assert "in-process-store" in found["Within a process"]
    assert found["Layer by layer"] == {"what", ":--", "layer-all", "layer-python-alone"}


def test_the_limit_in_a_target_s_sentence_is_the_one_that_is_compared_with():
    for target in TARGETS:
        assert re.search(rf"(?<![\d.]){re.escape(f'{target.limit:g}')}(?![\d.]*\d)", target.sentence), target.sentence


def test_the_page_says_when_the_rounds_were_few():
    assert "preliminary" in page_of(figures(), rounds=14)
    assert "preliminary" not in page_of(figures(), rounds=15)


def test_what_is_written_by_hand_survives_when_the_page_is_written_anew():
    first = page_of(figures(), by_hand="## What was tried\n\nThis | that.")
    again = page_of(figures(run="no command `run`"), rounds=3, by_hand=by_hand(first))
    assert by_hand(again) == "## What was tried\n\nThis | that."
    assert by_hand("# A page\n") == ""


def test_the_page_in_the_documentation_has_a_row_for_each_target():
    written = rows((ROOT / "docs/performance.md").read_text("utf-8"))
    assert not {target.sentence for target in TARGETS} - written.keys()


def test_the_page_in_the_documentation_has_a_part_that_is_written_by_hand():
    assert by_hand((ROOT / "docs/performance.md").read_text("utf-8")).startswith("## What was tried")


def test_commands_are_run_in_turn_and_the_time_of_each_is_taken(tmp_path):
    order = []

    def command(name, *arguments, **more):
        return whole_process.Command(
            name=name,
            label=name,
            arguments=arguments,
            directory=tmp_path,
            prepare=lambda: order.append(name),
            **more,
        )

    taken = whole_process.measure(
        [
            command("a", "/bin/sh", "-c", "echo here", prints="here"),
            command("b", "/bin/sh", "-c", "echo 'error: no such thing' >&2; exit 3"),
            command("c", "/bin/sh", "-c", "true", prints="something"),
            command("d", missing="it is not installed"),
        ],
        2,
        tmp_path,
    )

    assert order == ["a", "b", "c", "a", "a", "a"]
    assert len(taken["a"].times) == 2
    assert min(taken["a"].times) > 0
    assert 0 < taken["a"].memory < 100
    assert [taken[name].missing for name in "abcd"] == [
        "",
        "no such thing",
        "it did not print `something`",
        "it is not installed",
    ]
    assert not taken["b"].times


def test_what_is_measured_is_at_least_three_hundred_pinned_distributions():
    lines = (HOME / "requirements.txt").read_text("utf-8").splitlines()
    pinned = [line.partition("==")[0] for line in lines if not line.startswith("#")]
    assert all("==" in line for line in lines if not line.startswith("#"))
    assert len(set(pinned)) == len(pinned) >= 300


def test_an_environment_is_enlarged_by_files_that_are_as_their_records_say(tmp_path):
    site = tmp_path / "lib/python3.11/site-packages"
    (site / "alpha-1.0.dist-info").mkdir(parents=True)
    (site / "alpha").mkdir()
    listed = ["alpha/__init__.py", "alpha/with, comma.py", "alpha-1.0.dist-info/METADATA"]
    for path in listed:
        (site / path).write_text(path, "utf-8")
    hashes = [urlsafe_b64encode(hashlib.sha256(path.encode()).digest()).rstrip(b"=").decode() for path in listed]
    record = [f'"{path}",sha256={hash_},{len(path)}' for path, hash_ in zip(listed, hashes, strict=True)]
    record.append("alpha/__pycache__/__init__.cpython-311.pyc,sha256=YQ,1")
    (site / "alpha-1.0.dist-info/RECORD").write_text("\n".join(record), "utf-8")

    enlarge(tmp_path, 12)

    found = [file for files in installed_files(tmp_path).values() for file in files]
    assert len({file.path for file in found}) == len(found) == 12
    for file in found:
        digest = hashlib.sha256(file.path.read_bytes()).digest()
        assert file.hash == f"sha256={urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    everything = {path for path in site.rglob("*") if path.is_file() and path.name != "RECORD"}
    assert {file.path for file in found} == everything
