"""Checks what a board.py asks of its drivers against the table of their signatures, without running it.

A wrong keyword, a missing parameter or a constant that a driver does not have is a fault that would otherwise
only show on the board. Both firmwares are checked: lvgl_micropython's drivers and MicroPythonOS's own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from mpos_host.checks.driver_signatures import Drivers, Signature

_FORK = "MicroPythonOS"


def faults(path: Path, table: dict[str, Drivers]) -> list[str]:
    """What is wrong in the board.py at `path`, as lines "FILE:LINE: what"; empty if nothing is."""
    return list(_BoardFile(path, table).faults())


def checked_calls(path: Path, table: dict[str, Drivers]) -> int:
    """How many calls in `path` are to something that the table has."""
    file = _BoardFile(path, table)
    return sum(1 for call in file.calls() if any(d.find(file.name_of(call.func)) for d in table.values()))


class _BoardFile:
    def __init__(self, path: Path, table: dict[str, Drivers]):
        self._path = path
        self._table = table
        self._tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        self._modules = {
            name.split(".")[0] for drivers in table.values() for name in (*drivers.names, *drivers.signatures)
        }
        self._names: dict[str, str] = {}  # a variable of this file -> what it is in the table
        self._returns: dict[str, str] = {}  # a function of this file -> what it returns
        self._for_fork = {
            call
            for branch in ast.walk(self._tree)
            if isinstance(branch, ast.If) and _asks_for_fork(branch.test)
            for statement in branch.body
            for call in ast.walk(statement)
            if isinstance(call, ast.Call)
        }
        self._forks_differ = bool(self._for_fork)
        self._find_names()

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self._tree) if isinstance(node, ast.Call))

    def faults(self) -> Iterator[str]:
        for call in self.calls():
            for firmware, drivers in self._table.items():
                signature = drivers.find(self.name_of(call.func))
                if signature is None or not self._concerns(call, firmware):
                    continue
                for fault in _call_faults(call, signature):
                    yield self._line(call, f"{ast.unparse(call.func)}() {fault} ({firmware})")
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                module = self._names.get(node.value.id)
                if module in self._modules and not self._has(module, node.attr):
                    yield self._line(node, f"{module} has no {node.attr}")

    def name_of(self, node: ast.expr) -> str:
        """The name in the table of what `node` means, such as "st7789.ST7789.init"; "" if unknown."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id, "")
        if isinstance(node, ast.Attribute):
            owner = self.name_of(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        return ""

    def _concerns(self, call: ast.Call, firmware: str) -> bool:
        if call in self._for_fork:
            return firmware == _FORK
        # A constructor that differs is called twice, once for each: the other call is upstream's.
        differs = self._forks_differ and self.name_of(call.func) in {
            self.name_of(c.func) for c in self._for_fork
        }
        return not (differs and firmware == _FORK)

    def _has(self, module: str, name: str) -> bool:
        return all(name in d.names[module] for d in self._table.values() if module in d.names)

    def _find_names(self) -> None:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name in self._modules:
                        self._names[alias.asname or alias.name] = alias.name
            elif isinstance(node, ast.Assign) and (module := _driver_of(node.value)):
                self._names.update((t.id, module) for t in node.targets if isinstance(t, ast.Name))
        # A variable is what it was made by, and a function gives what it returns; twice, for chains of both.
        for _ in range(2):
            for node in ast.walk(self._tree):
                if isinstance(node, ast.Assign) and (made := self._value(node.value)):
                    self._names.update((t.id, made) for t in node.targets if isinstance(t, ast.Name))
                elif isinstance(node, ast.FunctionDef):
                    returned = [self._value(n.value) for n in ast.walk(node) if isinstance(n, ast.Return)]
                    self._returns.update((node.name, made) for made in returned if made)

    def _value(self, node: ast.expr | None) -> str:
        """What an expression gives: an instance of a class of the table, by the name of the class."""
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in self._returns:
                return self._returns[node.func.id]
            return self.name_of(node.func)
        return self.name_of(node) if isinstance(node, ast.Name) else ""

    def _line(self, node: ast.expr, fault: str) -> str:
        return f"{self._path}:{node.lineno}: {fault}"


def _asks_for_fork(test: ast.expr) -> bool:
    return isinstance(test, ast.Call) and ast.unparse(test.func).endswith("is_mpos_fork")


def _driver_of(value: ast.expr) -> str:
    """The module that `hardware.driver("module")` gives."""
    if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("driver") and value.args:
        argument = value.args[0]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            return argument.value
    return ""


def _call_faults(call: ast.Call, signature: Signature) -> Iterator[str]:
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(
        k.arg is None for k in call.keywords
    ):
        return  # *args or **kwargs: known only when it runs
    if len(call.args) > len(signature.positional) and not signature.any_positional:
        yield f"takes {len(signature.positional)} positional parameters, gets {len(call.args)}"
    given = set(signature.positional[: len(call.args)])
    for keyword in call.keywords:
        name = str(keyword.arg)
        if name in given:
            yield f"gets {name} twice"
        elif name not in (*signature.positional, *signature.keyword) and not signature.any_keyword:
            yield f"has no parameter {name}"
        given.add(name)
    for name in signature.required:
        if name not in given:
            yield f"lacks the parameter {name}"
