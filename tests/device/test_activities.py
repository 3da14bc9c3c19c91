"""Activities: the lifecycle, the stack, and an app that fails shows so and stops nothing."""

import os
import sys

import lvgl as lv
from conditions import until

from mpos import TaskManager
from mpos.app import activities, launcher
from mpos.app.activity import Activity
from mpos.app.manifest import Manifest, ManifestError
from mpos.ui.inspect import visible_texts


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


async def forever(name, ended):
    try:
        await TaskManager.sleep_ms(100000)
    finally:
        ended.append(name)


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

    class Busy(Recorder):
        def onCreate(self):
            super().onCreate()
            self.create_task(forever("own", ended))
            button = lv.button(self.screen)
            self.on(button, lv.EVENT.CLICKED, lambda e: forever("of the handler", ended))
            button.send_event(lv.EVENT.CLICKED, None)

    activity = Busy([], "busy")
    activities.start(activity)
    other = TaskManager.create_task(forever("nobody's", ended))
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


async def test_an_activity_that_sets_no_content_view_has_an_empty_screen(lvgl_loop):
    activity = Activity()
    assert activities.start(activity)
    assert lv.screen_active() == activity.screen and activity.screen.get_child_count() == 0
    activity.finish()


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
    make_app("noactivity", GOOD.replace("good", "noactivity"), "class Good:\n pass\n")
    for package, words in (
        ("missing", "is not there"),
        ("nojson", "no valid JSON"),
        ("nofield", '"package"'),
        ("noclass", 'no class "Other"'),
        ("syntax", "SyntaxError"),
        ("noactivity", "class Good(Activity)"),
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


async def test_the_one_below_comes_back_when_one_fails_in_its_creation(lvgl_loop):
    class Broken(Recorder):
        def onCreate(self):
            super().onCreate()  # Its screen is loaded already.
            raise ValueError("no such sensor")

    TaskManager.set_exception_handler(lambda context: None)
    log = []
    below = Recorder(log, "below")
    activities.start(below)
    assert not activities.start(Broken(log, "broken"))
    assert log[3:] == ["below pause", "below stop"] + ["broken create", "broken destroy"] + [
        "below start",
        "below resume",
    ]
    assert activities.foreground() is below and lv.screen_active() == below.screen
    await close_messages()
    assert lv.screen_active() == below.screen
    below.finish()


async def test_an_activity_may_finish_itself_in_any_of_its_methods(lvgl_loop):
    log = []
    below = Recorder(log, "below")
    activities.start(below)

    for method, calls in (
        ("onCreate", ["create", "destroy"]),
        ("onStart", ["create", "start", "pause", "stop", "destroy"]),
        ("onResume", ["create", "start", "resume", "pause", "stop", "destroy"]),
    ):

        class Brief(Recorder):
            def onCreate(self):
                super().onCreate()
                self.end("onCreate")

            def onStart(self, screen):
                super().onStart(screen)
                self.end("onStart")

            def onResume(self, screen):
                super().onResume(screen)
                self.end("onResume")

            def onPause(self, screen):
                super().onPause(screen)
                self.finish()  # It is being finished: nothing more comes of it.

            def onDestroy(self, screen):
                super().onDestroy(screen)
                self.finish()

            def end(self, place, method=method):
                if place == method:
                    self.finish()

        log.clear()
        assert not activities.start(Brief(log, "brief")), method
        assert [line.split()[1] for line in log if line.startswith("brief")] == calls, log
        assert activities.foreground() is below
        assert log[-2:] == ["below start", "below resume"], log
    below.finish()


async def test_an_activity_may_start_another_in_its_creation(lvgl_loop):
    log = []

    class Starter(Recorder):
        def onCreate(self):
            super().onCreate()
            activities.start(Recorder(self.log, "other"))

    activities.start(Starter(log, "starter"))
    assert log == ["starter create", "other create", "other start", "other resume"], log
    activities.foreground().finish()
    assert log[-2:] == ["starter start", "starter resume"], log
    activities.finish_all()


async def test_an_activity_created_again_has_a_new_screen_and_no_old_task(lvgl_loop):
    ended = []

    class Busy(Recorder):
        def onCreate(self):
            super().onCreate()
            self.create_task(forever(self.name, ended))

    log = []
    below, above = Busy(log, "below"), Busy(log, "above")
    activities.start(below)
    activities.start(above)
    await TaskManager.sleep_ms(1)
    screen = above.screen
    log.clear()
    assert activities.recreate(above)
    assert log == ["above " + what for what in "pause stop destroy create start resume".split()], log
    assert above.screen != screen and lv.screen_active() == above.screen
    await until(lambda: ended)
    await until(lambda: is_deleted(screen))
    assert ended == ["above"]  # The other one's task lives.
    activities.finish_all()


def is_deleted(widget):
    try:
        widget.get_width()
    except lv.LvReferenceError:
        return True
    return False


async def test_an_app_imports_its_own_modules_also_later(lvgl_loop):
    source = (
        "import lvgl as lv, words\nfrom mpos import Activity\nclass Main(Activity):\n"
        " def onCreate(self):\n  import later\n  self.said = words.OWN + later.OWN\n"
        "  self.setContentView(lv.obj())\n"
    )
    for name in ("first", "second"):
        make_app(name, GOOD.replace("good:Good", name + ":Main"), source)
        for module in ("words", "later"):
            with open("/apps/%s/%s.py" % (name, module), "w") as file:
                file.write("OWN = '%s '" % name)
    paths = len(sys.path)
    for name in ("first", "second", "first"):
        assert launcher.launch(name)
        assert activities.foreground().said == "%s %s " % (name, name)
    assert len(sys.path) <= paths + 1
    activities.finish_all()
