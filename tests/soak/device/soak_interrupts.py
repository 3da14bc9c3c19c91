"""Endurance without a console: Ctrl-C at random moments while 50 tasks work; none of them ends.

The host calls `main(times)` and sends one Ctrl-C after each GO. LVGL is attached, timers fire, threads post,
and tasks wait in every way there is. Each Ctrl-C leaves the loop, which is started again. Now and then a task
holds the loop: then Ctrl-C ends that one, and the loop goes on.
"""

import gc
import json

import board
import lvgl as lv
from soak_parts import Posts, until

from mpos import LvglLoop, TaskManager, UiBridge

_CHECK_EVERY = 50  # Ctrl-Cs
_HOG_EVERY = 100


class Soak:
    """Tasks by name, how far each got, and how often each ended."""

    def __init__(self, hardware):
        self.loop = LvglLoop(hardware.display, hardware.inputs)
        self.posts = Posts(pause_ms=2)
        self.tasks = {}
        self.progress = {}
        self.finals = {}
        self.wrong = []
        self.fired = 0
        self.interrupts = 0
        self.hogs = 0
        self.full = 0
        screen = lv.obj(None)
        spinner = lv.spinner(screen)
        spinner.set_size(30, 30)
        self.label = lv.label(screen)
        lv.screen_load(screen)

    def start(self):
        TaskManager.set_exception_handler(self._on_error)
        ping, pong = TaskManager.notify_event(), TaskManager.notify_event()
        makers = {
            "ping": lambda: self.player("ping", ping, pong),
            "pong": lambda: self.player("pong", pong, ping),
            "gatherer": self.gatherer,
            "supervisor": self.supervisor,
            "threads": self.threads,
            "painter": self.painter,
            "creator": self.creator,
        }
        for number in range(22):
            makers["sleeper-%d" % number] = lambda number=number: self.sleeper("sleeper-%d" % number)
            makers["parent-%d" % number] = lambda number=number: self.parent("parent-%d" % number)
        for name, maker in makers.items():
            self.progress[name] = self.finals[name] = 0
            self.tasks[name] = TaskManager.create_task(maker(), name)
        ping.set()
        self.ping = ping
        UiBridge.timer(self._on_timer, 3)
        self.posts.start()

    def _on_timer(self, timer):
        self.fired += 1

    def _on_error(self, context):
        self.wrong.append("%s: %r" % (context["name"], context["exception"]))

    # -- Tasks, each of which waits in another way

    async def sleeper(self, name):
        try:
            while True:
                self.progress[name] += 1
                for _ in range(500):
                    pass
                await TaskManager.sleep_ms(1)
        finally:
            self.finals[name] += 1

    async def player(self, name, mine, yours):
        try:
            while True:
                await mine.wait()
                mine.clear()
                self.progress[name] += 1
                yours.set()
                await TaskManager.sleep_ms(0)
        finally:
            yours.set()  # The other must not wait for ever for one that has ended.
            mine.set()
            self.finals[name] += 1

    async def parent(self, name):
        async def child(delay_ms):
            await TaskManager.sleep_ms(delay_ms)
            return delay_ms

        try:
            while True:
                result = await TaskManager.create_task(child(1), name + "'s child")
                if result != 1:
                    self.wrong.append("a child returned %r" % result)
                try:
                    await TaskManager.wait_for_ms(child(5), 2)
                except TaskManager.TimeoutError:
                    pass
                self.progress[name] += 1
        finally:
            self.finals[name] += 1

    async def gatherer(self):
        async def value(number):
            await TaskManager.sleep_ms(number)
            return number

        try:
            while True:
                results = await TaskManager.gather(value(1), value(2), value(0))
                if results != [1, 2, 0]:
                    self.wrong.append("gather returned %r" % results)
                self.progress["gatherer"] += 1
        finally:
            self.finals["gatherer"] += 1

    async def supervisor(self):
        """A supervised task goes on by itself."""

        async def supervised():
            while True:
                self.progress["supervisor"] += 1
                await TaskManager.sleep_ms(1)

        task = TaskManager.create_supervised_task(supervised, name="supervised")
        try:
            await task
        finally:
            task.cancel()
            self.finals["supervisor"] += 1

    async def threads(self):
        try:
            while True:
                if await UiBridge.run_in_thread(lambda: 7) != 7:
                    self.wrong.append("a thread returned something else")
                self.progress["threads"] += 1
        finally:
            self.finals["threads"] += 1

    async def painter(self):
        try:
            while True:
                self.label.set_text(str(self.progress["painter"]))
                try:
                    UiBridge.set(self.label, "set_x", self.progress["painter"] % 100)
                except RuntimeError:
                    self.full += 1  # The threads have filled the inbox while something held the loop.
                self.progress["painter"] += 1
                await TaskManager.sleep_ms(10)
        finally:
            self.finals["painter"] += 1

    async def creator(self):
        """Widgets come and go, with handlers."""
        try:
            while True:
                button = lv.button(lv.screen_active())
                UiBridge.on(button, lv.EVENT.CLICKED, lambda event: button.delete())
                button.send_event(lv.EVENT.CLICKED, None)
                self.progress["creator"] += 1
                await TaskManager.sleep_ms(2)
        finally:
            self.finals["creator"] += 1

    # -- After a Ctrl-C

    async def hold(self):
        """Await a task that holds the loop until Ctrl-C ends it."""

        async def hog():
            print("GO")
            while True:
                pass

        try:
            await TaskManager.create_task(hog(), "hog")
        except TaskManager.TaskInterrupted:
            self.hogs += 1
            self.interrupts += 1
        TaskManager.stop()

    async def check(self):
        """All go on, and are named."""
        before = dict(self.progress)
        fired, frames = self.fired, self.loop.stats()["frames"]
        self.ping.set()
        for name in self.tasks:
            await until(lambda: self.progress[name] > before[name], "progress of " + name)
        await until(lambda: self.fired > fired, "an LVGL timer; %r" % self.loop.stats())
        await until(lambda: self.loop.stats()["frames"] > frames, "a frame")

    def mismatches(self):
        found = self.wrong + self.posts.mismatches()
        found += [name + " has ended" for name, task in self.tasks.items() if task.done()]
        found += ["the finally of %s ran" % name for name, times in self.finals.items() if times]
        return found


async def _say(word):
    print(word)


def main(times):
    """Start the loop again after each of so many Ctrl-Cs."""
    soak = Soak(board.init())
    soak.start()
    while soak.interrupts < times:
        holds = soak.interrupts % _HOG_EVERY == _HOG_EVERY - 1
        TaskManager.create_task(soak.hold() if holds else _say("GO"), "go")
        try:
            TaskManager.start(soak.loop)
        except KeyboardInterrupt:
            soak.interrupts += 1
            if holds:
                soak.wrong.append("Ctrl-C left the loop while a task held it")
        if soak.interrupts % _CHECK_EVERY == 0:
            TaskManager.run_until_complete(soak.check(), 60000)
            gc.collect()
    soak.posts.stop()
    TaskManager.run_until_complete(
        until(lambda: soak.posts.have_ended() and not soak.posts.to_come(), "the last post")
    )
    print(
        "THE END",
        json.dumps(
            {
                "mismatches": soak.mismatches(),
                "Ctrl-Cs": soak.interrupts,
                "tasks": len(soak.tasks),
                "hogs ended": soak.hogs,
                "posts": sum(soak.posts.made),
                "timer": soak.fired,
                "frames": soak.loop.stats()["frames"],
                "heap": gc.mem_alloc(),
            }
        ),
    )
