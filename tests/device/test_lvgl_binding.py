"""LVGL as apps see it: the same on the virtual board and on lvgl_micropython.

Widgets, names and values; callbacks and animations have files of their own.
"""

import gc

import lvgl as lv
from raising import raises

WIDGETS = (
    "animimg arc bar barcode button buttonmatrix calendar canvas chart checkbox dropdown gif image"
    " imagebutton keyboard label led line list menu menu_cont menu_section menu_separator msgbox obj"
    " qrcode roller scale slider spangroup spinbox spinner switch table tabview textarea tileview win"
)


def draw():
    lv.refr_now(None)


def test_every_kind_of_widget_is_created_drawn_and_deleted(screen):
    for name in WIDGETS.split():
        kind = getattr(lv, name)
        widget = kind(screen)
        assert type(widget) is kind and isinstance(widget, lv.obj), name
        assert widget.get_parent() is screen, name
        draw()
        screen.clean()  # an animimg has a delete() of its own
        raises(lv.LvReferenceError, widget.get_x)
        draw()
    assert screen.get_child_count() == 0


def test_a_menu_page_has_a_menu_and_a_title(screen):
    page = lv.menu_page(lv.menu(screen), "Title")
    assert isinstance(page, lv.menu_page)
    draw()


def test_a_native_widget_is_one_object_as_long_as_it_exists(screen):
    label = lv.label(screen)
    assert screen.get_child(0) is label
    assert label.get_parent() is screen and label.get_screen() is screen
    assert lv.layer_top() is lv.layer_top()
    number = id(label)
    del label
    gc.collect()
    assert id(screen.get_child(0)) == number
    assert screen.get_child(5) is None


def test_widgets_that_lvgl_makes_have_their_kind(screen):
    assert type(lv.msgbox(screen).add_title("Title")) is lv.label
    assert type(lv.win(screen).add_button(lv.SYMBOL.OK, 40)) is lv.button
    assert type(lv.list(screen).add_text("Text")) is lv.obj


class Counter(lv.button):
    def __init__(self, parent):
        super().__init__(parent)
        super().set_width(70)
        self.count = 0
        self.add_event_cb(self.on_click, lv.EVENT.CLICKED, None)

    def on_click(self, event):
        self.count += 1

    def set_height(self, height):
        super().set_height(2 * height)


def test_a_subclass_has_attributes_and_may_override_and_call_super(screen):
    counter = Counter(screen)
    counter.set_height(10)
    draw()
    assert (counter.get_width(), counter.get_height()) == (70, 20)
    counter.send_event(lv.EVENT.CLICKED, None)
    counter.send_event(lv.EVENT.CLICKED, None)
    assert counter.count == 2
    assert isinstance(counter, Counter) and isinstance(counter, lv.button)


def test_lvgl_gives_back_a_subclass_as_a_native_widget_that_is_equal(screen):
    counter = Counter(screen)
    child = screen.get_child(0)
    assert child == counter and child is not counter
    assert type(child) is lv.button
    raises(AttributeError, lambda: child.count)


def test_a_plain_widget_takes_no_attributes(screen):
    label = lv.label(screen)
    raises(AttributeError, setattr, label, "mine", 1)
    raises(AttributeError, lambda: label.mine)


def test_a_deleted_widget_raises_and_so_do_its_children(screen):
    outer = lv.obj(screen)
    label = lv.label(outer)
    other = lv.label(screen)
    outer.delete()
    for widget in (outer, label):
        raises(lv.LvReferenceError, widget.get_x)
        raises(lv.LvReferenceError, widget.delete)
        raises(lv.LvReferenceError, lv.label, widget)
        raises(lv.LvReferenceError, other.align_to, widget, lv.ALIGN.CENTER, 0, 0)
        raises(lv.LvReferenceError, widget.add_event_cb, print, lv.EVENT.ALL, None)
    raises(lv.LvReferenceError, label.set_text, "gone")
    assert label == label and label != other and repr(label) == "<label>"


def test_widgets_deleted_by_clean_and_by_delete_async_are_gone_too(screen):
    first, second = lv.label(screen), lv.label(screen)
    first.delete_async()
    while screen.get_child_count() == 2:
        lv.timer_handler()
    raises(lv.LvReferenceError, first.get_text)
    screen.clean()
    raises(lv.LvReferenceError, second.get_text)


