"""Changes of every kind in any order, some at once after each other: each capture is the one without an index."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

EVERYDAY = 1
STEPS = 8


class Restless:
    """An environment that somebody changes without end; each change has the next of a few values."""

    def __init__(self, indexed, put, directory: Path, chance: random.Random) -> None:
        self._indexed = indexed
        self._put = put
        self._directory = directory
        self._chance = chance
        self._site = indexed.environment.site
        (directory / "code").mkdir()
        for name in ("one", "two"):
            put.distribution(directory / name, name)

    def step(self) -> str:
        changes: list[Callable[[], object]] = [
            self.loose_module,
            self.deep_module,
            self.version,
            self.hash_in_record,
            self.unhashed_file,
            self.direct_url,
            self.distribution_added,
            self.site_replaced,
            self.script,
            self.path_file,
            self.path_variable,
            self.other_variable,
            self.start_up_module,
            self.configuration,
            self.dangling_link,
            self.outputs,
            self.bytecode,
            self.installed_again,
        ]
        change = self._chance.choice(changes)
        change()
        return change.__name__

    def _digit(self) -> str:
        return self._chance.choice("123")

    def _write(self, path: Path, text: str) -> None:
        """Write in place, or a new file; with a time of its own, or the one that it had."""
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.stat() if path.exists() else None
        draft = path if self._chance.random() < 0.5 else path.with_name(f"{path.name}.draft")
        draft.write_text(text)
        draft.replace(path)
        if before and self._chance.random() < 0.5:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def _there_or_not(self, path: Path, text: str) -> None:
        if path.exists() and self._chance.random() < 0.5:
            path.unlink()
        else:
            self._write(path, text)

    def _replaced(self, path: Path, pattern: str) -> None:
        text = path.read_text()
        for digit in "123":
            text = text.replace(pattern.format(digit), pattern.format("{}"))
        self._write(path, text.replace(pattern.format("{}"), pattern.format(self._digit())))

    def loose_module(self) -> None:
        self._there_or_not(self._site / "loose.py", f"x = {self._digit()}\n")

    def deep_module(self) -> None:
        self._there_or_not(self._site / "tree/deep/deeper/module.py", f"x = {self._digit()}\n")

    def version(self) -> None:
        self._replaced(self._indexed.environment.info("alpha") / "METADATA", "Version: {}.0")

    def hash_in_record(self) -> None:
        record = self._indexed.environment.info("beta") / "RECORD"
        rows = [row for row in record.read_text().splitlines() if not row.startswith("other.py")]
        self._write(record, "\n".join([*rows, f"other.py,sha256={self._digit()},1", ""]))

    def unhashed_file(self) -> None:
        self._there_or_not(self._site / "beta_data.txt", self._digit())

    def direct_url(self) -> None:
        url = f'{{"url": "https://example.org/{self._digit()}"}}'
        self._there_or_not(self._indexed.environment.info("alpha") / "direct_url.json", url)

    def distribution_added(self) -> None:
        if (self._site / "three-1.0.dist-info").exists():
            shutil.rmtree(self._site / "three-1.0.dist-info")
        else:
            self._put.distribution(self._site, "three")

    def site_replaced(self) -> None:
        other = self._site.with_name("other")
        shutil.copytree(self._site, other, symlinks=True)
        (other / "loose.py").write_text(f"x = {self._digit()}\n")
        self._site.rename(self._site.with_name("former"))
        other.rename(self._site)
        shutil.rmtree(self._site.with_name("former"))

    def script(self) -> None:
        beginning = self._chance.choice(["#!/bin/sh", "\x7fELF"])
        self._there_or_not(self._indexed.environment.python.with_name("alpha-script"), f"{beginning} {self._digit()}")

    def path_file(self) -> None:
        self._there_or_not(self._site / "far.pth", str(self._directory / self._chance.choice(["one", "two", "none"])))

    def path_variable(self) -> None:
        self._indexed.change(PYTHONPATH=str(self._directory / self._chance.choice(["one", "code", "none"])))

    def other_variable(self) -> None:
        self._indexed.change(FAR=str(self._directory / self._chance.choice(["one", "two"])))

    def start_up_module(self) -> None:
        text = f"import os, sys\nsys.path.append(os.environ.get('FAR', {str(self._directory / self._digit())!r}))\n"
        directory = self._chance.choice([self._site, self._directory / "code"])
        self._there_or_not(directory / self._chance.choice(["sitecustomize.py", "_virtualenv.py"]), text)

    def configuration(self) -> None:
        configuration = self._indexed.environment.python.parents[1] / "pyvenv.cfg"
        self._write(configuration, configuration.read_text() + f"number = {self._digit()}\n")

    def dangling_link(self) -> None:
        self._there_or_not(self._site.parent / "target.py", f"x = {self._digit()}\n")

    def outputs(self) -> None:
        self._there_or_not(self._directory / "code" / f"output-{self._digit()}.csv", self._digit())

    def bytecode(self) -> None:
        (self._chance.choice([self._site, self._site / "tree"]) / "__pycache__").mkdir(exist_ok=True)

    def installed_again(self) -> None:
        info = self._indexed.environment.info("gamma")
        shutil.copytree(info, info.with_name("like"))
        shutil.rmtree(info)
        info.with_name("like").rename(info)


def change_at_random(seed: int, steps: int, indexed, put, directory: Path) -> None:
    chance = random.Random(seed)
    restless = Restless(indexed, put, directory, chance)
    done: list[str] = []
    for _ in range(steps):
        if chance.random() < 0.3:
            # By the last of these all is older than the clock's granularity.
            for _ in range(3):
                indexed.capture()
            done.append("a while")
        done.append(restless.step())
        try:
            indexed.agree()
        except AssertionError as error:
            error.add_note(f"after {', '.join(done)}")
            raise


@pytest.mark.parametrize("seed", range(EVERYDAY))
def test_every_capture_is_the_one_without_an_index(seed, copied, put, tmp_path):
    change_at_random(seed, STEPS, copied, put, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(EVERYDAY, 4))
def test_every_capture_of_a_long_row_is_the_one_without_an_index(seed, copied, put, tmp_path):
    change_at_random(seed, 4 * STEPS, copied, put, tmp_path)
