"""Console: the REPL as a task of the loop, so that mpremote and a typing user are served while the app runs.

It speaks the friendly and the raw REPL of MicroPython (`shared/runtime/pyexec.c` is the reference for every
byte). TaskManager runs `Console().run()` as a task; what a command needs only sometimes (line editing, the
raw protocol, `await`) is in modules of its own that are loaded when first used.

Ctrl-C belongs to the command that runs here. While nothing of the command executes, it is a byte like any
other (`micropython.kbd_intr(-1)`); while its own code does, it raises KeyboardInterrupt in it.
"""

import sys
from asyncio import core
from select import POLLIN, poll

from micropython import const, kbd_intr

from ..loop.poll import readable
from ..loop.runner import runner

_CTRL_C = const(3)
_CHUNK = const(128)

_ONCE = (None,)
UNFINISHED = object()

_executing = False


def is_executing():
    """Whether the code that runs is that of a console's command."""
    return _executing


def run_interruptible(function, *arguments):
    """Call `function(*arguments)` with Ctrl-C switched on for it, and for nothing after it.

    Returns (value, error): the value is UNFINISHED when the call did not return, the error is None or what
    was raised. Never raises. Where a Ctrl-C can land, and what becomes of it:

    - before the first `kbd_intr`: it is a byte and stays in the input;
    - in the function: KeyboardInterrupt is raised there; what comes out of the function is the error;
    - after the function, before `kbd_intr(-1)`: both a value and a KeyboardInterrupt are returned;
    - while the exception of an earlier one leaves through `finally`: on a board, interrupts are raised at
      jumps only and there is none before the `kbd_intr(-1)`; on the unix port they are raised anywhere, so
      it is called again in each handler;
    - noted by a board before `kbd_intr(-1)` and not raised yet: the jump of the empty loop raises it here,
      inside the outer `try`. At most one can be left then, so nothing can escape from the handlers.
    """
    global _executing
    value = UNFINISHED
    error = None
    _executing = True
    try:
        try:
            try:
                kbd_intr(_CTRL_C)
                value = function(*arguments)
            finally:
                kbd_intr(-1)
        except BaseException as raised:
            kbd_intr(-1)
            error = raised
        for _ in _ONCE:
            pass
    except KeyboardInterrupt as raised:
        kbd_intr(-1)
        if error is None:
            error = raised
    # asyncio has one object for all sleeps. One that began and was not awaited, because of a Ctrl-C or
    # because somebody forgot to, would be slept by whichever task wakes up next.
    core.sleep_ms(0).state = None
    _executing = False
    return value, error


class Input:
    """What has arrived on a stream, without ever blocking on it: a read of `sys.stdin` waits until it has all
    it asked for, so bytes are taken one by one for as long as the poll finds some."""

    def __init__(self, stream):
        self._stream = getattr(stream, "buffer", stream)
        self._poll = poll()
        self._poll.register(self._stream, POLLIN)
        self._byte = bytearray(1)

    async def read(self):
        """`await` it for 1 to 128 bytes, or b"" when the stream has ended."""
        await readable(self._stream)
        byte = self._byte
        poll = self._poll
        readinto = self._stream.readinto
        data = bytearray()
        for _ in range(_CHUNK):
            for _ in poll.ipoll(0):
                if readinto(byte):
                    data.append(byte[0])
                    break
            else:
                break
        return bytes(data)


