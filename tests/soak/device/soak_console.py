"""Endurance with a console: everything an app does, at the same time, for as long as the host likes.

The host calls `main(url)`, then works in the console, calls `await round()` now and then, which returns what
does not add up, and at the end `finish()`. `url` is that of tests/peers/http_server.py.
"""

import gc
import io
import json
import sys

import board
import lvgl as lv
from soak_parts import Accounts, Frames, Posts, until

from mpos import DownloadManager, LvglLoop, TaskManager, UiBridge
from mpos.console import Console

# Differences of the heap below this are the collector's: it takes what looks like a pointer for one, and
# keeps an old buffer of a download (4 KB) or three, in one round of 4. A block of the heap is 32 bytes, and
# 300 tasks a second end: if each left one behind, this would be reached within two seconds.
_NOISE_BYTES = 16000
_WARM_UP_ROUNDS = 2
_FEWEST_ROUNDS = 12  # in half of them at once there is no such buffer by chance


class Soak:
    """The parts that work side by side, and their counts."""

    def __init__(self, hardware, url, judge_lateness):
        self.url = url
        self._judge_lateness = judge_lateness
        self.loop = LvglLoop(hardware.display, hardware.inputs)
        self.accounts = Accounts()
        self.posts = Posts()
        self.frames = Frames(hardware.display)
        self.resting = True
        self.busy = 0  # Workers in the middle of something.
        self.wrong = []
        self.heap = []
        self.counts = {
            "downloads": 0,
            "downloads refused": 0,
            "downloads cancelled": 0,
            "animations": 0,
            "animations ended": 0,
            "refused, the inbox was full": 0,
            "timeouts": 0,
            "cancelled": 0,
            "returned": 0,
            "supervised starts": 0,
            "texts": 0,
        }
        # By the name that reports have.
        self.failures = {"fails": 0, "supervised": 0, "bad_end": 0, "posted": 0}
        self.reports = dict(self.failures)
        self._make_screen()

    def _make_screen(self):
        screen = lv.obj(None)
        spinner = lv.spinner(screen)
        spinner.set_size(40, 40)
        self.label = lv.label(screen)
        self.bar = lv.bar(screen)
        self.bar.set_pos(10, 100)
        self.bar.set_range(0, 100)
        self.ball = lv.obj(screen)
        self.ball.set_size(20, 20)
        self.ball.set_y(140)
        lv.screen_load(screen)

    # -- Work

    def start(self):
        TaskManager.set_exception_handler(self._on_error)
        for worker in (
            self.download,
            self.refuse,
            self.give_up,
            self.animate,
            self.come_and_go,
            self.set_texts,
        ):
            TaskManager.create_task(self._repeat(worker), "worker")
        TaskManager.create_supervised_task(
            self._supervised, restart_delay_ms=20, max_delay_ms=20, name="supervised"
        )
        self.posts.start()

    async def _repeat(self, worker):
        while True:
            while self.resting:
                await TaskManager.sleep_ms(10)
            self.busy += 1
            try:
                await worker()
            except RuntimeError as error:
                if "inbox is full" not in str(error):
                    self.note("a worker failed", error)
                self.counts["refused, the inbox was full"] += 1  # A command held the loop for so long.
            except Exception as error:
                self.note("a worker failed", error)
            self.busy -= 1
            await TaskManager.sleep_ms(1)

    async def download(self):
        data = await DownloadManager.download_url(
            self.url + "/fixed?size=30000",
            progress_callback=lambda percent: UiBridge.set_value(self.bar, percent),
        )
        if len(data) != 30000:
            self.wrong.append("a download of 30000 bytes gave %d" % len(data))
        self.counts["downloads"] += 1

    async def refuse(self):
        try:
            await DownloadManager.download_url(self.url + "/no_such_route")
            self.wrong.append("a download of nothing succeeded")
        except DownloadManager.HTTPError:
            self.counts["downloads refused"] += 1

    async def give_up(self):
        try:
            await TaskManager.wait_for_ms(DownloadManager.download_url(self.url + "/stall"), 30)
            self.wrong.append("a download that stalls ended")
        except TaskManager.TimeoutError:
            self.counts["downloads cancelled"] += 1

    async def animate(self):
        ended = TaskManager.notify_event()

        def bad_end():
            self.counts["animations ended"] += 1
            self.failures["bad_end"] += 1
            ended.set()
            raise ValueError("at the end of an animation")

        self.counts["animations"] += 1
        UiBridge.animate(self.ball, lambda ball, x: ball.set_x(x), 0, 200, 150, on_end=bad_end)
        await TaskManager.wait_for(ended.wait(), 10)

    async def come_and_go(self):
        """Tasks that return, fail, are cancelled (before they begin, too) and time out."""
        admit, counts = self.accounts.admit, self.counts
        await TaskManager.gather(admit(self._returns, "returns"), admit(self._returns, "returns"))
        counts["returned"] += 2
        self.failures["fails"] += 1
        admit(self._fails, "fails")
        sleeper = admit(self._sleeps, "sleeps")
        admit(self._sleeps, "never begins").cancel()
        await TaskManager.sleep_ms(2)
        sleeper.cancel()
        counts["cancelled"] += 2
        try:
            await TaskManager.wait_for_ms(admit(self._sleeps, "times out"), 3)
            self.wrong.append("a task that sleeps 10 s did not time out")
        except TaskManager.TimeoutError:
            counts["timeouts"] += 1
        UiBridge.post(self._bad_post)
        self.failures["posted"] += 1

    def _bad_post(self):
        raise ValueError("in a posted call")

    async def _returns(self, slot):
        self.accounts.begin(slot)
        try:
            await TaskManager.sleep_ms(1)
        finally:
            self.accounts.end(slot)

    async def _fails(self, slot):
        self.accounts.begin(slot)
        try:
            await TaskManager.sleep_ms(1)
            raise ValueError("in a task")
        finally:
            self.accounts.end(slot)

    async def _sleeps(self, slot):
        self.accounts.begin(slot)
        try:
            await TaskManager.sleep(10)
        finally:
            self.accounts.end(slot)

    async def _supervised(self):
        while self.resting:
            await TaskManager.sleep_ms(10)
        self.counts["supervised starts"] += 1
        await TaskManager.sleep_ms(5)
        self.failures["supervised"] += 1
        raise ValueError("in a supervised task")

    async def set_texts(self):
        """Values that several threads set between two frames, of which one must be the last."""

        def set_some():
            for number in range(5):
                UiBridge.set_text(self.label, str(number))

        await TaskManager.gather(UiBridge.run_in_thread(set_some), UiBridge.run_in_thread(set_some))
        await until(lambda: self.label.get_text() == "4", "the text that a thread set last")
        self.counts["texts"] += 1

    # -- Accounts

    def _on_error(self, context):
        name = "posted" if "_bad_post" in context["name"] else context["name"]
        if name in self.failures:
            self.reports[name] += 1
        else:
            self.note("unexpected: " + name, context["exception"])

    def note(self, what, error):
        if len(self.wrong) < 20:
            text = io.StringIO()
            sys.print_exception(error, text)
            self.wrong.append("%s: %s" % (what, text.getvalue()))

    async def rest(self):
        """Have all work come to its end."""
        self.resting = True
        self.posts.hold(True)
        posts = self.posts
        await until(
            lambda: not self.busy and not self.accounts.alive() and not posts.to_come(), "the end of all work"
        )
        await TaskManager.sleep_ms(20)  # Reports come a turn after the end of a task.

    def go_on(self):
        self.frames.excused = True
        self.posts.hold(False)
        self.resting = False

    def mismatches(self):
        """What does not add up while everything rests."""
        counts = self.counts
        self.accounts.settle()
        found = self.wrong + self.accounts.wrong + self.posts.mismatches()
        if self._judge_lateness:
            found += self.frames.mismatches()
        if counts["animations"] != counts["animations ended"]:
            found.append("%(animations)d animations began, %(animations ended)d ended" % counts)
        if self.failures != self.reports:
            found.append("failures: %r, reports: %r" % (self.failures, self.reports))
        if counts["supervised starts"] != self.failures["supervised"]:
            found.append("a supervised task was started %(supervised starts)d times" % counts)
        return found + self._heap_mismatches()

    def _heap_mismatches(self):
        rounds = self.heap[_WARM_UP_ROUNDS:]
        if len(rounds) < _FEWEST_ROUNDS:
            return []
        half = len(rounds) // 2
        # The smallest of each half: what the collector kept by mistake is gone in one of the rounds.
        growth = min(rounds[half:]) - min(rounds[:half])
        if growth > _NOISE_BYTES:
            return ["the heap grew by %d bytes: %r" % (growth, self.heap)]
        return []


