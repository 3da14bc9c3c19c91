"""The VM's requests, executed: names, constructors, calls, fields. session.py carries them."""

from __future__ import annotations

import ctypes
import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from mpos_host.virtual.panel import wire
from mpos_host.virtual.panel.adapt import Adaptations
from mpos_host.virtual.panel.anim import Animations
from mpos_host.virtual.panel.lvgl import lv, raise_pending, struct_over
from mpos_host.virtual.panel.names import WIDGET, Class, Member, Names, StructConstant
from mpos_host.virtual.panel.objects import PARTS, Entry, Objects
from mpos_host.virtual.panel.running import Running
from mpos_host.virtual.panel.types import UNCHECKED, UNKNOWN, Signature
from mpos_host.virtual.panel.values import Values, callback_of, get_field, pointer, reason
from mpos_host.virtual.panel.wire import Callback, Function, Handle, Kind, Reader, Value, type_error

Ask = Callable[..., Any]
_READ_SIZE = 440  # bytes in one answer to READ: it fits into a message
_NAMES_SIZE = 420  # of one answer to NAMES: it fits into a message


class Calls:
    """`ask` runs a callback of the VM: ask(number, slot, arguments, returns, kind). The session sets it."""

    def __init__(self, names: Names, objects: Objects, running: Running):
        self.names = names
        self.objects = objects
        self.values = Values(names, objects)
        self.ask: Ask = _nobody
        self.animations = Animations(objects, lambda *arguments: self.ask(*arguments))
        self.adapt = Adaptations(self)
        names.extra.update(self.adapt.functions)
        self._handlers: dict[int, Callable[[int, Reader], bytes]] = {
            Kind.CALL: self._call,
            Kind.NEW: self._new,
            Kind.NAME: self._name,
            Kind.GET: self._get,
            Kind.SET: self._set,
            Kind.CLASS: self._class,
            Kind.NAMES: self._names_of,
            Kind.READ: self._read,
        }
        self.running = running

    def execute(self, kind: int, argument: int, reader: Reader) -> bytes:
        """The answer's payload. Raises VmError."""
        handler = self._handlers.get(kind)
        if handler is None:
            raise wire.runtime_error(f"request {kind} is unknown to the panel")
        return handler(argument, reader)

    # Calls

    def _call(self, number: int, reader: Reader) -> bytes:
        member = self.names.member(number)
        arguments = reader.rest()
        self.running.name = member.title
        keep: list[Any] = []
        callbacks = [value for value in arguments if isinstance(value, Callback)]
        try:
            return self._execute(member, arguments, keep)
        except wire.VmError:
            self.objects.release_callbacks(callbacks)
            raise

    def _execute(self, member: Member, arguments: list[Any], keep: list[Any]) -> bytes:
        before = [bytes(value.data) if isinstance(value, Value) else None for value in arguments]
        special = self.adapt.methods.get(member.title)
        if special is not None:
            payload = self._adapted(special, member, arguments)
        else:
            converted = self._convert(member, arguments, keep)
            result = self._invoke(member, converted, arguments)
            if keep and member.owner is not None and arguments and isinstance(arguments[0], Handle):
                self._keep(arguments[0], member, keep)
            fresh = "create" in member.name
            payload = self.values.result(result, fresh)
            if type(result).__name__.removeprefix("lv_") in PARTS and isinstance(arguments[0], Handle):
                part = self.objects.struct(result, self.names.class_of(type(result)).stub)
                self.objects.belongs(part, self.objects.get(arguments[0]))
            self._adopt(member, arguments, result)
            if member.owner is not None and member.owner.kind != WIDGET and member.name == "delete":
                self._deleted(arguments[0])
        changed = [
            (index, bytes(value.data))
            for index, value in enumerate(arguments)
            if isinstance(value, Value) and bytes(value.data) != before[index]
        ]
        return wire.updates(changed) + payload

    def _adapted(self, special: Callable[..., bytes], member: Member, arguments: list[Any]) -> bytes:
        if member.owner is not None and arguments and isinstance(arguments[0], Handle):
            self.objects.get(arguments[0])
        try:
            return special(*arguments)
        except TypeError as failure:
            if "positional argument" not in str(failure):
                raise
            wanted = len(inspect.signature(special).parameters)
            raise type_error(_wrong_count(member, wanted, len(arguments))) from None

    def _convert(self, member: Member, arguments: list[Any], keep: list[Any]) -> list[Any]:
        types = self._types(member, len(arguments))
        title = member.title
        converted = []
        has_callback = any(isinstance(value, Callback) for value in arguments)
        for value, wanted in zip(arguments, types, strict=True):
            if has_callback and wanted == "Any" and value is not None and not isinstance(value, Callback):
                raise type_error(f"{title}: user_data is None or a dict")
            if isinstance(value, Callback):
                converted.append(self._function(value, wanted, title, member))
            elif isinstance(value, Function):
                converted.append(self.names.member(value).call)
            else:
                if isinstance(value, Value) and value.callback:
                    self.animations.attach(value, member)
                converted.append(self.values.argument(value, wanted, title, keep))
        return converted

    def _types(self, member: Member, count: int) -> list[str]:
        """The types of `count` arguments, `self` included."""
        parameters = member.signature.parameters
        own = [] if member.owner is None else [member.owner.stub if member.owner.kind != WIDGET else "obj"]
        if count < len(own):
            raise type_error(f"{member.title} is a method: it needs {own[0]} first")
        if parameters is None:
            return own + [UNCHECKED] * (count - len(own))
        if len(own) + len(parameters) != count:
            raise type_error(_wrong_count(member, len(own) + len(parameters), count))
        return own + list(parameters)

    def _function(self, number: Callback, wanted: str, title: str, member: Member) -> Callable[..., Any]:
        types = callback_of(number, wanted, title) or UNKNOWN
        kind = "event" if "event_t" in wanted else member.name
        return self.callback(number, types, kind)

    def callback(self, number: int, types: Signature, kind: str) -> Callable[..., Any]:
        """What the binding calls; it asks the VM."""

        def run(*arguments: Any) -> Any:
            return self.ask(number, None, arguments, types.returns, kind)

        return run

    def _invoke(self, member: Member, converted: list[Any], arguments: list[Any]) -> Any:
        try:
            result = member.call(*converted)
            raise_pending()
            return result
        except (TypeError, SystemError, ValueError, OverflowError, lv.LvReferenceError) as failure:
            text = reason(failure)
            if "takes exactly" in text or "expected" in text:
                given = len(arguments)
                raise type_error(f"{member.title}: {text.replace('function ', '')}, {given} in all") from None
            raise type_error(f"{member.title}: {text}") from None

    def _adopt(self, member: Member, arguments: list[Any], result: Any) -> None:
        """Callbacks live as long as what they were given to; an animation's as long as its timeline."""
        for value in arguments[1:]:
            if isinstance(value, Value) and value.callback and isinstance(arguments[0], Handle):
                self.objects.hold(self.objects.get(arguments[0]), member.name, value.callback, adds=True)
        callbacks = [int(value) for value in arguments if isinstance(value, Callback)]
        if not callbacks:
            return
        owner = arguments[0] if isinstance(arguments[0], Handle) else None
        entry: Entry | None = None
        if owner is not None:
            entry = self.objects.get(owner)
        elif isinstance(result, lv.Struct):
            entry = self.objects.struct(result, self.names.class_of(type(result)).stub)
        if entry is None:
            return
        for callback in callbacks:
            self.objects.hold(
                entry, member.name, callback, adds=not member.name.startswith(("set_", "timer_"))
            )

    def _keep(self, owner: Handle, member: Member, keep: list[Any]) -> None:
        """LVGL may point at the arguments' memory as long as `owner` exists, or until the same call again."""
        entry = self.objects.get(owner)
        if member.name.startswith("bind_"):  # a widget may be bound several times
            keep = entry.keep.get(member.name, []) + keep
        entry.keep[member.name] = list(keep)

    def _deleted(self, owner: Any) -> None:
        if isinstance(owner, Handle):
            with suppress(wire.VmError):  # found to be gone by looking
                self.objects.drop(self.objects.get(owner))

    # Names and classes

    def _name(self, enum: int, reader: Reader) -> bytes:
        name = reader.value()
        try:
            return wire.updates([]) + self.names.name(enum, name)
        except StructConstant as constant:
            return wire.updates([]) + self.values.result(constant.struct)

    def _class(self, argument: int, _: Reader) -> bytes:
        made = self.names.get_class(argument & 0xFFFF)
        index = argument >> 16
        if not index:
            return wire.updates([]) + self.names.define(made)
        member = self.names.method(made, self.names.method_names(made)[index - 1])
        assert member is not None
        return wire.updates([]) + self.names.describe(member)

    def _names_of(self, argument: int, _: Reader) -> bytes:
        names = self.names.method_names(self.names.get_class(argument & 0xFFFF))[argument >> 16 :]
        some: list[str] = []
        size = 0
        for name in names:
            size += len(name) + 1
            if size > _NAMES_SIZE:
                break
            some.append(name)
        return wire.updates([]) + wire.text(" ".join(some))

    # Objects and fields

    def _new(self, class_id: int, reader: Reader) -> bytes:
        made = self.names.get_class(class_id)
        value, *more = reader.rest()
        self.running.name = f"lv.{made.stub}()"
        if made.kind == WIDGET:
            return self._new_widget(made, value, more)
        wrapper = made.type()
        if isinstance(value, dict):
            for name, one in value.items():
                self.values.set_field(wrapper, name, one, made.name)
        entry = self.objects.struct(wrapper, made.stub, fresh=True)
        return wire.updates([]) + wire.scalar(entry.number)

    def _new_widget(self, made: Class, parent: Any, more: list[Any]) -> bytes:
        if parent is not None and not (isinstance(parent, Handle) and parent.is_widget):
            raise type_error(f"lv.{made.name}: the parent is a widget or None")
        under = self.objects.get(parent).wrapper if parent is not None else None
        check = self.adapt.constructors.get(made.name, _takes_parent_only)
        check(under, more)
        try:
            wrapper = made.type(under, *more)
        except (TypeError, SystemError) as failure:
            raise type_error(f"lv.{made.name}: {reason(failure)}") from None
        entry = self.objects.widget(wrapper)
        return wire.updates([]) + wire.scalar(entry.number)

    def _owner(self, value: Any) -> tuple[Any, Class, bool]:
        """The binding's object for the owner of a field, its class, and whether the VM holds its bytes."""
        if isinstance(value, Value):
            made = self.names.get_class(value.class_id)
            return struct_over(made.type, value.data), made, True
        entry = self.objects.get(value)
        return entry.wrapper, self.names.class_of(type(entry.wrapper)), False

    def _get(self, class_id: int, reader: Reader) -> bytes:
        """A method or field. Those of a deleted widget are found: only calling them is an error."""
        value, name = reader.value(), reader.value()
        made = self.names.get_class(class_id)
        member = self.names.method(made, name)
        if member is not None:
            return wire.updates([]) + self.names.describe(member)
        if made.kind == WIDGET:
            raise wire.attribute_error(f"'{made.name}' object has no attribute '{name}'")
        wrapper, made, held = self._owner(value)
        if name == "__cast__":
            raise wire.attribute_error("the panel does not know what this points at")
        return wire.updates([]) + self.values.field(wrapper, made, held, get_field(wrapper, name))

    def _set(self, _: int, reader: Reader) -> bytes:
        owner, name, value = reader.rest()
        wrapper, made, _held = self._owner(owner)
        before = bytes(owner.data) if isinstance(owner, Value) else b""
        if made.stub == "anim_t" and name == "path_cb" and isinstance(value, Function):
            self.animations.set_path(wrapper, self.names.member(value))
        else:
            self.values.set_field(wrapper, name, value, made.name)
        changed = isinstance(owner, Value) and bytes(owner.data) != before
        return wire.updates([(0, bytes(owner.data))] if changed else []) + b"\0"

    def _read(self, argument: int, reader: Reader) -> bytes:
        """The size of the memory that a pointer points at (argument 0), or a part of it (offset + 1)."""
        owner, size = reader.value(), reader.value()
        wrapper, _, _ = self._owner(owner)
        if size is None:
            size = wrapper.__dereference__().nbytes
        elif type(size) is not int or size < 0:
            raise type_error("__dereference__ needs a size in bytes")
        if not argument:
            return wire.updates([]) + wire.scalar(size)
        offset = argument - 1
        wanted = max(0, min(_READ_SIZE, size - offset))
        address = pointer(wrapper) + offset
        return wire.updates([]) + wire.scalar(ctypes.string_at(address, wanted) if wanted else b"")


def _nobody(*_: Any) -> NoReturn:
    raise RuntimeError("a callback without a session")


def _takes_parent_only(_: Any, more: list[Any]) -> None:
    if more:
        raise type_error(
            f"a widget's constructor takes its parent only, {len(more)} more arguments were given"
        )


def _wrong_count(member: Member, wanted: int, given: int) -> str:
    return f"{member.title}() takes {wanted} positional arguments but {given} were given"
