"""Where the device files are, and what the boards and apps among them say about themselves.

Everything here only reads files of the host. What is wrong is raised as a `UserError`, whose text is one
line that says what to do; `mpos_host.cli.main` prints it as it is.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = "MPOS_PROJECT"  # in the environment
_MARK = Path("mpos/task_manager.py")


class UserError(Exception):
    """Something the user can put right. The text is one line that says what to do.

    `exit_code` is what the command ends with: 2 for a command that cannot be right, 1 for one that failed.
    """

    def __init__(self, message: str, exit_code: int = 1):
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Board:
    """What boards/NAME/board.toml says. `facts` is the whole file, for what only one tool needs."""

    name: str
    title: str
    arch: str  # mpy-cross -march
    directory: Path
    facts: dict[str, Any] = field(repr=False)

    @property
    def is_process(self) -> bool:
        """True if the board is played by a process of this computer, so that it needs no serial port."""
        return self.facts.get("chip", "none") == "none"


@dataclass(frozen=True)
class App:
    """An app folder whose manifest has been checked."""

    directory: Path
    package: str  # folder name on the device: /apps/PACKAGE
    title: str
    module: str
    activity: str


def root() -> Path:
    """The folder that holds mpos/, apps/ and boards/. Raises UserError.

    It is the one that MPOS_PROJECT names, or the checkout this package is installed from (`pip install -e`),
    or the copy inside the installed package. The current directory is not asked: its code would be run.
    """
    named = os.environ.get(PROJECT)
    if named:
        folder = Path(named).resolve()
        if not (folder / _MARK).is_file():
            raise UserError(f"{PROJECT} names {folder}, where there is no {_MARK}", 2)
        return folder
    package = Path(__file__).resolve().parent
    for candidate in (package.parents[1], package / "device_files"):
        if (candidate / _MARK).is_file():
            return candidate
    raise UserError("the device files (mpos/, apps/, boards/) are not in this installation: install it again")


def board_names() -> list[str]:
    return sorted(toml.parent.name for toml in (root() / "boards").glob("*/board.toml"))


def load_board(name: str) -> Board:
    """Read boards/NAME/board.toml."""
    names = board_names()
    if name not in names:
        close = difflib.get_close_matches(name, names)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known boards: {', '.join(names)}"
        raise UserError(f"there is no board {name}; {hint}", 2)
    directory = root() / "boards" / name
    try:
        facts = tomllib.loads((directory / "board.toml").read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{directory / 'board.toml'} is not valid TOML: {error}", 2) from None
    return Board(
        name=name,
        title=str(facts.get("title", name)),
        arch=str(facts.get("arch", "xtensawin")),
        directory=directory,
        facts=facts,
    )


def load_app(where: str) -> App:
    """Find the app `where` (a folder, or the name of one in apps/) and check its manifest.

    The manifest is manifest.json with "name", "package", "version" and "entry"; the entry is "module:Class",
    both of which must exist.
    """
    directory = _app_directory(where)
    path = directory / "manifest.json"
    if not path.is_file():
        raise UserError(f"{directory} has no manifest.json: it is no app (see docs/apps.md)", 2)
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid JSON: {error}", 2) from None
    except RecursionError:
        raise UserError(f"{path} is nested too deeply for a manifest", 2) from None
    if not isinstance(manifest, dict):
        raise UserError(f'{path} must hold an object, like {{"name": ...}}', 2)
    for key in ("name", "package", "version", "entry"):
        if key not in manifest:
            raise UserError(f'{path} lacks "{key}" (a string)', 2)
        if not isinstance(manifest[key], str) or not manifest[key]:
            raise UserError(f'{path}: "{key}" must be a string, not {json.dumps(manifest[key])}', 2)
    package = manifest["package"]
    if not all(part.isidentifier() for part in package.split(".")):
        raise UserError(f'{path}: "package" must be a name like demo_download, not {package!r}', 2)
    module, _, activity = manifest["entry"].partition(":")
    if not module.isidentifier() or not activity.isidentifier():
        raise UserError(f'{path}: "entry" must be "module:Class", not {manifest["entry"]!r}', 2)
    _check_entry(path, directory, module, activity)
    return App(directory, package, manifest["name"], module, activity)


def apps() -> list[Path]:
    """The folders of the apps that come with the device files."""
    return sorted(manifest.parent for manifest in (root() / "apps").glob("*/manifest.json"))


def _app_directory(where: str) -> Path:
    given = Path(where)
    for candidate in (given, root() / given, root() / "apps" / given):
        if candidate.is_dir():
            return candidate.resolve()
    if given.is_file():
        raise UserError(f"{where} is a file: an app is a folder with a manifest.json (see docs/apps.md)", 2)
    names = [app.name for app in apps()]
    close = difflib.get_close_matches(given.name, names)
    hint = f"did you mean {' or '.join(close)}?" if close else f"apps here: {', '.join(names) or 'none'}"
    raise UserError(f"there is no app {where}; {hint}", 2)


def _check_entry(path: Path, directory: Path, module: str, activity: str) -> None:
    source = directory / f"{module}.py"
    if not source.is_file():
        if (directory / f"{module}.mpy").is_file():
            return
        raise UserError(f'{path}: "entry" names {module}.py, which is not in {directory}', 2)
    try:
        tree = ast.parse(source.read_text(encoding="utf-8"), str(source))
    except SyntaxError as error:
        raise UserError(f"{source}:{error.lineno}: {error.msg}", 2) from None
    except ValueError as error:  # it is not UTF-8, or holds a zero byte
        raise UserError(f"{source} is no Python source: {error}", 2) from None
    except (RecursionError, MemoryError):
        raise UserError(f"{source} is nested too deeply to be read", 2) from None
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    names = {
        alias.asname or alias.name
        for n in ast.walk(tree)
        if isinstance(n, ast.ImportFrom)
        for alias in n.names
    }
    if activity not in classes and activity not in names:
        raise UserError(
            f'{path}: "entry" names class {activity}, {source.name} has: {", ".join(classes) or "none"}', 2
        )
