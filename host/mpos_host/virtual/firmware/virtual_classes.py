"""LVGL's classes and functions, made from the panel's descriptions when they are first used.

MicroPython does not ask `__getattr__` when a method is looked up on a class, as in `super().set_text(t)` or
`lv.label.set_text(label, t)`. So the methods that loaded code names are installed when a class is made, and
again when a class derived from it is first used.
"""

import virtual_codec as _codec
import virtual_link as _link
import virtual_objects as _objects
from virtual_objects import (
    Animation,
    Blob,
    Enum,
    Handle,
    LvReferenceError,
    Pointer,
    Struct,
    class_of,
    classes,
    obj,
    prepared,
    set_attribute,
    value_of,
    widgets,
)

_start = _codec.start
_put = _codec.put
_finish = _codec.finish
_NO = _codec.NO


def _method(number):
    def method(self, a=_NO, b=_NO, c=_NO, *more):
        _start(_link.CALL, number)
        _put(self)
        if a is not _NO:
            _put(a)
            if b is not _NO:
                _put(b)
                if c is not _NO:
                    _put(c)
                    for one in more:
                        _put(one)
        return _finish(self, a, b, c, more)

    return method


def _function(number):
    def function(a=_NO, b=_NO, c=_NO, *more):
        _start(_link.CALL, number)
        if a is not _NO:
            _put(a)
            if b is not _NO:
                _put(b)
                if c is not _NO:
                    _put(c)
                    for one in more:
                        _put(one)
        return _finish(a, b, c, _NO, more)

    return function


def _make_function(is_method):
    """A function that the panel names; a method goes into its class, and NO says: look there."""
    number = _codec.take_u32()
    if not is_method:
        return _function(number)
    owner = class_of(_codec.take_u16())
    name = _codec.take()
    flags = _codec.take_u16()
    method = _method(number)
    setattr(owner, name, method)
    if flags & 1:
        _codec.functions[method] = number
    if flags & 2:
        _codec.starters.add(number)
    return _NO


def _make_class():
    """The class that the panel describes: a widget's, a struct's or a plain value's."""
    cid = _codec.take_u16()
    base = _codec.take_u16()
    size = _codec.take_u16()
    kind = _codec.take_u16()
    name = _codec.take()
    enums = _codec.take()
    preload = _codec.take()
    known = classes.get(cid)
    if known is not None:
        return known
    namespace = {"_cid": cid}
    if kind == 0:
        if cid == base:
            made = obj
            obj._cid = cid
        else:
            made = type(name, (class_of(base),), namespace)
    else:
        namespace["_size"] = namespace["__SIZE__"] = size
        namespace["_by_value"] = kind == 2
        parent = Pointer if name == "Blob" else Animation if name == "lv_anim_t" else Struct
        made = type(name, (parent,), namespace)
    classes[cid] = made
    for one in enums:
        setattr(made, one._name, one)
    if made is not obj:
        _preload(made, preload.split(" "))
        if not kind:
            _preload(obj)
    return made


def _preload(kind, always=()):
    """Install the class's own methods that loaded code names, and those in `always`.

    An identifier of code is an interned string, which shows in its id. MicroPython does not ask `__getattr__`
    when a method is looked up on a class or through super().
    """
    index = 0
    while True:
        names = _codec.aside(_link.NAMES, kind._cid | index << 16)
        if not names:
            return
        for name in names.split(" "):
            index += 1
            wanted = name in always or id(name) & 3 == 2
            if wanted and name not in kind.__dict__ and not hasattr(Animation, name):
                _codec.aside(_link.CLASS, kind._cid | index << 16)


def _prepare(kind):
    """Make super() work in a class derived from a widget's: see `_preload`."""
    prepared.add(kind)
    native = classes[kind._cid]
    while native is not Handle:
        _preload(native)
        native = native.__bases__[0]


def _make_widget(handle, cid):
    widget = widgets.get(handle)
    if widget is None:
        widget = object.__new__(class_of(cid))
        set_attribute(widget, "_h", handle)
        widgets[handle] = widget
    return widget


def _make_struct(handle, cid):
    made = object.__new__(class_of(cid))
    set_attribute(made, "_h", handle)
    return made


def _user_data(callback, _):
    entry = _codec.callbacks.get(callback)
    return Blob(entry[1] if type(entry) is tuple else None)


def _forget(count):
    """Drop what LVGL has deleted: handles, and callbacks (the top bit is set)."""
    inbox = _link.inbox
    callbacks = _codec.callbacks
    at = _link.HEADER
    for _ in range(count):
        number = inbox[at] | inbox[at + 1] << 8 | inbox[at + 2] << 16
        if inbox[at + 3] & 0x80:
            number |= (inbox[at + 3] & 0x7F) << 24
            callbacks.pop(number, None)
        else:
            number |= inbox[at + 3] << 24
            widgets.pop(number, None)
        at += 4


_objects.prepare = _prepare
_link.forget = _forget
_codec.Handle = Handle
_codec.Struct = Struct
_codec.make_widget = _make_widget
_codec.make_struct = _make_struct
_codec.make_value = value_of
_codec.make_user_data = _user_data
_codec.make_class = _make_class
_codec.make_enum = Enum
_codec.make_function = _make_function
_codec.errors = (TypeError, AttributeError, LvReferenceError, ValueError, OSError, RuntimeError)
