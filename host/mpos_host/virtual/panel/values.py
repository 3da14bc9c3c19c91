"""Arguments and results of LVGL's functions: from the VM's values to the binding's and back.

Every argument is checked against the type that the function takes: the binding itself would crash.
"""

from __future__ import annotations

import array
import ctypes
from typing import Any

from mpos_host.virtual.panel import wire
from mpos_host.virtual.panel.lvgl import lv, struct_address, struct_at, struct_over, widget_address
from mpos_host.virtual.panel.names import BY_VALUE, Class, Names
from mpos_host.virtual.panel.objects import Objects
from mpos_host.virtual.panel.types import UNCHECKED, UNNAMED, callback_types
from mpos_host.virtual.panel.wire import Callback, Function, Handle, Value, type_error

_NUMBERS = {"int", "bool", "float"}

# Functions that take no widget, struct or text as well. Elsewhere LVGL would hang or crash.
_NONE_IS_FINE = {
    "label.set_text",
    "label.set_text_static",
    "obj.align_to",
    "obj.remove_style",
    "obj.replace_style",
    "indev_t.reset",
    "indev_t.set_group",
    "keyboard.set_textarea",
    "menu.set_page",
    "menu.set_sidebar_page",
    "display_t.set_theme",
    "obj.set_style_bg_grad",
    "obj.set_style_transition",
    "obj.set_style_color_filter_dsc",
    "obj.set_style_anim",
    "display_t.set_draw_buffers",
    "display_t.set_default",
    "indev_t.set_display",
    "group_t.set_default",
    "lv.anim_delete",
    "lv.anim_get",
    "lv.theme_default_init",
    "lv.draw_layer_init",
}


# Structs whose fields lvgl_micropython does not show.
_OPAQUE = {
    "lv_display_t",
    "lv_event_t",
    "lv_group_t",
    "lv_indev_t",
    "lv_obj_class_t",
    "lv_timer_t",
}


