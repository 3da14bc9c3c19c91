"""LVGL's screens as the activity stack needs them: checked, watched, shown and deleted without harm.

LVGL keeps pointers to the screens of an animation that loads one, and deletes whatever it is told to: a
screen that goes while it is animated, or while it is the active one, leaves LVGL with a pointer to nothing.
What that takes is done here.
"""

import lvgl as lv

from ..task_manager import TaskManager
from ..ui.callbacks import guarded

_held = False  # Nothing is drawn, as the active screen is gone.
_empty = None  # LVGL cannot be without a screen: one is kept for when no activity has one.


def check(screen, name):
    """Raise ValueError, which says what to write, unless activity `name` may have `screen` as its screen."""
    advice = "%s.setContentView() needs a screen, made by lv.obj(): " % name
    if not isinstance(screen, lv.obj):
        raise ValueError("%sit got %r" % (advice, screen))
    try:
        parent = screen.get_parent()
    except lv.LvReferenceError:
        raise ValueError("%sit got one that is deleted" % advice)
    if parent is not None:
        raise ValueError(
            "%sit got a widget with a parent. Write screen = lv.obj(), make the widget with that as its "
            "parent, and hand the screen over" % advice
        )
    for layer in (lv.layer_top(), lv.layer_sys(), lv.layer_bottom()):
        if screen == layer:
            raise ValueError("%sit got a layer, which is above or below all screens" % advice)


def watch(screen, on_deleted):
    """Call `on_deleted(screen)` when `screen` is deleted, by anyone. `screen` is gone already then."""

    def deleted(_):
        if is_animated():  # LVGL must forget the screen, and still show the one that it shows.
            active = lv.screen_active()
            _stop_animation()
            lv.screen_load(active)
        on_deleted(screen)

    screen.add_event_cb(guarded(deleted, "deletion of a screen"), lv.EVENT.DELETE, None)


def hold_drawing():
    """Draw nothing until `resume_drawing()`: not every LVGL survives that there is no active screen."""
    global _held
    _held = True
    display = lv.display_get_default()
    display.enable_invalidation(False)
    display.get_refr_timer().pause()


def resume_drawing():
    """Undo `hold_drawing()`, when there is an active screen again: all of it is drawn."""
    global _held
    if _held:
        _held = False
        display = lv.display_get_default()
        display.enable_invalidation(True)
        display.get_refr_timer().resume()
        lv.screen_active().invalidate()


def is_animated():
    """Whether one screen is on its way to take another one's place."""
    display = lv.display_get_default()
    return display.get_screen_prev() is not None or display.get_screen_loading() is not None


def show(screen):
    """Load `screen`; one that is being loaded by an animation of the app's goes on."""
    lv.screen_load(screen)


def show_nothing():
    """Load the empty screen."""
    lv.screen_load(_the_empty())


def shows_nothing():
    """Whether LVGL has no screen, or the empty one."""
    active = lv.screen_active()
    return active is None or (_empty is not None and active == _empty)


def delete(screen, instead):
    """Delete `screen`; if LVGL shows or animates it, it shows `instead` first (None: the empty screen)."""
    display = lv.display_get_default()
    for used in (lv.screen_active(), display.get_screen_prev(), display.get_screen_loading()):
        if used is not None and used == screen:
            _stop_animation()
            if instead is not None:
                lv.screen_load(instead)
            break
    if may_delete():
        screen.delete()


def may_delete():
    """Whether widgets may be deleted: LVGL may crash if it can no longer be trusted (`mpos.ui.mender`)."""
    loop = TaskManager.lvgl_loop()
    return loop is None or not loop.mender.untrusted


def _stop_animation():
    # LVGL lets go of the screens of an animation when it is told to load a third one.
    lv.screen_load(_the_empty())


def _the_empty():
    global _empty
    try:
        _empty.get_parent()
    except (AttributeError, lv.LvReferenceError):  # There was none yet, or somebody has deleted it.
        _empty = lv.obj()
    return _empty