def test_texts_come_back_as_they_were(screen):
    label = lv.label(screen)
    for text in ("", "plain", "Grüße, 你好", "x" * 3000, lv.SYMBOL.OK + " done"):
        label.set_text(text)
        assert label.get_text() == text
    label.set_text(b"bytes")
    assert label.get_text() == "bytes"


def test_wrong_arguments_are_errors_and_change_nothing(screen):
    label = lv.label(screen)
    label.set_text("kept")
    raises(TypeError, label.set_text, 5)
    raises(TypeError, label.set_text)
    raises(TypeError, label.set_text, "a", "b")
    raises(TypeError, label.set_width, "wide")
    raises(TypeError, label.set_width, 2.5)
    raises(TypeError, label.set_width, None)
    raises(TypeError, label.set_pos, 1, 2, 3)
    raises(TypeError, lv.color_hex, "red")
    raises(TypeError, lv.display_create, 5)
    raises(AttributeError, lambda: label.no_such_method)
    raises(AttributeError, lambda: lv.no_such_name)
    raises(AttributeError, lambda: lv.EVENT.NO_SUCH_EVENT)
    assert label.get_text() == "kept"


def test_structs_given_in_the_wrong_place_are_errors(screen):
    # lvgl_micropython calls these syntax errors.
    label = lv.label(screen)
    point = lv.point_t({"x": 1, "y": 2})
    for wrong in (5, point):
        raises((TypeError, SyntaxError), label.set_style_bg_color, wrong, 0)
        raises((TypeError, SyntaxError), label.add_style, wrong, 0)
        raises((TypeError, SyntaxError), label.set_style_text_font, wrong, 0)
        raises((TypeError, SyntaxError), label.get_coords, wrong)
    raises((TypeError, SyntaxError), label.add_event_cb, 5, lv.EVENT.CLICKED, None)
    raises((TypeError, SyntaxError), lv.timer_create, 5, 5, None)


def test_what_is_a_method_is_no_function_of_the_module():
    for name in ("display_set_flush_cb", "indev_read", "timer_delete", "obj_delete", "label_set_text"):
        assert not hasattr(lv, name), name


def test_constants():
    assert lv.EVENT.CLICKED == 10
    assert lv.PART.MAIN == 0 and lv.STATE.PRESSED | lv.PART.KNOB
    assert lv.obj.FLAG.HIDDEN == 1 and lv.label.FLAG.HIDDEN == 1
    assert lv.OPA.COVER == 255 and lv.OPA._50 == 127
    assert lv.label.LONG_MODE.WRAP == 0
    assert lv.pct(50) > 1000 and lv.SIZE_CONTENT > 1000
    assert isinstance(lv.SYMBOL.OK, str)
    assert lv.version_major() == 9
    assert lv.event_code_get_name(lv.EVENT.CLICKED).endswith("CLICKED")


def test_colors_and_points_are_values_with_fields():
    color = lv.color_hex(0x123456)
    assert (color.red, color.green, color.blue) == (0x12, 0x34, 0x56)
    color.red = 7
    assert color.red == 7
    assert lv.color_make(1, 2, 3).blue == 3
    assert lv.palette_main(lv.PALETTE.RED).red == 0xF4
    point = lv.point_t({"x": 1, "y": -2})
    assert (point.x, point.y) == (1, -2)
    assert bytes(point.__dereference__(8)) == b"\x01\0\0\0\xfe\xff\xff\xff"
    assert lv.point_t().x == 0
    assert point == point and point != lv.point_t({"x": 1, "y": -2})
    raises(AttributeError, setattr, point, "z", 1)
    raises(TypeError, setattr, point, "x", "far")


def test_lvgl_writes_into_structs_that_it_is_given(screen):
    widget = lv.obj(screen)
    widget.set_pos(10, 20)
    widget.set_size(30, 40)
    draw()
    area = lv.area_t()
    widget.get_coords(area)
    assert (area.x1, area.y1, area.x2, area.y2) == (10, 20, 39, 59)
    assert area.get_width() == 30 and lv.area_t.get_height(area) == 40
    area.increase(5, 5)
    assert area.x1 == 5


def test_styles(screen):
    style = lv.style_t()
    style.init()
    style.set_bg_color(lv.color_hex(0xFF0000))
    style.set_width(33)
    widget = lv.obj(screen)
    widget.add_style(style, 0)
    draw()
    assert widget.get_style_bg_color(lv.PART.MAIN).red == 255
    assert widget.get_width() == 33
    style.set_width(44)
    widget.report_style_change(style)
    draw()
    assert widget.get_width() == 44
    widget.remove_style(style, 0)


