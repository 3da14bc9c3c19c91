"""lvgl_micropython's desktop binary: an SDL window, the mouse as the touch panel, the keyboard."""

import lcd_bus
import lvgl as lv
import sdl_display
import sdl_pointer

from mpos.hardware import Hardware, Input, keep_calibration_with
from mpos.hardware.calibration import Calibration

try:
    import sdl_keyboard  # a build option of lvgl_micropython
except ImportError:
    sdl_keyboard = None

_WIDTH = 320
_HEIGHT = 240


def init():
    """Create the window and its inputs.

    SDL's events are fetched by an LVGL timer of 5 ms that SDLDisplay makes: the only polling here.
    """
    keep_calibration_with(Calibration)
    bus = lcd_bus.SDLBus(flags=0)
    frame = bus.allocate_framebuffer(_WIDTH * _HEIGHT * lv.color_format_get_size(lv.COLOR_FORMAT.RGB565), 0)
    display = sdl_display.SDLDisplay(
        data_bus=bus,
        display_width=_WIDTH,
        display_height=_HEIGHT,
        frame_buffer1=frame,
        color_space=lv.COLOR_FORMAT.RGB565,
    )
    display.init()
    pointer = sdl_pointer.SDLPointer()
    inputs = [Input(pointer, interrupt=EventLine(bus.register_mouse_callback, pointer._mouse_cb))]
    if sdl_keyboard is not None:
        keyboard = sdl_keyboard.SDLKeyboard()
        keyboard.set_mode(lv.INDEV_MODE.EVENT)

        def key(*event):
            # Each event is read at once, as SDLPointer does: two between two reads would be lost.
            keyboard._keypad_cb(*event)
            keyboard.read()

        inputs.append(Input(keyboard, interrupt=EventLine(bus.register_keypad_callback, key)))
    return Hardware(name="unix_sdl", display=display, inputs=inputs)


class EventLine:
    """SDL's events of one device as an interrupt line: first the driver gets each, then the loop hears of it.

    The loop then polls while a button or a key is held down, which long presses and repeats need.
    """

    def __init__(self, register, deliver):
        self._deliver = deliver
        self._handler = None
        register(self._event)

    def irq(self, handler):
        self._handler = handler

    def _event(self, *event):
        self._deliver(*event)
        if self._handler is not None:
            self._handler(self)
