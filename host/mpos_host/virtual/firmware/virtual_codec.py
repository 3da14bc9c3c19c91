"""How Python values go over the line to the panel and back (panel/wire.py is the other end).

A request is put together in the link's `out` buffer, an answer is read from its `inbox`, both in place:
calls with None, numbers and widgets allocate nothing. Only what does not fit gets a buffer of its own.
"""

import struct

import micropython
import virtual_link as link

const = micropython.const

_NONE = const(0)
_TRUE = const(1)
_FALSE = const(2)
_INT = const(3)
_LONG = const(4)
_FLOAT = const(5)
_STR = const(6)
_BYTES = const(7)
_OBJ = const(8)
_STRUCT = const(9)
_VALUE = const(10)
_LIST = const(11)
_CALLBACK = const(12)
_FUNCTION = const(13)
_DICT = const(14)
_ERROR = const(15)
_CLASS = const(16)
_ENUM = const(17)
_METHOD = const(18)
_VIEW = const(19)
_USER_DATA = const(20)
_ANIM = const(21)

_pack = struct.pack_into
_unpack = struct.unpack_from
_out = link.out
_got = link._got

NO = object()  # an argument that was not given

_buf = _out  # what is being written
_pos = 0
_kind = 0
_arg = 0
_callback = 0  # the callback registered by this request, for its user data

_in = link.inbox  # what is being read
_at = 0

callbacks = {}  # id: function, (function, user data) or animation
_last_id = 0
functions = {}  # functions of LVGL that can be given to LVGL as they are: id

# lvgl.py puts its classes and functions here.
Handle = None
Struct = None
make_widget = None
make_struct = None
make_value = None
make_user_data = None
make_class = None
make_enum = None
make_function = None
errors = None


def start(kind, arg):
    """Begin a request."""
    global _buf, _pos, _kind, _arg, _callback
    _buf = _out
    _pos = link.HEADER
    _kind = kind
    _arg = arg
    _callback = 0


def _room(n):
    global _buf
    if _pos + n > len(_buf):
        larger = bytearray(max(2 * len(_buf), _pos + n + 64))
        larger[:_pos] = memoryview(_buf)[:_pos]
        _buf = larger


def put(value):
    """Write one argument. Raises TypeError for what LVGL cannot be given."""
    global _pos
    if _pos + 24 > len(_buf):
        _room(24)
    if value is None:
        _buf[_pos] = _NONE
        _pos += 1
        return
    kind = type(value)
    if kind is int:
        if -0x80000000 <= value <= 0x7FFFFFFF:
            _pack("<Bi", _buf, _pos, _INT, value)
            _pos += 5
        else:
            _pack("<BQ", _buf, _pos, _LONG, value & 0xFFFFFFFFFFFFFFFF)
            _pos += 9
    elif kind is str:
        _put_bytes(_STR, value.encode())
    elif kind is bool:
        _buf[_pos] = _TRUE if value else _FALSE
        _pos += 1
    elif isinstance(value, Handle):
        _put_handle(value)
    elif kind is float:
        _pack("<Bd", _buf, _pos, _FLOAT, value)
        _pos += 9
    elif kind is bytes or kind is bytearray or kind is memoryview:
        _put_bytes(_BYTES, value)
    elif kind is list or kind is tuple:
        _pack("<BH", _buf, _pos, _LIST, len(value))
        _pos += 3
        for item in value:
            put(item)
    elif kind is dict:
        _put_dict(value)
    elif callable(value):
        _put_callback(value)
    else:
        raise TypeError("LVGL cannot be given a '%s'" % kind.__name__)


def put_u32(value):
    global _pos
    _pack("<I", _buf, _pos, value)
    _pos += 4


def _put_bytes(tag, data):
    global _pos
    n = len(data)
    _room(n + 24)
    _pack("<BI", _buf, _pos, tag, n)
    _pos += 5
    _buf[_pos : _pos + n] = data
    _pos += n


def _put_handle(value):
    global _pos
    handle = value._h
    if handle:
        _pack("<BI", _buf, _pos, _STRUCT if isinstance(value, Struct) else _OBJ, handle)
        _pos += 5
        return
    if handle is None:
        raise TypeError("%s.__init__ was not called" % type(value).__name__)
    size = value._size
    _room(size + 24)
    callback = _animation(value) if value._callbacks and _starts(value) else 0
    if callback:
        slots = 0
        for slot in value._callbacks:
            slots |= 1 << slot
        _pack("<BIB", _buf, _pos, _ANIM, callback, slots)
        _pos += 6
    _pack("<BHH", _buf, _pos, _VALUE, value._cid, size)
    _pos += 5
    offset = value._offset
    _buf[_pos : _pos + size] = memoryview(value._bytes)[offset : offset + size]
    _pos += size


def _starts(value):
    """Whether the animation's callbacks go with it: in start(), or into a timeline."""
    return _pos > link.HEADER or _arg in starters


starters = set()  # ids of functions that start the animation they are called on


