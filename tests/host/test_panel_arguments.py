"""Nothing that an app gives to LVGL ends the panel: wrong arguments and things that are gone are errors."""

from __future__ import annotations

from collections.abc import Iterator

import lvgl
import pytest

from mpos_host.virtual.panel.types import Signature, Stub
from peers.panel_vm import PanelVm, panel_vm

ATTEMPT = """
def attempt(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:
        print(type(error).__name__)
    else:
        print("done")
"""

RIGHT = {
    "int": "0",
    "bool": "True",
    "float": "1.0",
    "str": "'text'",
    "obj": "other",
    "color_t": "lv.color_hex(5)",
    "area_t": "lv.area_t()",
    "point_t": "lv.point_t()",
    "style_t": "style",
    "font_t": "lv.font_montserrat_14",
}
WRONG = ("None", "'text'", "2.5", "style", "gone", "ignore", "b'xy'")


@pytest.fixture
def vm() -> Iterator[PanelVm]:
    with panel_vm() as made:
        yield made


def calls(name: str, signature: Signature) -> list[str]:
    """Calls with one wrong argument each, and one with none."""
    if signature.parameters is None:
        return [f"{name}({wrong})" for wrong in WRONG] + [f"{name}()"]
    right = [
        RIGHT.get(kind, "ignore" if kind.startswith("Callable") else "None") for kind in signature.parameters
    ]
    made = [f"{name}(*[5] * 9)"]
    for index in range(len(right)):
        for wrong in WRONG:
            made.append(f"{name}({', '.join(right[:index] + [wrong] + right[index + 1 :])})")
    return made


STUB = Stub(str(lvgl.__file__))
METHODS = STUB.classes["obj"]
# Not about arguments: these delete, or load as the screen, what is given.
SKIPPED = ("screen", "delete", "clean", "destruct", "class_", "event_base", "allocate_spec_attr", "__")


@pytest.mark.parametrize("part", range(3))
def test_wrong_arguments_of_every_method_of_a_widget(vm: PanelVm, part: int) -> None:
    cases = []
    for number, (name, signature) in enumerate(METHODS.items()):
        if number % 3 == part and not any(word in name for word in SKIPPED):
            cases += calls(f"widget.{name}", signature)
    source = """
def ignore(*arguments):
    pass

style = lv.style_t()
style.init()
gone = lv.obj(screen)
gone.delete()
errors = 0
for case in CASES:
    parent = lv.obj(screen)
    widget, other = lv.button(parent), lv.label(parent)
    try:
        eval(case)
    except (TypeError, AttributeError, lv.LvReferenceError):
        errors += 1
    except Exception as error:
        print(case, repr(error))
    parent.delete()
lv.refr_now(display)
print("errors", errors)
"""
    output = vm.run(source.replace("CASES", repr(cases)), heap="8M")
    assert vm.process.exit_reason is None, output[-3:]
    assert output[-1].startswith("errors ") and int(output[-1].split()[1]) > len(cases) // 2
    assert output[:-1] == [], "not the right kind of error"


def test_things_that_are_gone_are_noticed_whatever_they_are(vm: PanelVm) -> None:
    source = (
        ATTEMPT
        + """
timer = lv.timer_create(lambda timer: None, 10, None)
timer.delete()
attempt(timer.pause)
short = lv.timer_create(lambda timer: None, 10, None)
short.set_repeat_count(1)
run(50)
attempt(short.resume)
second = lv.display_create(10, 10)
second.delete()
attempt(second.get_dpi)
device = lv.indev_create()
device.delete()
attempt(device.get_state)
group = lv.group_create()
group.delete()
attempt(group.get_obj_count)
chart = lv.chart(screen)
series = chart.add_series(lv.color_hex(5), lv.chart.AXIS.PRIMARY_Y)
chart.delete()
attempt(lv.chart(screen).set_next_value, series, 5)
kept = []
label = lv.label(screen)
label.add_event_cb(kept.append, lv.EVENT.CLICKED, None)
label.send_event(lv.EVENT.CLICKED, None)
attempt(kept[0].get_code)
"""
    )
    assert vm.run(source) == ["LvReferenceError"] * 7


def test_a_timer_at_the_place_of_an_older_one_is_another_one(vm: PanelVm) -> None:
    source = (
        ATTEMPT
        + """
timers = []
for _ in range(20):
    timers.append(lv.timer_create(lambda timer: None, 10, None))
    timers[-1].delete()
newest = lv.timer_create(lambda timer: None, 10, None)
for timer in timers:
    assert timer != newest
    attempt(timer.delete)
attempt(newest.delete)
"""
    )
    assert vm.run(source) == ["LvReferenceError"] * 20 + ["done"]


def test_a_widget_whose_constructor_was_not_called_is_an_error(vm: PanelVm) -> None:
    source = (
        ATTEMPT
        + """
class Lazy(lv.label):
    def __init__(self):
        pass

lazy = Lazy()
attempt(lambda: lazy.set_text("text"))
attempt(lv.label, lazy)
attempt(lv.label(screen).align_to, lazy, 0, 0, 0)
"""
    )
    assert vm.run(source) == ["TypeError"] * 3


def test_a_menu_page_outside_of_a_menu_is_an_error(vm: PanelVm) -> None:
    source = ATTEMPT + "attempt(lv.menu_page, screen, None)\nattempt(lv.menu_page, lv.menu(screen), None)\n"
    assert vm.run(source) == ["TypeError", "done"]
