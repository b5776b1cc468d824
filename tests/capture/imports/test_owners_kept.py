"""Whose the modules are is kept in the index, and read again as soon as it could be another answer."""

import time

import pytest

from capsulestore.capture.cache import Cache
from capsulestore.capture.imports import distributions_and_modules

GRANULARITY_NS = 25_000_000
"""Longer than a tick of any kernel's clock: two changes further apart have two times where the tests run."""


@pytest.fixture
def owners(venv, tmp_path):
    """Say whose modules were run, with an index beside without one; with which the answer must agree."""
    reads = []

    class Told(Cache):
        """An index that tells when something was not in it."""

        def recall(self, name, compute, *, condition=""):
            return super().recall(name, lambda: reads.append(name) or compute(), condition=condition)

    def told(traced, live=()):
        interpreter = venv.capture().interpreter
        kept = Told(str(tmp_path / "index"), granularity_ns=GRANULARITY_NS)
        reads.clear()
        answer = distributions_and_modules(traced, interpreter, live, cache=kept)
        assert answer == distributions_and_modules(traced, interpreter, live)
        return answer, len(reads)

    return told


@pytest.fixture
def warm(owners):
    """Ask until the answer is kept: until all that it rests on is older than the clock's granularity."""

    def until_kept(traced, live=()):
        deadline = time.monotonic() + 5
        while (told := owners(traced, live))[1]:
            assert time.monotonic() < deadline, "never kept"
        return told[0]

    return until_kept


@pytest.fixture
def traced(venv, write, run_traced):
    return run_traced(venv.python, write("main.py", "import alpha.core\nimport beta\n")).traced


def test_the_second_answer_is_read_from_the_index(owners, warm, traced, tmp_path):
    assert warm(traced) == (("alpha", "beta"), (str(tmp_path / "main.py"),))
    assert owners(traced) == ((("alpha", "beta"), (str(tmp_path / "main.py"),)), 0)


def test_outputs_and_changed_sources_beside_the_script_change_nothing(owners, warm, traced, write):
    before = warm(traced)
    write("main.py", "import alpha.core, beta\n\n")
    write("out/fit.csv", "1\n")
    assert owners(traced) == (before, 0)


def test_other_modules_are_another_question(owners, warm, traced, venv, write, run_traced):
    warm(traced)
    other = run_traced(venv.python, write("main.py", "import beta\n")).traced
    assert owners(other)[0][0] == ("beta",)


def another_record(venv):
    record = venv.info("beta") / "RECORD"
    record.write_text("".join(line for line in record.read_text().splitlines(keepends=True) if "beta.py" not in line))


def without_metadata(venv):
    venv.info("beta").rename(venv.site / "gone")


def one_more_that_lists_it(venv):
    info = venv.site / "zeta-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zeta\nVersion: 1.0\n")
    (info / "RECORD").write_text("beta.py,sha256=x,1\n")


CHANGES = {
    "its RECORD": (another_record, ("alpha",)),
    "its metadata": (without_metadata, ("alpha",)),
    "another distribution": (one_more_that_lists_it, ("alpha", "beta", "zeta")),
}


@pytest.mark.parametrize(("change", "loaded"), CHANGES.values(), ids=CHANGES)
def test_what_could_change_the_answer_is_read_again(change, loaded, owners, warm, traced, venv):
    assert warm(traced)[0] == ("alpha", "beta")
    change(venv)
    assert owners(traced)[0][0] == loaded


def test_a_link_that_leads_elsewhere_is_another_question(owners, warm, venv, run_traced, tmp_path):
    (tmp_path / "linked").symlink_to(venv.site / "alpha")
    traced = run_traced(venv.python, "-c", "import linked", PYTHONPATH=str(tmp_path)).traced
    assert traced.files == {str(tmp_path / "linked" / "__init__.py")}
    assert warm(traced) == (("alpha",), ())
    (tmp_path / "linked").unlink()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "__init__.py").touch()
    assert owners(traced)[0] == ((), (str(tmp_path / "linked" / "__init__.py"),))


def test_a_link_of_what_lies_outside_is_read_again(owners, warm, venv, make_wheel, run_traced, tmp_path):
    venv.install(make_wheel("odd", files={"odd.py": "", "odd-1.0.data/data/share/odd/plugin.py": ""}))
    share = venv.python.parents[1] / "share"
    traced = run_traced(venv.python, "-c", "import plugin", PYTHONPATH=str(share / "odd")).traced
    assert warm(traced) == (("odd",), ())
    share.rename(tmp_path / "moved")
    (tmp_path / "other" / "odd").mkdir(parents=True)
    share.symlink_to(tmp_path / "other")
    (share / "odd" / "plugin.py").touch()
    assert owners(traced)[0] == (("odd",), ())
    share.unlink()
    share.mkdir()
    (share / "odd").symlink_to(tmp_path / "moved" / "odd")
    assert owners(traced)[0] == (("odd",), ())


def test_an_editable_is_another_question(owners, warm, venv, make_wheel, write, run_traced, tmp_path):
    source = write("project/src/mine.py", "")
    venv.install(make_wheel("mine", files={"__editable__.mine.pth": f"{source.parent}\n"}))
    url = f'{{"url": "file://{source.parents[1]}", "dir_info": {{"editable": true}}}}'
    (venv.info("mine") / "direct_url.json").write_text(url)
    traced = run_traced(venv.python, "-c", "import mine").traced
    live = venv.capture().live
    assert [(one.role, one.name) for one in live] == [("editable", "mine")]
    assert warm(traced, live) == (("mine",), (str(source),))
    assert owners(traced)[0] == ((), (str(source),))