def _animation(value):
    """Register an animation that is about to start, with its callbacks."""
    global _last_id
    _last_id += 1
    callbacks[_last_id] = value
    return _last_id


def _put_dict(value):
    global _pos
    if _callback:  # user data of the callback before it
        callbacks[_callback] = (callbacks[_callback], value)
        _buf[_pos] = _NONE
        _pos += 1
        return
    _pack("<BH", _buf, _pos, _DICT, len(value))
    _pos += 3
    for key in value:
        put(key)
        put(value[key])


def _put_callback(value):
    global _pos, _last_id, _callback
    function = functions.get(value)
    if function is not None:
        _pack("<BI", _buf, _pos, _FUNCTION, function)
    else:
        _last_id += 1
        callbacks[_last_id] = value
        _callback = _last_id
        _pack("<BI", _buf, _pos, _CALLBACK, _last_id)
    _pos += 5


def send():
    """Send the request and position the reader at the answer."""
    global _buf, _in, _at
    if _buf is _out:
        link.head.kind = _kind
        link.head.arg = _arg
        link.head.length = _pos
        link.exchange()
    else:
        payload = memoryview(_buf)[link.HEADER : _pos]
        _buf = _out
        link.submit(payload, _kind, _arg)
    _in, _at = link.inbox, link.HEADER + 4 * _got.forgotten
    if _got.length == 0xFFFF:
        _in, _at = link.large_answer(), 0


def finish(a=NO, b=NO, c=NO, d=NO, more=()):
    """Send the request; returns the answer's value, after writing back what it changed in the arguments.

    Raises the error that the panel answers with.
    """
    send()
    if _in[_at]:
        _update((a, b, c, d) + more)
    else:
        _skip(1)
    return take()


def read_inbox():
    """Position the reader at the payload of the message in the inbox."""
    global _in, _at
    _in, _at = link.inbox, link.HEADER + 4 * _got.forgotten


def _skip(n):
    global _at
    _at += n


def _update(arguments):
    """Copy the bytes of value structs that LVGL wrote into back into their objects."""
    global _at
    count = _in[_at]
    _at += 1
    for _ in range(count):
        index, size = _unpack("<BH", _in, _at)
        _at += 3
        value = arguments[index]
        value._bytes[value._offset : value._offset + size] = memoryview(_in)[_at : _at + size]
        _at += size


def take():
    """Read one value of the answer. Raises the panel's error if it is one."""
    global _at
    tag = _in[_at]
    _at += 1
    if tag == _NONE:
        return None
    if tag == _INT:
        number = take_u32()  # unpack() would make a tuple.
        return number - 0x100000000 if number & 0x80000000 else number
    if tag == _TRUE:
        return True
    if tag == _FALSE:
        return False
    if tag == _OBJ:
        return make_widget(take_u32(), take_u16())
    if tag == _STRUCT:
        return make_struct(take_u32(), take_u16())
    if tag == _STR:
        return str(_take_bytes(), "utf8")
    if tag == _LONG:
        _at += 8
        return _unpack("<q", _in, _at - 8)[0]
    if tag == _FLOAT:
        _at += 8
        return _unpack("<d", _in, _at - 8)[0]
    if tag == _VALUE:
        return make_value(take_u16(), bytearray(_take_bytes()), 0)
    if tag == _VIEW:
        return (take_u16(), take_u16())
    if tag == _BYTES:
        return bytes(_take_bytes())
    if tag == _USER_DATA:
        return make_user_data(take_u32(), take_u32())
    if tag == _ERROR:
        kind = _in[_at]
        _at += 1
        raise errors[kind](str(_take_bytes(), "utf8"))
    if tag == _CLASS:
        return make_class()
    if tag == _ENUM:
        return make_enum(take_u16(), take(), take())
    if tag == _FUNCTION or tag == _METHOD:
        return make_function(tag == _METHOD)
    if tag == _LIST:
        return [take() for _ in range(take_u16())]
    raise ValueError("tag %d from the panel" % tag)


def take_u16():
    global _at
    _at += 2
    return _in[_at - 2] | _in[_at - 1] << 8


def take_u32():
    global _at
    _at += 4
    return _in[_at - 4] | _in[_at - 3] << 8 | _in[_at - 2] << 16 | _in[_at - 1] << 24


def _take_bytes():
    global _at
    n = take_u32()
    _at += n
    return memoryview(_in)[_at - n : _at]


def aside(kind, arg):
    """A request in the middle of reading an answer; returns its value and goes on reading where it was."""
    global _in, _at
    if _in is link.inbox:
        _in = bytes(_in)
    kept, at = _in, _at
    start(kind, arg)
    value = finish()
    _in, _at = kept, at
    return value


def write_result(value):
    """Put a callback's result into the message that `link` is about to send."""
    global _buf, _pos
    _buf, _pos = _out, link.HEADER
    try:
        put(value)
    except TypeError:
        _pos = link.HEADER
    if _buf is not _out or _pos == link.HEADER:
        _buf, _pos = _out, link.HEADER
        put(None)
    link.head.length = _pos


link.write_result = write_result
