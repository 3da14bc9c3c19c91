"""What stands for LVGL's objects in the VM: widgets, structs, enumerations. lvgl.py presents them.

A widget is the same Python object as long as LVGL has it. Other objects are equal when they are the same in
LVGL. Plain values (points, areas, colors, animations before they start) have their bytes in this heap.
"""

import virtual_codec as _codec
import virtual_link as _link

_start = _codec.start
_put = _codec.put
_finish = _codec.finish
set_attribute = object.__setattr__

widgets = {}  # handle: the native widget, as long as LVGL has it
classes = {}  # number: class
prepared = set()  # subclasses of widgets seen
prepare = None  # virtualclasses.py puts its function here


class LvReferenceError(Exception):
    """The LVGL object was deleted."""


class Handle:
    """Stands for something in the panel. `_h` is its number: None before __init__, 0 for a plain value."""

    _h = None

    def __hash__(self):
        return self._h or id(self)


class obj(Handle):
    """A widget; the class of each kind of widget is derived from it when it is first used."""

    def __init__(self, parent=None, *more):
        kind = type(self)
        native = classes.get(kind._cid) is kind
        if not native and kind not in prepared:
            prepare(kind)
        _start(_link.NEW, kind._cid)
        _put(parent)
        for one in more:
            _put(one)
        handle = _finish()
        set_attribute(self, "_h", handle)
        if native:
            widgets[handle] = self

    def __getattr__(self, name):
        return _get(self, name)

    def __setattr__(self, name, value):
        kind = type(self)
        if classes.get(kind._cid) is kind:
            raise AttributeError("'%s' object has no attribute '%s'" % (kind.__name__, name))
        set_attribute(self, name, value)

    def __eq__(self, other):
        return isinstance(other, obj) and self._h == other._h

    def __hash__(self):
        return self._h or id(self)

    def __repr__(self):
        kind = type(self)
        if classes.get(kind._cid) is kind:
            return "<%s>" % kind.__name__
        return "<%s object at %x>" % (kind.__name__, id(self))


class Struct(Handle):
    """A struct of LVGL: a plain value with its bytes here (`_h` is 0), or something that LVGL owns."""

    _h = 0
    _callbacks = None

    def __init__(self, fields=None):
        if self._by_value:
            set_attribute(self, "_bytes", bytearray(self._size))
            set_attribute(self, "_offset", 0)
            if isinstance(fields, dict):
                for name in fields:
                    setattr(self, name, fields[name])
            return
        _start(_link.NEW, self._cid)
        _put(fields)
        set_attribute(self, "_h", _finish())

    def __getattr__(self, name):
        if name == "__SIZE__":
            return self._size
        value = _get(self, name)
        if type(value) is tuple:  # a struct inside of a plain value
            cid, offset = value
            return value_of(cid, self._bytes, self._offset + offset)
        return value

    def __setattr__(self, name, value):
        _start(_link.SET, 0)
        _put(self)
        _put(name)
        _put(value)
        _finish(self)

    def __dereference__(self, size=None):
        if self._h:
            return _read(self, size)
        return memoryview(self._bytes)[self._offset : self._offset + (size or self._size)]

    def __eq__(self, other):
        return self is other or (isinstance(other, Struct) and self._h != 0 and self._h == other._h)

    def __hash__(self):
        return self._h or id(self)

    def __repr__(self):
        return "<%s>" % type(self).__name__


class Animation(Struct):
    """anim_t: its callbacks stay here until it starts, so that one that never does is simply collected."""

    def _keep(self, slot, function):
        if self._callbacks is None:
            set_attribute(self, "_callbacks", {})
        self._callbacks[slot] = function

    def set_custom_exec_cb(self, function):
        self._keep(0, function)

    def set_completed_cb(self, function):
        self._keep(1, function)

    def set_start_cb(self, function):
        self._keep(2, function)

    def set_deleted_cb(self, function):
        self._keep(3, function)

    def set_get_value_cb(self, function):
        self._keep(4, function)

    def set_path_cb(self, function):
        native = _codec.functions.get(function)
        if native is None:
            self._keep(5, function)
            return
        if self._callbacks:
            self._callbacks.pop(5, None)
        _start(_link.SET, 0)
        _put(self)
        _put("path_cb")
        _put(function)
        _finish(self)


class Blob:
    """User data of a callback, as the real binding hands it out."""

    def __init__(self, data):
        self._data = data

    def __cast__(self):
        return self._data

    def __repr__(self):
        return "<Blob>"


class Pointer(Struct):
    """A pointer of LVGL whose target is not known."""

    def __cast__(self, *_):
        return _get(self, "__cast__")

    def __repr__(self):
        return "<Blob>"


class Enum:
    """The constants of one enumeration of LVGL, asked for when first used."""

    def __init__(self, number, name, title):
        self._number = number
        self._name = name
        self._title = title

    def __getattr__(self, name):
        _start(_link.NAME, self._number)
        _put(name)
        value = _finish()
        setattr(self, name, value)
        return value

    def __repr__(self):
        return "<class '%s'>" % self._title


def _get(owner, name):
    """A method or field that `owner` does not have yet."""
    if owner._h is None:
        raise AttributeError("'%s' object has no attribute '%s'" % (type(owner).__name__, name))
    _start(_link.GET, owner._cid)
    _put(owner)
    _put(name)
    value = _finish(owner)
    if value is _codec.NO:
        return getattr(owner, name)
    return value


def _read(owner, size):
    """A copy of the memory that `owner` points at; without a size, of what the panel knows to be there."""
    data = None
    offset = 0
    while True:
        _start(_link.READ, 0 if data is None else offset + 1)
        _put(owner)
        _put(size)
        part = _finish()
        if data is None:
            size = part  # the first answer is the size
            data = bytearray(size)
        else:
            data[offset : offset + len(part)] = part
            offset += len(part)
        if offset >= size:
            return memoryview(data)


def class_of(cid):
    kind = classes.get(cid)
    if kind is None:
        kind = _codec.aside(_link.CLASS, cid)
    return kind


def value_of(cid, data, offset):
    made = object.__new__(class_of(cid))
    set_attribute(made, "_bytes", data)
    set_attribute(made, "_offset", offset)
    return made
