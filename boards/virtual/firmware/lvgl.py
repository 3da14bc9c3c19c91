"""LVGL as lvgl_micropython's binding presents it, forwarded to the virtual board's panel.

Nothing of LVGL is listed here: a name is asked for when it is first used (panel_names.py answers) and kept.
Widgets are the same Python object as long as LVGL has them; other LVGL objects are equal when they are the
same in LVGL. Plain values (points, areas, colors, animations before they start) live in this heap.

Where this differs from the real binding: a method is found on a class, as in `super().set_text(t)` or
`lv.label.set_text(label, t)`, only if some code that was loaded before the class was first used names it.
"""

import virtual_codec as _codec
import virtual_link as _link

_begin = _link.begin
_exchange = _link.exchange
_start = _codec.start
_put = _codec.put
_finish = _codec.finish
_NO = _codec.NO
_got = _link._got
_set = object.__setattr__


class LvReferenceError(Exception):
    """The LVGL object was deleted."""


class _Handle:
    """Stands for something in the panel. `_h` is its number: None before __init__, 0 for a plain value."""

    _h = None

    def __hash__(self):
        return self._h or id(self)


class obj(_Handle):
    """A widget; the class of each kind of widget is derived from it when it is first used."""

    def __init__(self, parent=None, *more):
        kind = type(self)
        native = _classes.get(kind._cid) is kind
        if not native and kind not in _prepared:
            _prepare(kind)
        _start(_link.NEW, kind._cid)
        _put(parent)
        for one in more:
            _put(one)
        handle = _finish()
        _set(self, "_h", handle)
        if native:
            _widgets[handle] = self

    def __getattr__(self, name):
        return _get(self, name)

    def __setattr__(self, name, value):
        kind = type(self)
        if _classes.get(kind._cid) is kind:
            raise AttributeError("'%s' object has no attribute '%s'" % (kind.__name__, name))
        _set(self, name, value)

    def __eq__(self, other):
        return isinstance(other, obj) and self._h == other._h

    def __hash__(self):
        return self._h or id(self)

    def __repr__(self):
        kind = type(self)
        if _classes.get(kind._cid) is kind:
            return "<%s>" % kind.__name__
        return "<%s object at %x>" % (kind.__name__, id(self))


class _Struct(_Handle):
    """A struct of LVGL: a plain value with its bytes here (`_h` is 0), or something that LVGL owns."""

    _h = 0
    _callbacks = None

    def __init__(self, fields=None):
        if self._by_value:
            _set(self, "_bytes", bytearray(self._size))
            _set(self, "_offset", 0)
            if isinstance(fields, dict):
                for name in fields:
                    setattr(self, name, fields[name])
            return
        _start(_link.NEW, self._cid)
        _put(fields)
        _set(self, "_h", _finish())

    def __getattr__(self, name):
        if name == "__SIZE__":
            return self._size
        value = _get(self, name)
        if type(value) is tuple:  # a struct inside of a plain value
            cid, offset = value
            return _value(cid, self._bytes, self._offset + offset)
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
        return self is other or (isinstance(other, _Struct) and self._h != 0 and self._h == other._h)

    def __hash__(self):
        return self._h or id(self)

    def __repr__(self):
        return "<%s>" % type(self).__name__


class _Animation(_Struct):
    """anim_t: its callbacks stay here until it starts, so that one that never does is simply collected."""

    def _keep(self, slot, function):
        if self._callbacks is None:
            _set(self, "_callbacks", {})
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


class _Pointer(_Struct):
    """A pointer of LVGL whose target is not known."""

    def __cast__(self, *_):
        return _get(self, "__cast__")

    def __repr__(self):
        return "<Blob>"


class _Enum:
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


class _Nesting:
    """`_nesting.value`: how many callbacks run; one too high for each exception that left one."""

    def __getattr__(self, name):
        if name == "value":
            return _link.nesting
        raise AttributeError(name)

    def __setattr__(self, name, value):
        _link.nesting = value