class Console:
    """A REPL on `stdin` and `stdout` (by default the system's) that executes in `namespace` (a dictionary, by
    default `__main__`'s, as the built-in REPL does)."""

    def __init__(self, stdin=None, stdout=None, namespace=None):
        self.input = Input(stdin or sys.stdin)
        self._text = stdout or sys.stdout
        self._bytes = getattr(self._text, "buffer", self._text)
        self.namespace = __import__("__main__").__dict__ if namespace is None else namespace
        self.reset_requested = False
        """Whether somebody asked for a soft reset: Ctrl-D, or SystemExit in a command."""
        self.on_command = None
        """A function without parameters, called before a command is executed."""
        self._greeted = False
        self._raw = None
        self._friendly = None
        self._mode = None
        self._typed_inside = b""  # While a command ran the loop.

    async def run(self):
        """Serve until the input ends or a soft reset is asked for, which see `reset.py`."""
        # A command may take as long as it likes, and a report of that would garble the raw REPL.
        runner.allow_slow_steps(None)
        try:
            if not self._greeted:
                self._greeted = True
                self.enter_friendly()
            chunk = b""
            while not self.reset_requested:
                chunk = chunk or await self.input.read()
                if not chunk:
                    return
                try:
                    chunk = await self._feed(chunk)
                except Exception as error:  # Of the console itself, such as too little memory for it.
                    chunk = b""
                    sys.print_exception(error, self._text)
                    self._friendly = None
                    self.enter_friendly()
        finally:
            was_raw = self._leave_raw()
        from .reset import soft_reset

        soft_reset(was_raw)

    # For the modes ------------------------------------------------------------------------------------

    def write(self, data):
        """Send bytes or str as they are."""
        self._bytes.write(data)

    def write_text(self, text):
        """Send text as `print` does."""
        self._text.write(text)

    def report(self, error):
        """Print a command's exception with its traceback, as the built-in REPL would."""
        try:
            from .errors import describe

            self.write_text(describe(error))
        except MemoryError:
            sys.print_exception(error, self._text)

    def enter_friendly(self):
        """Show the banner and the prompt."""
        self._leave_raw()
        self._mode = self._friendly
        self.write(
            '%s; %s\r\nType "help()" for more information.\r\n>>> '
            % (sys.version.split("; ")[-1], sys.implementation._machine)
        )

    def enter_raw(self):
        """Change to the raw REPL."""
        from .raw import Raw

        self._mode = self._raw = Raw(self)

    def request_reset(self):
        """Have `run` end in a soft reset."""
        self.reset_requested = True

    # --------------------------------------------------------------------------------------------------

    def _leave_raw(self):
        """End the raw REPL; returns whether it was on."""
        raw, self._raw = self._raw, None
        if raw is not None:
            raw.leave()
        return raw is not None

    async def _feed(self, chunk):
        """Give the bytes to the mode up to the end of a command, and run that. Returns what is left."""
        position = 0
        while position < len(chunk) and not self.reset_requested:
            if self._mode is None:
                from .friendly import Friendly

                self._mode = self._friendly = Friendly(self)
            mode = self._mode
            position = mode.feed(chunk, position)
            if mode.ready:
                return await self._run(mode, chunk[position:])
        return b""

    async def _run(self, mode, typed_ahead):
        """Execute the mode's command and let the mode show how it ended. Returns the input that came in the
        meantime, after `typed_ahead`."""
        error = None
        if self.on_command is not None:
            self.on_command()
        try:
            # The source is nowhere else any more, so that its memory is free when the command runs.
            command = self._compile(mode.kind, mode.take())
        except BaseException as raised:
            error = raised
        if error is None:
            if _CTRL_C in typed_ahead:
                # Sent together with the command: too late for its input, in time to stop it.
                typed_ahead = typed_ahead[typed_ahead.rfind(b"\x03") + 1 :]
                error = KeyboardInterrupt()
            elif hasattr(command, "run"):
                error = await command.run(self)
                typed_ahead += command.typed_ahead
            else:
                runner.guard = self._run_inside
                _, error = run_interruptible(exec, command, self.namespace)
                runner.guard = None
                typed_ahead += self._typed_inside
                self._typed_inside = b""
        if isinstance(error, SystemExit):
            error = None
            self.request_reset()
        mode.finished(error)
        return typed_ahead

    def _run_inside(self, run, main):
        """A command has called `asyncio.run`: the loop goes on from here until `main`, a task, is done, or a
        Ctrl-C ends it."""
        from .inside import run_inside

        value, error, typed = run_inside(self.input, run, main)
        self._typed_inside += typed
        if error is not None:
            raise error
        return value

    def _compile(self, kind, source):
        try:
            return compile(source, "<stdin>", kind)
        except SyntaxError:
            if b"await" not in source and b"async" not in source:
                raise
        from .awaiting import Awaiting

        return Awaiting(source, kind, self.namespace)