class Values:
    """Conversion for one life of LVGL."""

    def __init__(self, names: Names, objects: Objects):
        self._names = names
        self._objects = objects

    def argument(self, value: Any, wanted: str, where: str, keep: list[Any]) -> Any:
        """The binding's value for one argument of type `wanted`. `keep` gets what must outlive the call.

        Raises VmError: a TypeError that names `where`, or LvReferenceError.
        """
        if isinstance(value, Handle):
            entry = self._objects.get(value)
            if wanted.startswith("list["):
                wanted = wanted[5:-1] if wanted.endswith("_t]") else "buffer"
            self._check_class(entry.kind, entry.wrapper, wanted, where)
            if value.is_widget and wanted == "Any":  # a void pointer, which the binding makes of structs only
                return struct_at(lv.point_t, entry.address)
            return entry.wrapper
        if wanted in _NUMBERS:
            return _number(value, wanted, where)
        if wanted == UNCHECKED and isinstance(value, (int, float)):
            return value
        if wanted == UNNAMED:
            return _number(value, wanted, where)
        if value is None:
            # LVGL takes the default display for none.
            optional = wanted in ("Any", UNCHECKED, "display_t") or where in _NONE_IS_FINE
            if wanted.startswith("Callable"):
                optional = optional or ".set_" in where
            if wanted in BY_VALUE or not optional:
                raise type_error(f"{where} needs {_article(wanted)}, not None")
            return None
        if isinstance(value, Value):
            kind = self._names.get_class(value.class_id)
            if wanted.startswith("list["):
                wanted = wanted[5:-1]
            self._check_class(kind.stub, None, wanted, where)
            keep.append(value.data)
            return struct_over(kind.type, value.data)
        if isinstance(value, str):
            if wanted == "buffer":
                return self._bytes(value.encode(), wanted, where, keep)
            if wanted not in ("str", "Any", UNCHECKED):
                raise type_error(f"{where} needs {_article(wanted)}, not a str")
            keep.append(value)  # LVGL copies most texts, but not formats, static texts and symbols
            return value
        if isinstance(value, bytes):
            return self._bytes(value, wanted, where, keep)
        if isinstance(value, dict) and wanted.endswith("_t"):
            keep.append(self.struct_from(getattr(lv, wanted, None), value, where))
            return keep[-1]
        if isinstance(value, list):
            return self._list(value, wanted, where, keep)
        raise type_error(f"{where} needs {_article(wanted)}, not {_describe(value)}")

    def struct_from(self, kind: Any, fields: dict[str, Any], where: str) -> Any:
        """A struct with those fields."""
        if not (isinstance(kind, type) and issubclass(kind, lv.Struct)):
            raise type_error(f"{where} cannot be given a dict")
        made = kind()
        for name, value in fields.items():
            self.set_field(made, name, value, where)
        return made

    def set_field(self, struct: Any, name: str, value: Any, where: str) -> None:
        """Set a field, checked against what is in it. Raises VmError."""
        owner = type(struct).__name__
        current = get_field(struct, name)
        if type(current) in (int, bool):
            value = _number(value, "int", f"{owner}.{name}")
        elif type(current) is float:
            value = float(_number(value, "float", f"{owner}.{name}"))
        elif isinstance(value, (Handle, Value)):
            wanted = type(current).__name__.removeprefix("lv_") if isinstance(current, lv.Struct) else "Any"
            value = self.argument(value, wanted, f"{owner}.{name}", [])
        elif isinstance(current, lv.Struct) and not isinstance(value, dict):
            raise type_error(
                f"{owner}.{name} needs {_article(type(current).__name__)}, not {_describe(value)}"
            )
        elif isinstance(value, dict):
            value = self.struct_from(type(current), value, where)
        elif isinstance(value, list):
            raise type_error(f"{owner}.{name} cannot be given a list")
        try:
            setattr(struct, name, value)
        except (TypeError, AttributeError, SystemError, ValueError, OverflowError) as failure:
            raise type_error(f"{owner}.{name}: {reason(failure)}") from None

    def result(self, value: Any, fresh: bool = False, by_value: bool = True) -> bytes:
        """A result for the VM. `fresh`: a struct that LVGL has just made."""
        scalar = wire.write_scalar(value)
        if scalar is not None:
            return scalar
        if isinstance(value, lv.obj):
            entry = self._objects.widget(value)
            return wire.widget(entry.number, self._names.class_of(type(value)).number)
        if isinstance(value, (lv.Struct, lv.Blob)):
            kind = self._names.class_of(type(value))
            if by_value and kind.stub in BY_VALUE:
                return wire.struct_value(kind.number, bytes(value.__dereference__(kind.size)))
            entry = self._objects.struct(value, kind.stub, fresh)
            return wire.struct_handle(entry.number, kind.number)
        return b"\0"

    def field(self, owner: Any, owner_class: Class, held_by_vm: bool, value: Any) -> bytes:
        """A struct's field for the VM: structs inside of structs stay there, so that writing works."""
        if held_by_vm and isinstance(value, lv.Struct):
            kind = self._names.class_of(type(value))
            offset = struct_address(value) - struct_address(owner)
            if 0 <= offset < owner_class.size:
                return wire.view(kind.number, offset)
        return self.result(value, by_value=False)

    def _check_class(self, kind: str, wrapper: Any, wanted: str, where: str) -> None:
        if wanted in ("Any", UNCHECKED) or (wanted == "buffer" and kind != "obj"):
            return
        if kind == "obj":
            if wanted == "obj" or type(wrapper).__name__ == wanted:
                return
            raise type_error(f"{where} needs {_article(wanted)}, not a widget")
        if kind != wanted and kind != "Blob":
            raise type_error(f"{where} needs {_article(wanted)}, not an lv_{kind}")

    def _bytes(self, value: bytes, wanted: str, where: str, keep: list[Any]) -> Any:
        if wanted == "str":
            keep.append(value.decode("utf-8", "surrogateescape"))
            return keep[-1]
        if wanted not in ("Any", UNCHECKED, "buffer", "list[int]"):
            raise type_error(f"{where} needs {_article(wanted)}, not bytes")
        keep.append(bytearray(value))
        return keep[-1]

    def _list(self, items: list[Any], wanted: str, where: str, keep: list[Any]) -> Any:
        """A C array. Of texts it ends with NULL, as LVGL expects."""
        element = wanted[5:-1] if wanted.startswith("list[") else ""
        if not element and wanted not in ("Any", UNCHECKED):
            raise type_error(f"{where} needs {_article(wanted)}, not a list")
        kind = getattr(lv, element, None) if element.endswith("_t") else None
        if element in ("", "int") and all(isinstance(item, (int, float)) for item in items):
            made: Any = array.array("i", [int(item) for item in items])
        elif element in ("", "str", "Any") and all(item is None or isinstance(item, str) for item in items):
            texts = [
                ctypes.create_string_buffer(item.encode()) if item is not None else None for item in items
            ]
            keep.append(texts)
            made = array.array(
                "Q", [ctypes.addressof(text) if text is not None else 0 for text in texts] + [0]
            )
        elif element in ("int", "str"):
            raise type_error(f"{where} needs {_article(wanted)}")
        else:
            made = self._struct_array(items, kind, element or "Any", where, keep)
        keep.append(made)
        return struct_over(kind, made) if isinstance(kind, type) else made

    def _struct_array(self, items: list[Any], kind: Any, wanted: str, where: str, keep: list[Any]) -> Any:
        """Structs one after the other where LVGL takes structs, else an array of pointers."""
        by_type = isinstance(kind, type) and issubclass(kind, lv.Struct)
        converted = []
        for item in items:
            if isinstance(item, dict) and by_type:
                converted.append(self.struct_from(kind, item, where))
            elif isinstance(item, Value) or (isinstance(item, Handle) and by_type):
                converted.append(self.argument(item, wanted, where, keep))
            elif isinstance(item, Handle) and not by_type:
                converted.append(self._objects.get(item).wrapper)
            else:
                raise type_error(f"{where} cannot be given a list with {_describe(item)}")
        if all(isinstance(one, lv.Struct) for one in converted) and (by_type or isinstance(items[0], Value)):
            return bytearray().join(bytes(one.__dereference__(type(one).__SIZE__)) for one in converted)
        return array.array("Q", [pointer(one) for one in converted])


