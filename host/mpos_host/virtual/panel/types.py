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

    `parameters` is None where the stub does not tell them; `UNCHECKED` stands for the type of each then.
    """

    parameters: tuple[str, ...] | None
    returns: str


UNCHECKED = "?"
UNNAMED = "number or struct"  # a type that the binding has no class for: an enumeration or a private struct
UNKNOWN = Signature(None, "Any")


# What the stub leaves out: arrays ("list[...]") and memory ("buffer").
_TOLD_HERE = {
    "animimg.set_src": ("list[Any]", "int"),
    "animimg.set_src_reverse": ("list[Any]", "int"),
    "buttonmatrix.set_ctrl_map": ("list[int]",),
    "buttonmatrix.set_map": ("list[str]",),
    "calendar.set_day_names": ("list[str]",),
    "calendar.set_highlighted_dates": ("list[calendar_date_t]", "int"),
    "canvas.set_buffer": ("buffer", "int", "int", "int"),
    "chart.set_series_ext_x_array": ("chart_series_t", "list[int]"),
    "chart.set_series_ext_y_array": ("chart_series_t", "list[int]"),
    "display_t.set_buffers": ("buffer", "Any", "int", "int"),
    "display_t.set_buffers_with_stride": ("buffer", "Any", "int", "int", "int"),
    "indev_t.set_button_points": ("list[point_t]",),
    "keyboard.set_map": ("int", "list[str]", "list[int]"),
    "keyboard.set_textarea": ("obj",),
    "line.set_points": ("list[point_precise_t]", "int"),
    "line.set_points_mutable": ("list[point_precise_t]", "int"),
    "obj.set_grid_dsc_array": ("list[int]", "list[int]"),
    "obj.set_style_grid_column_dsc_array": ("list[int]", "int"),
    "obj.set_style_grid_row_dsc_array": ("list[int]", "int"),
    "obj.transform_point_array": ("list[point_t]", "int", "int"),
    "qrcode.update": ("buffer", "int"),
    "scale.set_text_src": ("list[str]",),
    "style_t.set_grid_column_dsc_array": ("list[int]",),
    "style_t.set_grid_row_dsc_array": ("list[int]",),
    "subject_t.init_group": ("list[Any]", "int"),
    "table.get_selected_cell": ("buffer", "buffer"),
}


class Stub:
    """`functions` and `classes` (name: its methods) of the module."""

    def __init__(self, module_file: str):
        path = Path(module_file)
        source = path.with_name(path.name.removesuffix(path.suffix) + ".pyi")
        tree = ast.parse(source.read_text(encoding="utf-8"))
        self.functions: dict[str, Signature] = {}
        self.classes: dict[str, dict[str, Signature]] = {}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                self.functions[node.name] = _signature(node, False)
            elif isinstance(node, ast.ClassDef):
                self.classes[node.name] = {
                    item.name: _signature(item, not _is_static(item))
                    for item in node.body
                    if isinstance(item, ast.FunctionDef)
                }
        for methods in (self.functions, *self.classes.values()):
            for name, signature in methods.items():
                methods[name] = self._checkable(signature)
        for title, parameters in _TOLD_HERE.items():
            class_name, _, name = title.partition(".")
            if name in self.classes.get(class_name, {}):
                self.classes[class_name][name] = Signature(parameters, "Any")

    def method(self, class_name: str, name: str) -> Signature:
        """A method's types without those of `self`."""
        return self.classes.get(class_name, {}).get(name, UNKNOWN)

    def _checkable(self, signature: Signature) -> Signature:
        if signature.parameters is None:
            return signature
        known = [
            UNNAMED if one.endswith("_t") and one not in self.classes else one for one in signature.parameters
        ]
        return signature._replace(parameters=tuple(known))


def _is_static(node: ast.FunctionDef) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list)


def _signature(node: ast.FunctionDef, has_self: bool) -> Signature:
    arguments = node.args.args[1:] if has_self else node.args.args
    returns = _type(node.returns)
    # `arg: Any` stands for what the stub's generator could not tell, which may be that there is no parameter.
    if any(one.arg == "arg" for one in arguments):
        return Signature(None, returns)
    if has_self and (
        [one.arg for one in arguments] == ["disp"] or node.name == "get_list"
    ):  # `self` once more
        arguments = []
    return Signature(tuple(_type(one.annotation) for one in arguments), returns)


def _type(node: ast.expr | None) -> str:
    if node is None:
        return "Any"
    if isinstance(node, ast.BinOp):  # an enum or its number
        return _type(node.right)
    name = ast.unparse(node)
    return "int" if name.isupper() else name


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
