"""A pin that a test moves, in the place of machine.Pin."""


class Pin:
    """An input with a pull-up: high until `drive(0)`."""

    IRQ_FALLING = 1
    IRQ_RISING = 2

    def __init__(self):
        self._level = 1
        self._handler = None

    def value(self):
        return self._level

    def irq(self, handler=None, trigger=IRQ_FALLING | IRQ_RISING):
        self._handler = handler

    def drive(self, level):
        edge = level != self._level
        self._level = level
        if edge and self._handler is not None:
            self._handler(self)
