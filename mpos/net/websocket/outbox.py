"""Messages of plain code on their way to a WebSocket."""

from asyncio import Event

from .names import WebSocketException

_MAX_WAITING = 64


class Outbox:
    """A queue of messages, bounded: code that fills it faster than the network takes them has to await."""

    def __init__(self):
        self.posted = Event()  # set by put(); the sender clears it
        self._waiting = []

    def put(self, opcode, data):
        """Add a message; returns the Sending. Raises WebSocketException when 64 wait already."""
        if len(self._waiting) >= _MAX_WAITING:
            raise WebSocketException("%d messages wait to be sent: await ws.send(...)" % _MAX_WAITING)
        sending = Sending(opcode, data)
        self._waiting.append(sending)
        self.posted.set()
        return sending

    def first(self):
        """The Sending that is next, which stays in the queue; None for an empty one."""
        return self._waiting[0] if self._waiting else None

    def finish_first(self, error=None):
        """The first one has been sent, or failed with `error`."""
        self._waiting.pop(0).finish(error)

    def give_up(self, error):
        """All that wait fail with `error`. Returns how many of them nobody awaits."""
        left = self._waiting
        self._waiting = []
        for sending in left:
            sending.finish(error)
        return len([sending for sending in left if not sending.is_awaited()])


class Sending:
    """A message that waits to be sent; `await` it for that, and for what it failed with."""

    def __init__(self, opcode, data):
        self.opcode = opcode
        self.data = data
        self._done = None  # an Event, made when somebody waits
        self._finished = False
        self._error = None

    def finish(self, error):
        """It has been sent, or failed with `error`."""
        self._finished = True
        self._error = error
        self.data = None
        if self._done is not None:
            self._done.set()

    def is_awaited(self):
        """Whether a task awaits it, or has."""
        return self._done is not None

    def __iter__(self):
        if not self._finished:
            if self._done is None:
                self._done = Event()
            yield from self._done.wait()
        if self._error is not None:
            raise self._error
