"""The virtual board's line to its panel: one request at a time, with callbacks inside it.

A message is one packet of a SOCK_SEQPACKET socket, which the VM inherits, and always `SIZE` bytes long, so
that nothing has to be sliced: sending and receiving allocate nothing. host/mpos_host/virtual/panel/wire.py is
the other end and describes the format.

Ctrl-C raises KeyboardInterrupt at any point, also out of the socket calls. `exchange()` then asks the panel
to say again what it said last (SYNC), finishes the request, and only then lets the interrupt go on. Each
SYNC starts a new epoch; what was on its way in an older one is ignored, so nothing is executed twice.
"""

import micropython
import uctypes

const = micropython.const

SIZE = const(512)
HEADER = const(20)

# VM to panel
_RET = const(1)
_RAISE = const(2)
_SYNC = const(3)
PART = const(4)
MORE = const(5)
HANDLER = const(6)
CALL = const(7)
NEW = const(8)
NAME = const(9)
GET = const(10)
SET = const(11)
CLASS = const(12)
READ = const(13)
OPTIONS = const(14)
HARDWARE = const(15)
NAMES = const(16)
WRITE = const(17)

# panel to VM
_ANSWER = const(1)
_UNSEEN = const(3)

_LARGE = const(0xFFFF)  # as a length: the rest comes or came in parts

_OUT = {
    "kind": uctypes.UINT8 | 0,
    "epoch": uctypes.UINT8 | 1,
    "length": uctypes.UINT16 | 2,
    "seq": uctypes.UINT32 | 4,
    "context": uctypes.UINT32 | 8,
    "tick": uctypes.UINT32 | 12,
    "arg": uctypes.UINT32 | 16,
}
_IN = {
    "kind": uctypes.UINT8 | 0,
    "epoch": uctypes.UINT8 | 1,
    "length": uctypes.UINT16 | 2,
    "seq": uctypes.UINT32 | 4,
    "call": uctypes.UINT32 | 8,
    "until": uctypes.UINT32 | 12,
    "forgotten": uctypes.UINT16 | 16,
}

out = bytearray(SIZE)
inbox = bytearray(SIZE)
_sync = bytearray(SIZE)
head = uctypes.struct(uctypes.addressof(out), _OUT, uctypes.LITTLE_ENDIAN)
_sync_head = uctypes.struct(uctypes.addressof(_sync), _OUT, uctypes.LITTLE_ENDIAN)
_got = uctypes.struct(uctypes.addressof(inbox), _IN, uctypes.LITTLE_ENDIAN)
_sync_head.kind = _SYNC

interrupt_line = None  # readable when the touch panel has samples; does not block
_send = None
_receive = None
_seq = 0
_epoch = 0
_context = 0  # the callback that runs now, 0 outside of one
_begun = 0  # the newest callback that was started
_outcome = None  # what that or an older one gave, until the panel has it

tick = 0  # LVGL's clock in ms: this side owns it, the panel follows with each message
nesting = 0
contained = False  # whether exceptions of callbacks stay in them; set by lvgl.py


class PanelError(OSError):
    """The panel is gone. Its reason is with whoever started it (VirtualBoard.exit_reason)."""


class Raised:
    """The outcome of a callback that let an exception out."""


_RAISED = Raised()


def connect(fds):
    """Use the two inherited descriptors ("3,4") of panel/process.py. Call once, before `import lvgl`."""
    global interrupt_line, _send, _receive
    line, interrupt_line = [open(int(fd), "r+b") for fd in fds.split(",")]
    _send = line.write
    _receive = line.readinto


# lvgl.py puts its functions here: run a callback, forget handles, write a callback's result.
run_callback = None
forget = None
write_result = None


def _gone(reason):
    raise PanelError(5, "the panel is gone: " + reason)


def transmit(message):
    try:
        _send(message)
    except OSError as e:
        _gone("cannot send (%d)" % e.errno)


def receive():
    try:
        size = _receive(inbox)
    except OSError as e:
        _gone("cannot receive (%d)" % e.errno)
    if not size:
        _gone("it closed the line")


def exchange():
    """Send the request in `out`, run the callbacks that it causes, return when the answer is in `inbox`.

    Raises whatever a callback let out of itself (upstream's behaviour), KeyboardInterrupt after the two ends
    are in step again, and PanelError when the panel died.
    """
    global _seq, _epoch, _context
    context = _context
    _seq += 1
    seq = _seq
    head.seq = seq
    head.context = context
    failure = None
    message = out
    while True:
        try:
            # This loop is inside of the `try`: a KeyboardInterrupt is raised at branches, and one at the end
            # of a `try` would get past it, with the request half done.
            while True:
                if message is not None:
                    # Who waits must be told the epoch and the time with whatever is said.
                    if message is _sync:
                        _epoch = (_epoch + 1) & 0xFF
                        _sync_head.epoch = _epoch
                        _sync_head.seq = seq
                        _sync_head.tick = tick
                    else:
                        head.epoch = _epoch
                        head.tick = tick
                    transmit(message)
                    message = None
                receive()
                if _got.forgotten:
                    forget(_got.forgotten)
                if _got.epoch != _epoch or _got.seq != seq:
                    continue  # said before the last SYNC, or for a request that was given up
                if _got.kind == _ANSWER:
                    _context = context
                    if failure is None:
                        return
                    break
                if _got.kind == _UNSEEN:
                    message = out
                    continue
                failure = _callback(context, failure)
                message = out
        except KeyboardInterrupt as e:
            failure = e
            message = _sync
            continue
        raise failure


def _callback(context, failure):
    """Run the callback that the panel asks for and put what came out into `out`; return its exception."""
    global _context, _begun, _outcome, nesting
    call = _got.call
    if call > _begun:
        try:
            _begun = call
            _context = call
            _outcome = _RAISED
            nesting += 1
            _outcome = run_callback()
            nesting -= 1
            _context = context
        except BaseException as e:
            _context = context
            failure = e
            # LVGL does not learn of a Ctrl-C: on a board it goes through LVGL, and is put right after that.
            if contained or isinstance(e, KeyboardInterrupt):
                nesting -= 1
                _outcome = None
            else:  # as in upstream's binding, which jumps over the line that counts down
                _outcome = _RAISED
    head.arg = call
    head.context = context
    if _outcome is _RAISED:
        head.kind = _RAISE
        head.length = HEADER
    else:
        head.kind = _RET
        write_result(_outcome)
    return failure


def large_answer():
    """The bytes of an answer that does not fit into one message, fetched part by part."""
    whole = bytearray(_got.call)
    view = memoryview(whole)
    offset = 0
    while offset < len(whole):
        begin(MORE, offset)
        exchange()
        start = HEADER + 4 * _got.forgotten
        n = _got.length - start
        view[offset : offset + n] = memoryview(inbox)[start : start + n]
        offset += n
    return whole


def begin(kind, arg):
    """Start a request in `out`; what follows the header starts at HEADER."""
    head.kind = kind
    head.arg = arg
    head.length = HEADER


def submit(payload, kind, arg):
    """Send a request whose payload does not fit into one message."""
    view = memoryview(payload)
    offset = 0
    while offset < len(payload):
        part = view[offset : offset + SIZE - HEADER]
        begin(PART, offset)
        out[HEADER : HEADER + len(part)] = part
        head.length = HEADER + len(part)
        exchange()
        offset += len(part)
    begin(kind, arg)
    head.length = _LARGE
    exchange()
