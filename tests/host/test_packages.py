"""mpos in a firmware and by mip: the lists are complete, and mpremote installs what package.json names."""

import json
import subprocess
import sys
from pathlib import Path

from mpos_host import project
from mpos_host.checks import packages
from mpos_host.virtual import VirtualBoard

ROOT = project.root()
AGAIN = "run: python -m mpos_host.checks.packages"


def modules() -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "mpos").rglob("*.py")
        if path.name != "manifest.py"
    } | {"mpos/app/manifest.py"}


def test_both_lists_are_those_of_the_files_that_are_there():
    assert (ROOT / packages.MANIFEST).read_text(encoding="utf-8") == packages.manifest(), AGAIN
    assert (ROOT / packages.PACKAGE).read_text(encoding="utf-8") == packages.package(), AGAIN


def test_the_manifest_freezes_each_module_and_not_itself():
    frozen: list[str] = []

    def package(name: str, files: list[str], base_path: str) -> None:
        folder = (ROOT / "mpos" / base_path / name).resolve()
        frozen.extend((folder / file).relative_to(ROOT).as_posix() for file in files)

    def module(name: str, base_path: str) -> None:
        frozen.append((ROOT / "mpos" / base_path / name).resolve().relative_to(ROOT).as_posix())

    names = {"package": package, "module": module, "metadata": lambda version: None}
    exec((ROOT / packages.MANIFEST).read_text(encoding="utf-8"), names)
    assert len(frozen) == len(set(frozen)) and set(frozen) >= modules()
    assert all((ROOT / file).is_file() for file in frozen) and "mpos/manifest.py" not in frozen


def test_mip_puts_mpos_onto_a_board_where_it_can_be_imported(tmp_path: Path):
    with VirtualBoard() as board:
        mpremote = [sys.executable, "-m", "mpremote", "connect", board.port]
        done = subprocess.run(
            [*mpremote, "mip", "install", "--target", "/lib", str(ROOT / packages.PACKAGE)],
            capture_output=True,
            text=True,
            timeout=100,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        code = "import mpos; print(mpos.__file__, mpos.TaskManager.__name__, mpos.Activity.__name__)"
        done = subprocess.run([*mpremote, "exec", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split()[0].startswith("/lib/mpos/__init__"), done.stdout + done.stderr
    assert done.stdout.split()[1:] == ["TaskManager", "Activity"]
    urls = json.loads((ROOT / packages.PACKAGE).read_text(encoding="utf-8"))["urls"]
    assert {source for _, source in urls} >= modules()
