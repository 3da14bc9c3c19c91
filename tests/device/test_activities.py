"""Activities: the lifecycle, the stack, and an app that fails shows so and stops nothing."""

import os

import lvgl as lv
from conditions import until

from mpos import TaskManager
from mpos.app import activities, launcher
from mpos.app.activity import Activity
from mpos.app.manifest import Manifest, ManifestError
from mpos.ui_inspect import visible_texts


class Recorder(Activity):
    def __init__(self, log, name):
        self.log = log
        self.name = name

    def onCreate(self):
        self.log.append(self.name + " create")
        self.setContentView(lv.obj())

    def onStart(self, screen):
        self.log.append(self.name + " start")

    def onResume(self, screen):
        super().onResume(screen)
        self.log.append(self.name + " resume")

    def onPause(self, screen):
        super().onPause(screen)
        self.log.append(self.name + " pause")

    def onStop(self, screen):
        self.log.append(self.name + " stop")

    def onDestroy(self, screen):
        assert screen is not None
        self.log.append(self.name + " destroy")


async def test_the_lifecycle_of_two_activities_is_androids(lvgl_loop):
    log = []
    below, above = Recorder(log, "below"), Recorder(log, "above")
    activities.start(below)
    assert log == ["below create", "below start", "below resume"]
    assert below.has_foreground()
    log.clear()
    activities.start(above)
    assert log == ["below pause", "below stop", "above create", "above start", "above resume"]
    assert above.has_foreground() and not below.has_foreground()
    assert lv.screen_active() == above.screen
    log.clear()
    above.finish()
    assert log == ["above pause", "above stop", "above destroy", "below start", "below resume"]
    assert lv.screen_active() == below.screen
    log.clear()
    below.finish()
    below.finish()
    assert log == ["below pause", "below stop", "below destroy"]


async def test_a_finished_activity_leaves_no_screen(lvgl_loop):
    activity = Recorder([], "one")
    activities.start(activity)
    screen = activity.screen
    label = lv.label(screen)
    activity.finish()
    await TaskManager.sleep_ms(20)
    try:
        label.set_text("gone")
        raise AssertionError("the screen is still there")
    except lv.LvReferenceError:
        pass


async def test_finish_in_an_event_callback_of_a_widget_on_the_screen(lvgl_loop):
    from mpos import UiBridge

    activity = Recorder([], "one")
    activities.start(activity)
    button = lv.button(activity.screen)
    UiBridge.on(button, lv.EVENT.CLICKED, lambda e: activity.finish())
    button.send_event(lv.EVENT.CLICKED, None)
    await TaskManager.sleep_ms(60)
    assert activities.foreground() is None


async def test_the_tasks_of_an_activity_end_with_it(lvgl_loop):
    ended = []

    async def forever(name):
        try:
            await TaskManager.sleep_ms(100000)
        finally:
            ended.append(name)

    class Busy(Recorder):
        def onCreate(self):
            super().onCreate()
            self.create_task(forever("own"))
            button = lv.button(self.screen)
            self.on(button, lv.EVENT.CLICKED, lambda e: forever("of the handler"))
            button.send_event(lv.EVENT.CLICKED, None)

    activity = Busy([], "busy")
    activities.start(activity)
    other = TaskManager.create_task(forever("nobody's"))
    await TaskManager.sleep_ms(1)
    activity.finish()
    await until(lambda: len(ended) == 2)
    assert sorted(ended) == ["of the handler", "own"]
    assert not other.done()


async def test_an_activity_can_be_finished_by_its_own_task(lvgl_loop):
    went_on = []

    class Brief(Recorder):
        def onCreate(self):
            super().onCreate()
            self.create_task(self.end())

        async def end(self):
            self.finish()
            went_on.append(True)

    activities.start(Brief([], "brief"))
    await until(lambda: went_on)
    assert activities.foreground() is None


def texts_with(word):
    return [text for text in visible_texts() if word in text]


async def close_messages():
    lv.layer_top().clean()
    await TaskManager.sleep_ms(1)


async def test_an_app_that_raises_in_on_create_is_shown_and_the_one_below_stays(lvgl_loop):
    class Broken(Activity):
        def onCreate(self):
            raise ValueError("no such sensor")

    TaskManager.set_exception_handler(lambda context: None)
    assert not activities.start(Broken())
    await until(lambda: texts_with("Broken.onCreate() failed") and texts_with("no such sensor"))
    assert activities.foreground() is None
    await close_messages()


async def test_an_activity_without_a_screen_is_told_what_to_call(lvgl_loop):
    TaskManager.set_exception_handler(lambda context: None)
    assert not activities.start(Activity())
    await until(lambda: texts_with("setContentView"))
    await close_messages()


def make_app(name, manifest, source=""):
    for folder in ("/apps", "/apps/" + name):
        try:
            os.mkdir(folder)
        except OSError:
            pass
    with open("/apps/%s/manifest.json" % name, "w") as file:
        file.write(manifest)
    with open("/apps/%s/%s.py" % (name, name), "w") as file:
        file.write(source)


GOOD = '{"name": "Good", "package": "good", "version": "1", "entry": "good:Good"}'


async def test_an_installed_app_is_launched_and_replaces_the_other(lvgl_loop):
    make_app(
        "good",
        GOOD,
        "import lvgl as lv\nfrom mpos import Activity\nclass Good(Activity):\n"
        " def onCreate(self):\n  screen = lv.obj()\n  text = self.extras.get('say', 'good')\n"
        "  lv.label(screen).set_text(text)\n  self.setContentView(screen)\n",
    )
    assert launcher.launch("good")
    await until(lambda: texts_with("good"))
    first = activities.foreground()
    assert launcher.launch("good", {"say": "again"})
    assert activities.foreground() is not first
    await until(lambda: texts_with("again"))
    activities.finish_all()


async def test_what_is_wrong_with_an_app_is_said_on_the_screen(lvgl_loop):
    TaskManager.set_exception_handler(lambda context: None)
    make_app("nojson", "{")
    make_app("nofield", '{"name": "x"}')
    make_app("noclass", GOOD.replace("good", "noclass").replace("Good", "Other"))
    make_app("syntax", GOOD.replace("good", "syntax"), "def (")
    for package, words in (
        ("missing", "is not there"),
        ("nojson", "no valid JSON"),
        ("nofield", '"package"'),
        ("noclass", 'no class "Other"'),
        ("syntax", "SyntaxError"),
    ):
        assert not launcher.launch(package)
        await until(lambda: texts_with(words))
        await close_messages()


def test_a_manifest_says_which_field_is_wrong():
    for fields, word in (({}, "name"), ({"name": 1}, "name")):
        try:
            Manifest("/apps/x", fields)
            raise AssertionError("accepted")
        except ManifestError as error:
            assert word in str(error)
    good = {"name": "A", "package": "a", "version": "1", "entry": "nocolon"}
    try:
        Manifest("/apps/a", good)
        raise AssertionError("accepted")
    except ManifestError as error:
        assert "module:Activity" in str(error)
