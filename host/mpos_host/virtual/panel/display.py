"""The virtual board's display and touch panel: a frame buffer, samples of a finger, the texts seen."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from mpos_host.virtual.panel.areas import HEIGHT, WIDTH, Area
from mpos_host.virtual.panel.lvgl import check_widget, lib, lv


class Sample(NamedTuple):
    x: int
    y: int
    pressed: bool


class Display:
    """The screen: LVGL draws into `pixels` (RGB565, little-endian); `frames` counts finished ones.

    `on_frame` is called after each, with the areas that it drew while somebody watches (`is_watched`).
    """

    def __init__(self) -> None:
        self.pixels = bytearray(WIDTH * HEIGHT * 2)
        self.frames = 0
        self._handle: Any = None
        self.is_watched = False
        self._areas: list[Area] = []
        self.on_frame: Callable[[list[Area]], None] = lambda areas: None

    def create(self) -> Any:
        """LVGL's display, made when first asked for."""
        if self._handle is None:
            self._handle = lv.display_create(WIDTH, HEIGHT)
            lv.display_set_color_format(self._handle, lv.COLOR_FORMAT.RGB565)
            lv.display_set_buffers(
                self._handle, self.pixels, None, len(self.pixels), lv.DISPLAY_RENDER_MODE.DIRECT
            )
            lv.display_set_flush_cb(self._handle, self._flush)
            check_widget(lv.screen_active())
        return self._handle

    @property
    def is_drawn(self) -> bool:
        """Whether the frame buffer shows what the widgets are: LVGL waits for no refresh."""
        return self._handle is None or lv.timer_get_paused(lv.display_get_refr_timer(self._handle))

    def forget(self) -> None:
        """LVGL was taken down."""
        self._handle = None

    def _flush(self, display: Any, area: Any, _pixels: Any) -> None:
        if self.is_watched:
            self._areas.append(Area(area.x1, area.y1, area.x2, area.y2))
        if lv.display_flush_is_last(display):
            self.frames += 1
            areas, self._areas = self._areas, []
            self.on_frame(areas)
        lv.display_flush_ready(display)


class Touch:
    """The touch panel: samples wait in a queue until LVGL reads them; `ring` tells the VM that some do."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()
        self._now = Sample(0, 0, False)
        self._handle: Any = None
        self.ring: Callable[[], None] = lambda: None

    def create(self) -> Any:
        """LVGL's input device, made when first asked for."""
        if self._handle is None:
            self._handle = lv.indev_create()
            lv.indev_set_type(self._handle, lv.INDEV_TYPE.POINTER)
            lv.indev_set_read_cb(self._handle, self._read)
        return self._handle

    def forget(self) -> None:
        self._handle = None

    def add(self, samples: list[Sample], live: bool = False) -> None:
        """Touch: the samples are read one after the other.

        With `live` a move takes the place of one that nobody has read yet, as on a touch panel: a finger
        moves more often than LVGL reads.
        """
        was_empty = not self._samples
        for sample in samples:
            if live and sample.pressed and len(self._samples) > 1:
                before, last = self._samples[-2], self._samples[-1]
                if before.pressed and last.pressed:
                    self._samples.pop()
            self._samples.append(sample)
        if was_empty and self._samples:
            self.ring()

    @property
    def waiting(self) -> int:
        return len(self._samples)

    def _read(self, _device: Any, data: Any) -> None:
        if self._samples:
            self._now = self._samples.popleft()
            if self._samples and not self._now.pressed:
                # LVGL polls while a finger is down only, and in event mode it reads one sample at a time.
                self.ring()
        data.point.x = self._now.x
        data.point.y = self._now.y
        data.state = lv.INDEV_STATE.PRESSED if self._now.pressed else lv.INDEV_STATE.RELEASED
        data.continue_reading = bool(self._samples)


_HIDDEN = 1  # LV_OBJ_FLAG_HIDDEN


def texts() -> list[str]:
    """The texts that are visible on the active screen and the layers above it, in drawing order.

    Read with LVGL's C functions: the binding would attach an event to each widget that it looks at.
    """
    if not lv.is_initialized() or lib.lv_display_get_next(None) is None:
        return []
    found: list[str] = []
    for root in (lib.lv_screen_active(), lib.lv_layer_top(), lib.lv_layer_sys()):
        if root:
            found.extend(_texts_of(root))
    return [text for text in found if text]


def _texts_of(widget: int) -> Iterator[str]:
    if lib.lv_obj_has_flag(widget, _HIDDEN):
        return
    yield from own_texts(widget)
    if _has_class(widget, "textarea"):  # its label shows the same text
        return
    for index in range(lib.lv_obj_get_child_count(widget)):
        yield from _texts_of(lib.lv_obj_get_child(widget, index))


def own_texts(widget: int) -> Iterator[str]:
    """What the widget shows by itself, without its children."""
    for name, read in _READERS:
        if _has_class(widget, name):
            yield from (text.decode("utf-8", "replace") for text in read(widget) if text)
            return


def _has_class(widget: int, name: str) -> bool:
    return lib.lv_obj_has_class(widget, ctypes.addressof(ctypes.c_char.in_dll(lib, f"lv_{name}_class")))


def _textarea(widget: int) -> Iterator[bytes]:
    text = lib.lv_textarea_get_text(widget)
    yield text or lib.lv_textarea_get_placeholder_text(widget)


def _dropdown(widget: int) -> Iterator[bytes]:
    text = lib.lv_dropdown_get_text(widget)
    if not text:
        buffer = ctypes.create_string_buffer(256)
        lib.lv_dropdown_get_selected_str(widget, buffer, len(buffer))
        text = buffer.value
    yield text


def _buttonmatrix(widget: int) -> Iterator[bytes]:
    index = 0
    while (text := lib.lv_buttonmatrix_get_button_text(widget, index)) is not None:
        yield text
        index += 1


def _table(widget: int) -> Iterator[bytes]:
    for row in range(lib.lv_table_get_row_count(widget)):
        for column in range(lib.lv_table_get_column_count(widget)):
            yield lib.lv_table_get_cell_value(widget, row, column)


def _spangroup(widget: int) -> Iterator[bytes]:
    index = 0
    while span := lib.lv_spangroup_get_child(widget, index):
        yield lib.lv_span_get_text(span)
        index += 1


_READERS: list[tuple[str, Callable[[int], Iterator[bytes]]]] = [
    ("label", lambda widget: iter([lib.lv_label_get_text(widget)])),
    ("checkbox", lambda widget: iter([lib.lv_checkbox_get_text(widget)])),
    ("textarea", _textarea),
    ("dropdown", _dropdown),
    ("buttonmatrix", _buttonmatrix),
    ("table", _table),
    ("spangroup", _spangroup),
]