soak = None


async def look():
    """One round: all work rests, the heap is measured, and it goes on. Returns what does not add up."""
    await soak.rest()
    gc.collect()
    gc.collect()
    soak.heap.append(gc.mem_alloc())
    if len(soak.heap) > 60:
        del soak.heap[_WARM_UP_ROUNDS::2]  # Hours: every other round is enough.
    found = soak.mismatches()
    soak.go_on()
    return found


def hold():
    """A command that never ends, and lets nothing else run: for a Ctrl-C."""
    soak.frames.excused = True
    print("holding")
    try:
        while True:
            pass
    finally:
        soak.frames.excused = True


async def wait():
    """A command that never ends, beside which everything goes on: for a Ctrl-C."""
    print("waiting")
    while True:
        await TaskManager.sleep_ms(3)


def figures():
    """All counts."""
    frames, stats = soak.frames, TaskManager.stats()
    found = dict(soak.counts)
    found.update(
        {
            "tasks": soak.accounts.created,
            "failures": soak.failures,
            "posts": sum(soak.posts.made),
            "posts refused": sum(soak.posts.full),
            "frames": frames.count,
            "frames late": frames.late,
            "frames late, machine running": frames.unexplained,
            "longest gap ms": frames.longest_ms,
            "longest stall of the machine ms": frames.longest_stall_ms,
            "turns": stats["lvgl"]["turns"],
            "longest turn us": stats["lvgl"]["longest_turn_us"],
            "lateness": stats["lvgl"]["lateness"],
            "polls": stats["polls"],
            "heap": soak.heap[-10:],
        }
    )
    return found


async def finish():
    """End all work and the loop. Returns what does not add up."""
    await soak.rest()
    soak.posts.stop()
    soak.frames.stopping = True
    await until(soak.posts.have_ended, "the end of the threads")
    found = soak.mismatches()
    for task in TaskManager.list_tasks():
        if task.name not in ("worker", "supervised", "inbox", "lvgl", "console", "input"):
            found.append("a task is left: %r" % (task,))
    if len([task for task in TaskManager.list_tasks() if task.name == "worker"]) != 6:
        found.append("a worker is gone")
    return found


def main(url, judge_lateness=True):
    """Work until a command calls `TaskManager.stop()`."""
    global soak
    # Nothing is printed on its own: mpremote cannot tell that from the answers it waits for.
    TaskManager.enable_statistics(True, slow_step_ms=1000000)
    soak = Soak(board.init(), url, judge_lateness)
    soak.start()
    soak.go_on()
    TaskManager.start(soak.loop, console=Console())
    print("THE END", json.dumps(figures()))
