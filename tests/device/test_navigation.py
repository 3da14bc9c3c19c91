"""Navigation with the names of MicroPythonOS: intents, results, back."""

import _thread

import lvgl as lv
from conditions import until
from raising import raises

from mpos import Activity, ActivityNavigator, Intent, TaskManager
from mpos.app import activities

log = []


class Logged(Activity):
    def note(self, what):
        log.append("%s %s" % (type(self).__name__, what))

    def onCreate(self):
        self.note("create")

    def onStart(self, screen):
        self.note("start")

    def onResume(self, screen):
        self.note("resume")

    def onPause(self, screen):
        self.note("pause")

    def onStop(self, screen):
        self.note("stop")

    def onDestroy(self, screen):
        self.note("destroy")


class First(Logged):
    pass


class Second(Logged):
    pass


class Third(Logged):
    pass


def begin():
    activities.finish_all()
    first = First()
    activities.start(first)
    log.clear()
    return first


async def test_an_intent_starts_an_activity_with_its_extras(lvgl_loop):
    first = begin()
    first.appFullName = "org.example.app"
    first.startActivity(Intent(activity_class=Second, data="d").putExtra("number", 5))
    second = activities.foreground()
    assert log == ["First pause", "First stop", "Second create", "Second start", "Second resume"]
    assert second.getIntent().extras == {"number": 5} == second.extras and second.getIntent().data == "d"
    assert second.appFullName == "org.example.app"
    log.clear()
    second.finish()
    assert log == ["Second pause", "Second stop", "Second destroy", "First start", "First resume"]
    raises(ValueError, ActivityNavigator.startActivity, Second)
    raises(ValueError, ActivityNavigator.startActivity, Intent())
    ActivityNavigator.startActivity(Intent(action="nobody's"))
    assert activities.foreground() is first
    activities.finish_all()


async def test_finish_ends_the_activity_that_calls_it_also_below_another(lvgl_loop):
    first = begin()
    first.startActivity(Intent(Second))
    second = activities.foreground()
    second.startActivity(Intent(Third))
    log.clear()
    second.finish()
    assert log == ["Second destroy"]
    activities.foreground().finish()
    assert activities.foreground() is first
    activities.finish_all()


async def test_a_result_is_delivered_on_every_way_out_after_the_resume(lvgl_loop):
    results = []

    def deliver(result):
        log.append("result")
        results.append((result["result_code"], result["data"]))

    def succeed():
        activities.foreground().setResult(7, {"text": "x"})
        activities.foreground().finish()

    def set_and_go_back():
        activities.foreground().setResult(7, {"text": "x"})
        ActivityNavigator.back()

    class Failing(Logged):
        def onCreate(self):
            raise ValueError("in its creation")

    TaskManager.set_exception_handler(lambda context: None)
    for cls, leave, expected in (
        (Second, succeed, (7, {"text": "x"})),
        (Second, set_and_go_back, (7, {"text": "x"})),
        (Second, ActivityNavigator.back, (0, {})),
        (Second, lambda: activities.foreground().finish(), (0, {})),
        (Failing, lambda: None, (0, {})),
    ):
        first = begin()
        results.clear()
        first.startActivityForResult(Intent(cls), deliver)
        leave()
        assert results == [expected], (cls, results)
        assert log[-3:] == ["First start", "First resume", "result"], log
    lv.layer_top().clean()
    activities.finish_all()
    ActivityNavigator.startActivityForResult(Intent(Second), deliver)
    results.clear()
    activities.finish_all()
    assert results == [(0, {})]


async def test_a_result_for_an_activity_that_has_gone_goes_nowhere(lvgl_loop):
    first = begin()
    results = []
    first.startActivityForResult(Intent(Second), results.append)
    second = activities.foreground()
    first.finish()
    second.finish()
    assert not results and activities.foreground() is None


async def test_flags_say_what_becomes_of_those_below(lvgl_loop):
    first = begin()
    first.startActivity(Intent(Second).addFlag("no_history"))
    activities.foreground().startActivity(Intent(Third))
    assert activities.below(activities.foreground()) is first
    activities.foreground().startActivity(Intent(Second))
    activities.foreground().startActivity(Intent(Third).addFlag("clear_top").addFlag("no_animation"))
    assert isinstance(activities.foreground(), Third)
    assert activities.below(activities.foreground()) is first
    activities.finish_all()


