"""Commands that await run as a task, so that the loop and the screen go on until they end, or Ctrl-C."""

from asyncio import CancelledError, Event

from ..loop.runner import runner
from ..loop.tasks import Helper, forget_wait, leave_wait
from . import UNFINISHED, run_interruptible
from .source import FILE, FUNCTION, wrap

_TYPED_AHEAD = 256


class Awaiting:
    """A compiled command with `await` in it.

    Raises:
        SyntaxError: the source is wrong apart from that, too; its lines are counted as in FILE.
    """

    typed_ahead = b""
    """Input that came while the command ran. Of more than 256 bytes the rest is lost, as on a board."""

    def __init__(self, source, kind, namespace):
        code = None
        if kind == "single":
            try:
                code = compile(wrap(source, printing=True), FILE, "exec")
            except SyntaxError:
                pass  # Not an expression.
        functions = {}
        exec(code or compile(wrap(source), FILE, "exec"), namespace, functions)
        self._function = functions[FUNCTION]

    async def run(self, console):
        """Execute the command; returns None or the exception that ended it."""
        steps = _Steps(self._function())
        steps.task = runner.start_helper(steps)
        watch = runner.start_helper(_Watch(self._watch(console.input, steps)))
        try:
            await steps.ended.wait()
        finally:
            watch.cancel()
            if not steps.ended.is_set():
                steps.interrupt()
        if steps.interrupted and isinstance(steps.error, CancelledError):
            # What Ctrl-C looks like in code that awaits.
            return KeyboardInterrupt()
        return steps.error

    async def _watch(self, source, steps):
        """Look for Ctrl-C in what is typed and keep the rest."""
        while True:
            chunk = await source.read()
            if not chunk:
                return
            if 3 in chunk:
                steps.interrupt()
                chunk = chunk[chunk.rfind(b"\x03") + 1 :]
            self.typed_ahead = (self.typed_ahead + chunk)[:_TYPED_AHEAD]


class _Watch(Helper):
    """Stands in the place of a coroutine, in a task that no list shows."""

    def __init__(self, coroutine):
        self.send = coroutine.send
        self.throw = coroutine.throw


class _Steps(Helper):
    """Stands in the place of the command's coroutine in its task, and lets Ctrl-C into each of its steps."""

    def __init__(self, coroutine):
        self._coroutine = coroutine
        self.task = None
        self.ended = Event()
        self.error = None
        self.interrupted = False

    def send(self, value):
        return self._step(self._coroutine.send, value)

    def throw(self, error):
        return self._step(self._coroutine.throw, error)

    def interrupt(self):
        """End the command where it waits. Whatever it waits for is left alone."""
        self.interrupted = True
        leave_wait(self.task)  # Task.cancel() would cancel a task that it awaits, which may be the app's.

    def _step(self, method, argument):
        if self.ended.is_set():
            raise StopIteration
        value, error = run_interruptible(method, argument)
        if error is None:
            return value
        if value is not UNFINISHED:
            # Ctrl-C came when the step was over: the task waits for something by now.
            runner.inbox.put(self._interrupt_soon)
            return value
        if not isinstance(error, StopIteration):
            self.error = error
        if isinstance(error, KeyboardInterrupt):
            self._leave_queues()
        self.ended.set()
        raise StopIteration

    def _interrupt_soon(self):
        if not self.ended.is_set():
            self.interrupt()

    def _leave_queues(self):
        """Where Ctrl-C tore through an `await`, the task may be on its way to wait for something."""
        try:
            forget_wait()
            self._coroutine.close()
        except Exception:
            pass  # It was half in the queue, or the coroutine is said to be executing still: both are over.