def pointer(value: Any) -> int:
    """The address that a binding's object stands for."""
    if value is None:
        return 0
    return widget_address(value) if isinstance(value, lv.obj) else struct_address(value)


def get_field(struct: Any, name: str) -> Any:
    """A field's value. Raises VmError (AttributeError) if the struct has no such field."""
    if not name.startswith("_") and type(struct).__name__ not in _OPAQUE:
        try:
            return getattr(struct, name)
        except (AttributeError, SystemError):
            pass
    raise wire.attribute_error(f"'{type(struct).__name__}' object has no attribute '{name}'")


def reason(failure: BaseException) -> str:
    """The text of the error that the binding raised, which it sometimes hides in a SystemError."""
    cause = failure.__cause__ if isinstance(failure, SystemError) and failure.__cause__ else failure
    return str(cause)


def callback_of(value: Any, wanted: str, where: str) -> Any:
    """The types of a callback that a function of the VM is to be; raises VmError if none is wanted."""
    types = callback_types(wanted) if wanted.startswith("Callable") else None
    if types is None and wanted not in ("Any", UNCHECKED):
        raise type_error(f"{where} needs {_article(wanted)}, not a function")
    return types


def _number(value: Any, wanted: str, where: str) -> int | float:
    if isinstance(value, float):
        if wanted != "float":
            raise type_error(f"{where}: can't convert float to int")
        return value
    if isinstance(value, int) and not isinstance(value, (Callback, Function)):
        return value
    raise type_error(f"{where}: can't convert {_describe(value)} to {wanted}")


def _article(wanted: str) -> str:
    if wanted.startswith("Callable"):
        return "a function"
    name = {"obj": "widget", "Any": "pointer"}.get(
        wanted, f"lv_{wanted}" if wanted.endswith("_t") else wanted
    )
    return f"{'an' if name.startswith(('lv_', 'int', 'arc', 'image')) else 'a'} {name}"


def _describe(value: Any) -> str:
    if isinstance(value, Callback):
        return "a function"
    if isinstance(value, (Handle, Value)):
        return "an LVGL object"
    return "None" if value is None else _article(type(value).__name__)
