"""The types of LVGL's functions, read from the stub file that comes with the Python binding.

The binding does not check what it is given (a number where a color is wanted crashes the process), so the
panel does, with what the stub says. The stub also tells which module functions lvgl_micropython has: those
that are methods there are not in it.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple


class Signature(NamedTuple):
    """The types of a function's parameters and result, as in the stub ("int", "color_t", "obj", ...).

    `parameters` is None where the stub does not tell them.
    """

    parameters: tuple[str, ...] | None
    returns: str


UNKNOWN = Signature(None, "Any")


class Stub:
    """`functions`, `classes` (name: its methods) and `constants` of the module."""

    def __init__(self, module_file: str):
        path = Path(module_file)
        source = path.with_name(path.name.removesuffix(path.suffix) + ".pyi")
        tree = ast.parse(source.read_text(encoding="utf-8"))
        self.functions: dict[str, Signature] = {}
        self.classes: dict[str, dict[str, Signature]] = {}
        self.constants: set[str] = set()
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                self.functions[node.name] = _signature(node, False)
            elif isinstance(node, ast.ClassDef):
                self.classes[node.name] = {
                    item.name: _signature(item, not _is_static(item))
                    for item in node.body
                    if isinstance(item, ast.FunctionDef)
                }
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                self.constants.add(node.target.id)

    def method(self, class_name: str, name: str) -> Signature:
        """A method's types without those of `self`."""
        return self.classes.get(class_name, {}).get(name, UNKNOWN)


def _is_static(node: ast.FunctionDef) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list)


def _signature(node: ast.FunctionDef, has_self: bool) -> Signature:
    arguments = node.args.args[1:] if has_self else node.args.args
    returns = _type(node.returns)
    # A single `arg: Any` stands for what the stub's generator could not tell.
    if any(one.arg == "arg" for one in arguments):
        return Signature(None, returns)
    return Signature(tuple(_type(one.annotation) for one in arguments), returns)


def _type(node: ast.expr | None) -> str:
    if node is None:
        return "Any"
    if isinstance(node, ast.BinOp):  # an enum or its number
        return _type(node.right)
    return ast.unparse(node)


def callback_types(annotation: str) -> Signature | None:
    """The types that a `Callable[[...], ...]` takes and gives; None if it is none."""
    tree = ast.parse(annotation, mode="eval").body
    if not (isinstance(tree, ast.Subscript) and getattr(tree.value, "id", "") == "Callable"):
        return None
    assert isinstance(tree.slice, ast.Tuple)
    parameters, returns = tree.slice.elts
    if not isinstance(parameters, ast.List):
        return Signature(None, _type(returns))
    return Signature(tuple(_type(one) for one in parameters.elts), _type(returns))
