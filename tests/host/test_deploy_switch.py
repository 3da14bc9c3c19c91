"""The switch from one version to the next, with the power failing at each of its writes to the flash.

boards/shared/deploy_switch.py runs here, on the LittleFS that the boards have. Every write is recorded; the
flash as it was after each of them, and in the middle of each, is then what a board boots from.
"""

import hashlib
import json
from typing import Any

import littlefs
import pytest

from mpos_host import project

SOURCE = (project.root() / "boards/shared/deploy_switch.py").read_text(encoding="utf-8")
BLOCK = 4096
BLOCKS = 64
GEOMETRY: dict[str, Any] = {"read_size": 32, "prog_size": 32, "cache_size": 128, "lookahead_size": 32}

# Some files replace others, one is new in a folder that is not there yet; big ones have blocks of their own.
OLD = {
    f"/lib/{name}.py": b"old " * size for name, size in zip("abcdef", (1, 3000, 2, 50, 1500, 3), strict=True)
}
NEW = {path: content.replace(b"old", b"new") for path, content in OLD.items() if path != "/lib/f.py"}
NEW |= {"/lib/f.mpy": b"new", "/lib/g/h/i.py": b"new " * 9, "/main.py": b"new"}
PLAN = {
    "put": [[hashlib.sha256(path.encode()).hexdigest()[:16], path] for path in NEW],
    "remove": ["/lib/f.py"],
}


class Chip(littlefs.UserContext):
    """A flash chip that records what is written to it: (position, bytes)."""

    def __init__(self, content, erases):
        super().__init__(buffer=bytearray(content))
        self.writes = []
        self._erases = erases

    def prog(self, cfg, block, off, data):
        self._write(block * BLOCK + off, bytes(data))
        return 0

    def erase(self, cfg, block):
        if self._erases:
            self._write(block * BLOCK, b"\xff" * BLOCK)
        return 0

    def _write(self, position, data):
        self.writes.append((position, data))
        self.buffer[position : position + len(data)] = data

    def contents_at_cuts(self, before):
        """What is on the chip when the power fails: after each write, and in the middle of each."""
        content = bytearray(before)
        for position, data in self.writes:
            middle = position + len(data) // 2
            content[position:middle] = data[: middle - position]
            yield bytes(content)
            content[position : position + len(data)] = data
            yield bytes(content)


class Board:
    """The file system of a board that has just got power, and `finish()` of deploy_switch.py on it."""

    def __init__(self, content=None, erases=True):
        self.chip = Chip(content or b"\xff" * (BLOCK * BLOCKS), erases)
        self.files = littlefs.LittleFS(
            self.chip, block_size=BLOCK, block_count=BLOCKS, mount=content is None, **GEOMETRY
        )
        if content is not None:
            self.files.mount()  # a broken file system is an error, not a reason to format it
        self.switch = {}
        exec(SOURCE, self.switch)
        errors = (OSError, littlefs.LittleFSError)
        self.switch.update(os=self.files, open=self.files.open, OSError=errors)

    def put(self, files):
        for path, content in files.items():
            self.files.makedirs(path.rpartition("/")[0] or "/", exist_ok=True)
            with self.files.open(path, "wb") as file:
                file.write(content)

    def everything(self):
        self.files.fs_mkconsistent()  # else what an interrupted rename hides would be missing
        paths = [
            f"{folder.rstrip('/')}/{name}" for folder, _, names in self.files.walk("/") for name in names
        ]
        return {path: self.files.open(path, "rb").read() for path in paths}


def prepared(erases):
    """The flash of a board with the old version, and with all of the new one but the switch done."""
    board = Board(erases=erases)
    board.put(OLD)
    board.put({f"/deploy/{name}": NEW[path] for name, path in PLAN["put"]})
    board.put({"/deploy/plan": json.dumps(PLAN).encode()})
    return bytes(board.chip.buffer)


@pytest.mark.parametrize("erases", [True, False], ids=["flash", "image that is not erased"])
def test_the_power_fails_at_any_write_and_again_in_the_next_boot(erases):
    before = prepared(erases)
    board = Board(before, erases)
    assert board.switch["finish"]() is True
    assert board.everything() == NEW
    assert len(board.chip.writes) > 20

    cuts = list(board.chip.contents_at_cuts(before))
    for number, content in enumerate(cuts):
        again = Board(content, erases)
        again.switch["finish"]()
        assert again.everything() == NEW, f"cut {number} of {len(cuts)}"
        assert again.switch["finish"]() is False
        for second, content_again in enumerate(again.chip.contents_at_cuts(content)):
            if (number + second) % 5 == 0:
                last = Board(content_again, erases)
                last.switch["finish"]()
                assert last.everything() == NEW, f"cut {number}, then {second}"


def test_a_boot_without_a_deployment_writes_nothing():
    board = Board()
    board.put(NEW)
    board = Board(bytes(board.chip.buffer))
    assert board.switch["finish"]() is False
    assert board.chip.writes == []
