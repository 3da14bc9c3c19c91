"""The messages between the panel and the VM (virtual_link.py and virtual_codec.py of the firmware).

Each message is one SOCK_SEQPACKET packet of `SIZE` bytes, little-endian. Header of what the VM sends::

    u8 kind  u8 epoch  u16 length  u32 sequence  u32 context  u32 tick  u32 argument

of what the panel sends::

    u8 kind  u8 epoch  u16 length  u32 sequence  u32 call  u32 until  u16 forgotten  u16 -

`context` is the callback that the request is made in (0 outside of one), `tick` LVGL's clock in ms, `until`
the ms until LVGL's next timer, `forgotten` how many u32 handles follow that no longer exist (bit 31: a
callback). A length of `LARGE` says that the payload has been sent in PART messages before, or is to be
fetched with MORE; `call` then is its size. Values are a tag byte and what `Tag` says.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Any, NamedTuple

SIZE = 512
LARGE = 0xFFFF
_FROM_VM = struct.Struct("<BBHIIII")
_TO_VM = struct.Struct("<BBHIIIHH")
HEADER = _FROM_VM.size
CALLBACK_BIT = 1 << 31
MAX_FORGOTTEN = 40  # in one message; the others wait for the next


class Kind(IntEnum):
    """What the VM sends."""

    RET = 1
    RAISE = 2
    SYNC = 3
    PART = 4
    MORE = 5
    HANDLER = 6
    CALL = 7
    NEW = 8
    NAME = 9
    GET = 10
    SET = 11
    CLASS = 12
    READ = 13
    OPTIONS = 14
    HARDWARE = 15
    NAMES = 16


ANSWER, ASK, UNSEEN = 1, 2, 3  # what the panel sends


class Tag(IntEnum):
    NONE = 0
    TRUE = 1
    FALSE = 2
    INT = 3  # i32
    LONG = 4  # i64
    FLOAT = 5  # f64
    STR = 6  # u32 size, UTF-8
    BYTES = 7  # u32 size, bytes
    OBJ = 8  # widget: u32 handle (to the VM: u16 class)
    STRUCT = 9  # u32 handle (to the VM: u16 class)
    VALUE = 10  # plain struct: u16 class, bytes (from the VM: u16 size; to it: u32 size)
    LIST = 11  # u16 count, values
    CALLBACK = 12  # u32 number
    FUNCTION = 13  # u32 number of a function of LVGL
    DICT = 14  # u16 count, keys and values
    ERROR = 15  # u8 kind, u32 size, text
    CLASS = 16  # u16 class, u16 base, u16 size, u16 kind, str name, list of enums, str preloaded names
    ENUM = 17  # u16 number, str name, str title
    METHOD = 18  # u32 number, u16 class, str name, u16 flags
    VIEW = 19  # plain struct inside of the plain struct asked: u16 class, u16 offset
    USER_DATA = 20  # u32 callback, u32 -
    ANIM = 21  # before a VALUE: u32 callback, u8 slots


class Callback(int):
    """The number of a function of the VM."""


class Function(int):
    """The number of a function of LVGL that the VM gives as a callback."""


class Handle(NamedTuple):
    """Something in the handle table."""

    number: int
    is_widget: bool


class Value(NamedTuple):
    """A plain struct that the VM holds. `callback` and `slots` are an animation's callbacks."""

    class_id: int
    data: bytearray
    callback: int = 0
    slots: int = 0


class Message(NamedTuple):
    """What the VM sent."""

    kind: int
    epoch: int
    length: int
    sequence: int
    context: int
    tick: int
    argument: int

    @classmethod
    def parse(cls, packet: bytes | bytearray) -> Message:
        return cls(*_FROM_VM.unpack_from(packet))


class VmError(Exception):
    """An error for the VM to raise: `kind` is its index in lvgl.py's `errors`."""

    def __init__(self, kind: int, text: str):
        super().__init__(text)
        self.kind = kind


def type_error(text: str) -> VmError:
    return VmError(0, text)


def attribute_error(text: str) -> VmError:
    return VmError(1, text)


def reference_error() -> VmError:
    return VmError(2, "Referenced object was deleted!")


def value_error(text: str) -> VmError:
    return VmError(3, text)


def runtime_error(text: str) -> VmError:
    return VmError(5, text)


def packet(
    kind: int, epoch: int, sequence: int, call: int, until: int, forgotten: list[int], payload: bytes
) -> bytes:
    """A message to the VM. A payload that does not fit is announced with its size in `call`."""
    length = HEADER + 4 * len(forgotten) + len(payload)
    if length > SIZE:
        length, call, payload = LARGE, len(payload), b""
    header = _TO_VM.pack(kind, epoch, length, sequence, call, until, len(forgotten), 0)
    body = header + struct.pack(f"<{len(forgotten)}I", *forgotten) + payload
    return body.ljust(SIZE, b"\0")


def resend(message: bytes, epoch: int) -> bytes:
    """The same message in another epoch."""
    return message[:1] + bytes([epoch]) + message[2:]


