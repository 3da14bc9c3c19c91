"""What the names of LVGL mean to the VM: classes, functions, enumerations and constants, each with a number.

Which names exist is lvgl_micropython's choice: a function that is a method there is no function of the
module, although the panel's binding has it as one (`lv.display_set_flush_cb(d, cb)` is `d.set_flush_cb(cb)`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mpos_host.virtual.panel import wire
from mpos_host.virtual.panel.lvgl import lv
from mpos_host.virtual.panel.types import UNKNOWN, Signature, Stub

WIDGET, STRUCT, VALUE = 0, 1, 2

# Structs that LVGL copies rather than keeps a pointer to: their bytes are held by the VM.
_VALUES = {
    "point_t",
    "point_precise_t",
    "area_t",
    "color_t",
    "color16_t",
    "color32_t",
    "color_hsv_t",
    "calendar_date_t",
    "anim_t",
}
# Methods that the binding cannot do: they take raw pointers, or callbacks whose user data it loses.
_BROKEN = {
    "null_on_delete",
    "delete_anim_completed_cb",
    "add_screen_create_event",
    "calc_dynamic_width",
    "calc_dynamic_height",
}
# Structs that LVGL's functions take and give by value: None is not one of them.
BY_VALUE = {"color_t", "color16_t", "color32_t", "color_hsv_t", "style_value_t"}


@dataclass(frozen=True)
class Class:
    """A class of the VM. `name` is that of lvgl_micropython, `stub` that of the stub file."""

    number: int
    kind: int
    name: str
    stub: str
    type: Any
    base: int
    size: int


@dataclass(frozen=True)
class Member:
    """A function or method. `call` takes the arguments, those of a method after `self`."""

    number: int
    name: str
    owner: Class | None
    call: Callable[..., Any]
    signature: Signature
    c_name: str
    title: str  # for error texts, and the key of an adaptation


class Names:
    """Everything that has been named so far."""

    def __init__(self, stub: Stub):
        self._stub = stub
        self._classes: list[Class] = []
        self._by_type: dict[Any, Class] = {}
        self._enums: list[Any] = [None]
        self._enum_numbers: dict[str, int] = {}
        self._members: list[Member] = []
        self._by_name: dict[tuple[int, str], Member] = {}
        self._method_names: dict[int, list[str]] = {}
        self.extra: dict[str, Callable[..., Any]] = {}  # functions that the binding lacks

    def class_of(self, kind: Any) -> Class:
        """The class for a type of the binding."""
        known = self._by_type.get(kind)
        if known is not None:
            return known
        number = len(self._classes)
        stub = kind.__name__.removeprefix("lv_")
        if issubclass(kind, lv.obj):
            base = number if kind is lv.obj else self.class_of(kind.__mro__[1]).number
            made = Class(len(self._classes), WIDGET, kind.__name__, kind.__name__, kind, base, 0)
            if kind is lv.obj:
                assert made.number == base
        else:
            is_value = stub in _VALUES or (stub.startswith("draw_") and stub.endswith("_dsc_t"))
            size = getattr(kind, "__SIZE__", 0)
            made = Class(number, VALUE if is_value else STRUCT, kind.__name__, stub, kind, number, size)
        self._classes.append(made)
        self._by_type[kind] = made
        return made

    def get_class(self, number: int) -> Class:
        return self._classes[number]

    def member(self, number: int) -> Member:
        return self._members[number]

    def define(self, made: Class) -> bytes:
        """A class's description for the VM."""
        own = vars(made.type) if made.kind == WIDGET else {}
        enums = [
            self._enum(getattr(made.type, name), name, f"LV_{made.name.upper()}_{name}")
            for name in own
            if name.isupper()
        ]
        names = self.method_names(made)
        if made.kind == WIDGET:
            # A method that also the base has would be found there, once it is known there.
            preload = [name for name in names if any(name in vars(base) for base in made.type.__mro__[1:])]
        else:
            preload = [name for name in names if name.startswith("path_")]
        return wire.class_definition(
            made.number, made.base, made.size, made.kind, made.name, enums, " ".join(preload)
        )

    def name(self, enum: int, name: str) -> bytes:
        """What a name of the module, or of enumeration number `enum`, means. Raises VmError if nothing."""
        if enum:
            return self._constant(enum, name)
        if name in self.extra:
            return wire.function(
                self._function(name, self.extra[name], self._stub.functions.get(name, UNKNOWN))
            )
        if name in self._stub.functions:
            found = getattr(lv, name, None)
            if found is not None:
                return wire.function(self._function(name, found, self._stub.functions[name]))
        found = getattr(lv, name, None)
        if name.startswith("_") or found is None or name in ("Struct", "C_Pointer"):
            raise wire.attribute_error(f"module 'lvgl' has no attribute '{name}'")
        if isinstance(found, type):
            return self.define(self.class_of(found))
        constant = wire.write_scalar(found)
        if constant is not None:
            return constant
        if isinstance(found, lv.Struct):
            raise StructConstant(found)
        if name in self._stub.classes:
            return self._enum(found, name, f"LV_{name}")
        raise wire.attribute_error(f"module 'lvgl' has no attribute '{name}'")

    def method(self, owner: Class, name: str) -> Member | None:
        """The method `name` of a class or of the class that it is derived from."""
        while True:
            known = self._by_name.get((owner.number, name))
            if known is not None:
                return known
            call = self._find_method(owner, name)
            if call is not None:
                prefix = owner.stub.removesuffix("_t")
                signature = self._stub.method(owner.stub, name)
                return self._add(owner, name, call, signature, f"lv_{prefix}_{name}")
            if owner.base == owner.number:
                return None
            owner = self._classes[owner.base]

    def method_names(self, owner: Class) -> list[str]:
        """The names of a class's own methods, always in the same order."""
        known = self._method_names.get(owner.number)
        if known is None:
            names: set[str] = set(self._stub.classes.get(owner.stub, ()))
            if owner.kind == WIDGET:
                names = {name for name in vars(owner.type) if not name.startswith("_") and not name.isupper()}
            known = self._method_names[owner.number] = sorted(
                name for name in names if self._find_method(owner, name) is not None
            )
        return known

    def describe(self, member: Member) -> bytes:
        """A method for the VM to put into its class."""
        assert member.owner is not None
        flags = 0
        if member.owner.stub == "anim_t":
            flags = 1 if member.name.startswith("path_") else 2 if member.name == "start" else 0
        return wire.method(member.number, member.owner.number, member.name, flags)

    def _find_method(self, owner: Class, name: str) -> Callable[..., Any] | None:
        if name.startswith("_") or name in _BROKEN or (owner.stub, name) == ("gif", "get_size"):
            return None
        if owner.kind == WIDGET:
            found = vars(owner.type).get(name)
            return found if callable(found) and not isinstance(found, type) else None
        prefix = owner.stub.removesuffix("_t")
        if name not in self._stub.classes.get(owner.stub, ()):
            return None
        found = getattr(lv, f"{prefix}_{name}", None)
        return found if callable(found) else _Bound(name)

    def _function(self, name: str, call: Callable[..., Any], signature: Signature) -> int:
        known = self._by_name.get((-1, name))
        return (known or self._add(None, name, call, signature, f"lv_{name}")).number

    def _add(
        self, owner: Class | None, name: str, call: Callable[..., Any], signature: Signature, c_name: str
    ) -> Member:
        title = f"{owner.stub if owner else 'lv'}.{name}"
        made = Member(len(self._members), name, owner, call, signature, c_name, title)
        self._members.append(made)
        self._by_name[(owner.number if owner else -1, name)] = made
        return made

    def _enum(self, found: Any, name: str, title: str) -> bytes:
        number = self._enum_numbers.get(title)
        if number is None:
            number = self._enum_numbers[title] = len(self._enums)
            self._enums.append(found)
        return wire.enum(number, name, title)

    def _constant(self, enum: int, name: str) -> bytes:
        found = None if name.startswith("__") else getattr(self._enums[enum], name, None)
        constant = wire.write_scalar(found)
        if found is None or constant is None:
            names = {number: one for one, number in self._enum_numbers.items()}
            raise wire.attribute_error(f"type object '{names[enum]}' has no attribute '{name}'")
        return constant


class StructConstant(Exception):
    """The name means a struct of LVGL's own, such as a font."""

    def __init__(self, struct: Any):
        super().__init__()
        self.struct = struct


class _Bound:
    """A method that only the binding's objects have."""

    def __init__(self, name: str):
        self._name = name

    def __call__(self, owner: Any, *arguments: Any) -> Any:
        return getattr(owner, self._name)(*arguments)