async def test_back_asks_the_activity_and_the_last_one_stays(lvgl_loop):
    first = begin()
    assert not ActivityNavigator.back() and activities.foreground() is first

    class Staying(Logged):
        answer = True

        def onBackPressed(self, screen):
            assert screen is self.screen
            return self.answer

    first.startActivity(Intent(Staying))
    staying = activities.foreground()
    assert ActivityNavigator.back() and activities.foreground() is staying
    staying.answer = False
    assert ActivityNavigator.back() and activities.foreground() is first

    class Asking(Logged):
        async def onBackPressed(self, screen):
            await TaskManager.sleep_ms(2)
            self.finish()

    first.startActivity(Intent(Asking))
    assert ActivityNavigator.back() and activities.foreground() is not first
    await until(lambda: activities.foreground() is first)
    activities.finish_all()


class Finger:
    """A pointer that the test moves."""

    def __init__(self, loop):
        self.x = self.y = 0
        self.state = lv.INDEV_STATE.RELEASED
        indev = lv.indev_create()
        indev.set_type(lv.INDEV_TYPE.POINTER)
        indev.set_read_cb(self._read)
        self.reader = loop.add_input(indev, None, 100000)
        self.indev = indev

    def _read(self, indev, data):
        data.point.x = self.x
        data.point.y = self.y
        data.state = self.state

    def swipe(self, x, step):
        self.x, self.y, self.state = x, 100, lv.INDEV_STATE.PRESSED
        for _ in range(10):
            self.reader.read()
            self.x += step
        self.state = lv.INDEV_STATE.RELEASED
        self.reader.read()

    def close(self):
        self.reader.close()
        self.indev.delete()


async def test_a_swipe_from_the_left_edge_goes_back_and_others_do_not(lvgl_loop):
    first = begin()
    finger = Finger(lvgl_loop)
    try:
        first.startActivity(Intent(Second))
        second = activities.foreground()
        lvgl_loop.refresh()
        for x, step in ((150, 12), (300, -12), (5, 1)):
            finger.swipe(x, step)
            assert activities.foreground() is second, (x, step)
        finger.swipe(5, 12)
        assert activities.foreground() is first
    finally:
        finger.close()
    activities.finish_all()


async def test_the_escape_key_goes_back_once_a_press(lvgl_loop):
    state = [lv.INDEV_STATE.RELEASED]

    def read(indev, data):
        data.key = lv.KEY.ESC
        data.state = state[0]

    first = begin()
    first.startActivity(Intent(Second))
    activities.foreground().startActivity(Intent(Third))
    indev = lv.indev_create()
    indev.set_type(lv.INDEV_TYPE.KEYPAD)
    indev.set_read_cb(read)
    reader = lvgl_loop.add_input(indev, None, 100000)
    try:
        for expected in (Second, First, First):
            state[0] = lv.INDEV_STATE.PRESSED
            reader.read()
            reader.read()
            state[0] = lv.INDEV_STATE.RELEASED
            reader.read()
            assert isinstance(activities.foreground(), expected)
    finally:
        reader.close()
        indev.delete()
    activities.finish_all()


async def test_calls_for_the_foreground_are_made_there_only(lvgl_loop):
    first = begin()
    seen = []
    event = TaskManager.notify_event()

    def note(*arguments, **named):
        seen.append((arguments, named))
        return 5

    assert first.if_foreground(note, 1, named=2, event=event) == 5 and event.is_set()
    first.startActivity(Intent(Second))
    assert first.if_foreground(note, 3) is None
    activities.foreground().finish()

    def in_thread():
        first.update_ui_threadsafe_if_foreground(note, 4, important=True)

    _thread.start_new_thread(in_thread, ())
    await until(lambda: len(seen) == 2)
    assert seen == [((1,), {"named": 2}), ((4,), {})]
    activities.finish_all()


async def test_what_runs_while_resumed_stops_at_the_pause_and_starts_anew(lvgl_loop):
    class Watching(Logged):
        def onCreate(self):
            self.create_task(while_resumed=self.watch)
            self.create_task(self.watch_too, while_resumed=True)

        async def watch(self):
            log.append("begin")
            try:
                await TaskManager.sleep(100)
            finally:
                await TaskManager.sleep_ms(2)
                log.append("end")

        async def watch_too(self):
            log.append("too")

    begin()
    watching = Watching()
    activities.start(watching)
    await until(lambda: "begin" in log and "too" in log)
    log.clear()
    watching.startActivity(Intent(Second))
    activities.foreground().finish()  # It is resumed before the one of the last time has ended.
    await until(lambda: "begin" in log)
    assert [one for one in log if " " not in one and one != "too"] == ["end", "begin"], log
    watching.finish()
    log.clear()
    await until(lambda: "end" in log)
    assert "begin" not in log
    activities.finish_all()