class Reader:
    """Reads the values of a request. Raises struct.error or IndexError when it is cut short."""

    def __init__(self, data: bytes | bytearray | memoryview, start: int, end: int):
        self._data = data
        self._at = start
        self._end = end

    def rest(self) -> list[Any]:
        """All values that are left."""
        values = []
        while self._at < self._end:
            values.append(self.value())
        return values

    def value(self) -> Any:
        tag = self._data[self._at]
        self._at += 1
        if tag == Tag.NONE:
            return None
        if tag == Tag.OBJ or tag == Tag.STRUCT:
            return Handle(self._number("<I"), tag == Tag.OBJ)
        if tag == Tag.INT:
            return self._number("<i")
        if tag == Tag.STR:
            return str(self._bytes(self._number("<I")), "utf-8", "surrogateescape")
        if tag == Tag.TRUE:
            return True
        if tag == Tag.FALSE:
            return False
        if tag == Tag.LONG:
            return self._number("<q")
        if tag == Tag.FLOAT:
            return self._number("<d")
        if tag == Tag.BYTES:
            return bytes(self._bytes(self._number("<I")))
        if tag == Tag.CALLBACK:
            return Callback(self._number("<I"))
        if tag == Tag.FUNCTION:
            return Function(self._number("<I"))
        if tag == Tag.LIST:
            return [self.value() for _ in range(self._number("<H"))]
        if tag == Tag.DICT:
            return {self.value(): self.value() for _ in range(self._number("<H"))}
        if tag == Tag.ANIM:
            callback, slots = self._number("<I"), self._number("<B")
            return self.value()._replace(callback=callback, slots=slots)
        if tag == Tag.VALUE:
            class_id, size = self._number("<H"), self._number("<H")
            return Value(class_id, bytearray(self._bytes(size)))
        raise ValueError(f"tag {tag} from the VM")

    def _number(self, layout: str) -> Any:
        (value,) = struct.unpack_from(layout, self._data, self._at)
        self._at += struct.calcsize(layout)
        return value

    def _bytes(self, size: int) -> bytes | bytearray | memoryview:
        if self._at + size > self._end:
            raise ValueError("a value from the VM is cut short")
        self._at += size
        return self._data[self._at - size : self._at]


def write_scalar(value: Any) -> bytes | None:
    """None, a number, text or bytes as the VM reads them; None for anything else."""
    if value is None:
        return b"\0"
    kind = type(value)
    if kind is bool:
        return b"\1" if value else b"\2"
    if kind is int:
        if -0x80000000 <= value <= 0x7FFFFFFF:
            return struct.pack("<Bi", Tag.INT, value)
        return struct.pack("<Bq", Tag.LONG, value)
    if kind is str:
        return text(value)
    if kind is float:
        return struct.pack("<Bd", Tag.FLOAT, value)
    if kind in (bytes, bytearray, memoryview):
        data = bytes(value)
        return struct.pack("<BI", Tag.BYTES, len(data)) + data
    return None


def scalar(value: int | float | str | bytes | None) -> bytes:
    made = write_scalar(value)
    assert made is not None
    return made


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogateescape")
    return struct.pack("<BI", Tag.STR, len(data)) + data


def error(failure: VmError) -> bytes:
    data = str(failure).encode("utf-8", "surrogateescape")
    return struct.pack("<BBI", Tag.ERROR, failure.kind, len(data)) + data


def widget(handle: int, class_id: int) -> bytes:
    return struct.pack("<BIH", Tag.OBJ, handle, class_id)


def struct_handle(handle: int, class_id: int) -> bytes:
    return struct.pack("<BIH", Tag.STRUCT, handle, class_id)


def struct_value(class_id: int, data: bytes) -> bytes:
    return struct.pack("<BHI", Tag.VALUE, class_id, len(data)) + data


def view(class_id: int, offset: int) -> bytes:
    return struct.pack("<BHH", Tag.VIEW, class_id, offset)


def user_data(callback: int) -> bytes:
    return struct.pack("<BII", Tag.USER_DATA, callback, 0)


def function(number: int) -> bytes:
    return struct.pack("<BI", Tag.FUNCTION, number)


def method(number: int, class_id: int, name: str, flags: int) -> bytes:
    return struct.pack("<BIH", Tag.METHOD, number, class_id) + text(name) + struct.pack("<H", flags)


def enum(number: int, name: str, title: str) -> bytes:
    return struct.pack("<BH", Tag.ENUM, number) + text(name) + text(title)


def class_definition(
    class_id: int, base: int, size: int, kind: int, name: str, enums: list[bytes], preload: str
) -> bytes:
    head = struct.pack("<BHHHH", Tag.CLASS, class_id, base, size, kind) + text(name)
    return head + struct.pack("<BH", Tag.LIST, len(enums)) + b"".join(enums) + text(preload)


def updates(changed: list[tuple[int, bytes]]) -> bytes:
    """What comes before an answer's value: the plain structs among the arguments that LVGL changed."""
    return bytes([len(changed)]) + b"".join(struct.pack("<BH", i, len(data)) + data for i, data in changed)