_nesting = _Nesting()
_widgets = {}  # handle: the widget, as long as LVGL has it
_classes = {}  # number: class
_prepared = set()  # subclasses of widgets seen


def timer_handler():
    """Run LVGL's timers; ms until the next one."""
    _begin(_link.HANDLER, 0)
    _exchange()
    return _got.call


task_handler = timer_handler


def tick_inc(ms):
    """Move LVGL's clock. The panel learns of it with the next request."""
    if type(ms) is not int:
        raise TypeError("tick_inc needs an int")
    _link.tick += ms


def tick_get():
    return _link.tick & 0xFFFFFFFF


def tick_elaps(previous):
    return (_link.tick - previous) & 0xFFFFFFFF


def timer_get_time_until_next():
    """What LVGL said with the last answer."""
    return _got.until


def __getattr__(name):
    if name[:2] == "__":
        raise AttributeError(name)
    _start(_link.NAME, 0)
    _put(name)
    value = _finish()
    globals()[name] = value
    return value


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
    owner = _class(_codec.take_u16())
    name = _codec.take()
    flags = _codec.take_u16()
    method = _method(number)
    setattr(owner, name, method)
    if flags & 1:
        _codec.functions[method] = number
    if flags & 2:
        _codec.starters.add(number)
    return _NO


def _class(cid):
    kind = _classes.get(cid)
    if kind is None:
        kind = _codec.aside(_link.CLASS, cid)
    return kind


def _make_class():
    """The class that the panel describes: a widget's, a struct's or a plain value's."""
    cid = _codec.take_u16()
    base = _codec.take_u16()
    size = _codec.take_u16()
    kind = _codec.take_u16()
    name = _codec.take()
    enums = _codec.take()
    preload = _codec.take()
    known = _classes.get(cid)
    if known is not None:
        return known
    namespace = {"_cid": cid}
    if kind == 0:
        if cid == base:
            made = obj
            obj._cid = cid
        else:
            made = type(name, (_class(base),), namespace)
    else:
        namespace["_size"] = namespace["__SIZE__"] = size
        namespace["_by_value"] = kind == 2
        parent = _Pointer if name == "Blob" else _Animation if name == "lv_anim_t" else _Struct
        made = type(name, (parent,), namespace)
    _classes[cid] = made
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
            if wanted and name not in kind.__dict__ and not hasattr(_Animation, name):
                _codec.aside(_link.CLASS, kind._cid | index << 16)


def _prepare(kind):
    """Make super() work in a class derived from a widget's: see `_preload`."""
    _prepared.add(kind)
    native = _classes[kind._cid]
    while native is not _Handle:
        _preload(native)
        native = native.__bases__[0]


def _make_widget(handle, cid):
    widget = _widgets.get(handle)
    if widget is None:
        widget = object.__new__(_class(cid))
        _set(widget, "_h", handle)
        _widgets[handle] = widget
    return widget


def _make_struct(handle, cid):
    made = object.__new__(_class(cid))
    _set(made, "_h", handle)
    return made


def _value(cid, data, offset):
    made = object.__new__(_class(cid))
    _set(made, "_bytes", data)
    _set(made, "_offset", offset)
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
            _widgets.pop(number, None)
        at += 4


_link.forget = _forget
_codec.Handle = _Handle
_codec.Struct = _Struct
_codec.make_widget = _make_widget
_codec.make_struct = _make_struct
_codec.make_value = _value
_codec.make_user_data = _user_data
_codec.make_class = _make_class
_codec.make_enum = _Enum
_codec.make_function = _make_function
_codec.errors = (TypeError, AttributeError, LvReferenceError, ValueError, OSError, RuntimeError)

_start(_link.OPTIONS, 0)
_link.contained = bool(_finish() & 1)
_start(_link.NAME, 0)
_put("obj")
_finish()
