"""For the tests of smoke tests: a checkout with device tests of its own, in which `mpos test` runs."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

from mpos_host.project import PROJECT

_ROOT = Path(__file__).parents[2]


class SmokeRun:
    """A folder with device tests, in which pytest runs as `mpos test` runs it."""

    def __init__(self, folder: Path, options: list[str]):
        self.folder = folder
        self.options = options
        self.report = folder / "report"
        device = folder / "tests" / "device"
        device.mkdir(parents=True)
        # The folder is a checkout of its own, with its own pictures.
        for name in ("mpos", "apps", "boards"):
            (folder / name).symlink_to(_ROOT / name)
        self.images = folder / "tests" / "smoke_images" / "320x240"
        self.take("reporting.py")

    def take(self, name: str) -> None:
        """Have a file of tests/device/ in it."""
        text = (_ROOT / "tests" / "device" / name).read_text(encoding="utf-8")
        (self.folder / "tests" / "device" / name).write_text(text, encoding="utf-8")

    def write(self, source: str) -> None:
        (self.folder / "tests" / "device" / "smoke_it.py").write_text(source)

    def environment(self) -> dict[str, str]:
        return {**os.environ, PROJECT: str(self.folder)}

    def command(self, *arguments: str) -> list[str]:
        return [
            sys.executable,
            "-m",
            "mpos_host",
            "test",
            "--report",
            str(self.report),
            *self.options,
            *arguments,
        ]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=200,
        )

    def outcomes(self) -> dict[str, str]:
        """The tests in JUnit's report, with how they ended."""
        cases = {}
        for case in ElementTree.parse(self.report / "junit.xml").iter("testcase"):
            ends = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
            cases[case.get("name") or ""] = ends[0] if ends else "passed"
        return cases

    def page(self) -> str:
        return (self.report / "index.html").read_text(encoding="utf-8")


class Articles(HTMLParser):
    """The text of each test on the page, and how many pictures it has."""

    def __init__(self, page: str):
        super().__init__()
        self.texts: list[str] = []
        self.pictures: list[int] = []
        self.outside: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "article":
            self._inside = True
            self.texts.append("")
            self.pictures.append(0)
        if tag == "img":
            self.pictures[-1] += 1
            source = dict(attrs)["src"] or ""
            assert source.startswith("data:image/png;base64,"), source
        assert tag not in ("link", "script"), "the page must need nothing else"

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += " " + data
        else:
            self.outside.append(data)

    def of(self, name: str) -> tuple[str, int]:
        for text, pictures in zip(self.texts, self.pictures, strict=True):
            if name in text:
                return text, pictures
        raise AssertionError(f"{name} is not in the report")
