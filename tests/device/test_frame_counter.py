"""Frames are noticed without a callback, and in the manner of older LVGL as well."""

import gc

import lvgl as lv

from mpos.ui.frame_counter import FrameCounter, FrameNotes, frame_counter


def draw(hardware, label, text):
    label.set_text(text)
    lv.refr_now(hardware.display)


def check_counter(hardware, screen, counter):
    label = lv.label(screen)
    lv.refr_now(hardware.display)
    counter.take()
    assert not counter.take()
    draw(hardware, label, "one")
    draw(hardware, label, "two")
    assert counter.take()
    assert not counter.take()
    lv.refr_now(hardware.display)  # There is nothing to draw.
    assert not counter.take()
    counter.close()
    draw(hardware, label, "three")
    assert not counter.take()


def test_a_frame_is_noticed_once_and_none_after_closing(hardware, screen):
    check_counter(hardware, screen, frame_counter(hardware.display))


def test_lvgl_before_9_4_notices_by_a_callback(hardware, screen):
    check_counter(hardware, screen, FrameNotes(hardware.display))


def test_lvgl_counts_where_it_can_and_looking_uses_no_heap(hardware, screen):
    counter = frame_counter(hardware.display)
    assert isinstance(counter, FrameCounter)
    label = lv.label(screen)
    draw(hardware, label, "first")
    counter.take()
    gc.collect()
    gc.disable()
    try:
        heap = gc.mem_alloc()
        counter.take()
        counter.take()
        assert gc.mem_alloc() == heap
    finally:
        gc.enable()
        counter.close()


def test_a_frame_of_a_part_of_the_screen_is_noticed_too(hardware, screen):
    counter = frame_counter(hardware.display)
    corner = lv.obj(screen)
    corner.set_size(10, 10)
    lv.refr_now(hardware.display)
    counter.take()
    corner.set_size(11, 11)
    lv.refr_now(hardware.display)
    assert counter.take()
    counter.close()
