"""The two other ways onto a board, made from the list of mpos's files: frozen into a firmware, and by mip.

    python -m mpos_host.checks.packages

writes mpos/manifest.py, which a firmware's manifest includes, and package.json, which `mpremote mip install`
reads from a checkout or a release. The formats are those of MicroPython's docs/reference/manifest.rst and
docs/reference/packages.rst.
"""

from __future__ import annotations

import json
from pathlib import Path

from mpos_host.board.deploy import mpos_files
from mpos_host.project import root

MANIFEST = Path("mpos/manifest.py")
PACKAGE = Path("package.json")

_HEAD = '''"""For a firmware that freezes mpos: its manifest says include("PATH/mpos/manifest.py").

Made by `python -m mpos_host.checks.packages`. The format: docs/reference/manifest.rst of MicroPython.
"""
'''


def manifest() -> str:
    """The text of mpos/manifest.py."""
    lines = [_HEAD, f'metadata(version="{_version()}")\n', "package(", '    "mpos",', "    files=["]
    lines += [f'        "{name}",' for name in _names("/lib/mpos/")]
    lines += ["    ],", '    base_path="..",', ")", ""]
    lines += [f'module("{name}", base_path="../{_folder(name)}")' for name in _modules()]
    return "\n".join(lines).rstrip("\n") + "\n"


def package() -> str:
    """The text of package.json."""
    here = root()
    urls = [
        json.dumps([target.removeprefix("/lib/"), path.relative_to(here).as_posix()])
        for path, target in mpos_files()
    ]
    lines = ",\n".join(urls)
    return f'{{"version": {json.dumps(_version())}, "deps": [], "urls": [\n{lines}\n]}}\n'


def _names(folder: str) -> list[str]:
    return [target.removeprefix(folder) for _, target in mpos_files() if target.startswith(folder)]


def _modules() -> list[str]:
    """The modules that stand beside the package mpos."""
    return [name for name in _names("/lib/") if not name.startswith("mpos/")]


def _folder(name: str) -> str:
    found = {target: path for path, target in mpos_files()}
    return found[f"/lib/{name}"].parent.relative_to(root()).as_posix()


def _version() -> str:
    for line in (root() / "pyproject.toml").read_text(encoding="utf-8").splitlines():
        if line.startswith("version = "):
            return line.split('"')[1]
    raise ValueError("pyproject.toml has no line: version = ...")


if __name__ == "__main__":
    (root() / MANIFEST).write_text(manifest(), encoding="utf-8")
    (root() / PACKAGE).write_text(package(), encoding="utf-8")
    print(f"{MANIFEST}, {PACKAGE}: {len(mpos_files())} files")