def test_fonts(screen):
    label = lv.label(screen)
    label.set_style_text_font(lv.font_montserrat_16, 0)
    assert label.get_style_text_font(0) == lv.font_montserrat_16
    assert label.get_style_text_font(0) != lv.font_montserrat_14
    assert lv.font_montserrat_14.get_line_height() == lv.font_montserrat_14.line_height


def test_lists_are_arrays_that_outlive_the_call(screen):
    line = lv.line(screen)
    line.set_points([{"x": 0, "y": 0}, {"x": 50, "y": 30}], 2)
    screen.set_grid_dsc_array([50, 60, lv.GRID_TEMPLATE_LAST], [40, lv.GRID_TEMPLATE_LAST])
    cell = lv.obj(screen)
    cell.set_grid_cell(lv.GRID_ALIGN.STRETCH, 1, 1, lv.GRID_ALIGN.STRETCH, 0, 1)
    gc.collect()
    draw()
    assert (cell.get_width(), cell.get_height()) == (60, 40)
    assert line.get_width() >= 50


def test_a_button_matrix_keeps_its_texts(screen):
    matrix = lv.buttonmatrix(screen)
    matrix.set_map(["one", "two", "\n", "three", ""])
    gc.collect()
    draw()
    assert [matrix.get_button_text(i) for i in range(3)] == ["one", "two", "three"]


def test_displays_and_timers_are_equal_when_they_are_the_same(screen):
    display = lv.display_get_default()
    assert display == lv.display_get_default()
    assert display.get_refr_timer() == display.get_refr_timer()
    assert display != display.get_refr_timer()
    assert display.get_horizontal_resolution() > 0
    raises(AttributeError, lambda: display.hor_res)


def test_a_subject_is_shown_by_a_widget_that_may_be_deleted(screen):
    subject = lv.subject_t()
    subject.init_int(5)
    label = lv.label(screen)
    label.bind_text(subject, "%d apples")
    assert label.get_text() == "5 apples"
    subject.set_int(7)
    assert label.get_text() == "7 apples" and subject.get_int() == 7
    label.delete()
    subject.set_int(8)
    seen = []
    subject.add_observer(lambda observer, which: seen.append(which.get_int()), None)
    subject.set_int(9)
    assert seen == [8, 9]
    subject.deinit()


def test_groups_move_the_focus(screen):
    group = lv.group_create()
    first, second = lv.button(screen), lv.button(screen)
    group.add_obj(first)
    group.add_obj(second)
    lv.group_focus_obj(second)
    assert group.get_focused() is second
    group.focus_next()
    assert group.get_focused() is first
    group.delete()


def test_a_snapshot_is_a_picture_of_a_widget(screen):
    widget = lv.obj(screen)
    widget.remove_style_all()
    widget.set_size(200, 130)
    widget.set_style_bg_color(lv.color_hex(0x00FF00), 0)
    widget.set_style_bg_opa(lv.OPA.COVER, 0)
    picture = lv.snapshot_take(widget, lv.COLOR_FORMAT.RGB565)
    assert (picture.header.w, picture.header.h) == (200, 130)
    pixels = picture.data.__dereference__(picture.data_size)
    assert len(pixels) == picture.header.stride * 130
    middle = 65 * picture.header.stride + 200
    assert bytes(pixels[middle : middle + 2]) == b"\xe0\x07"
    picture.destroy()


def test_an_image_of_a_snapshot_is_drawn(screen):
    widget = lv.label(screen)
    widget.set_text("source")
    image = lv.image(screen)
    picture = lv.snapshot_take(widget, lv.COLOR_FORMAT.RGB565)
    image.set_src(picture)
    draw()
    assert image.get_width() == picture.header.w
    image.delete()
    picture.destroy()


def test_many_widgets_and_names_at_once(screen):
    labels = [lv.label(screen) for _ in range(120)]
    for number, label in enumerate(labels):
        label.set_text("%d" % number)
    assert screen.get_child_count() == 120
    assert all(screen.get_child(i) is label for i, label in enumerate(labels))
    screen.clean()
    assert screen.get_child_count() == 0
    raises(lv.LvReferenceError, labels[60].get_text)
