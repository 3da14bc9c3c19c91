"""Work for a loop that is interrupted at random: tasks that each wait in another way, and a check at the end.

The host imports this on the board, calls `run` and sends Ctrl-C meanwhile.
"""

from mpos import TaskManager

progress = {}
tasks = {}
finals = []


async def sleeper(name):
    try:
        while True:
            progress[name] += 1
            for _ in range(2000):
                pass
            await TaskManager.sleep_ms(1)
    finally:
        finals.append(name)


async def player(name, mine, yours):
    """Two of them play ping-pong with events."""
    try:
        while True:
            await mine.wait()
            mine.clear()
            progress[name] += 1
            yours.set()
            await TaskManager.sleep_ms(0)
    finally:
        finals.append(name)


async def parent(name):
    """Awaits children, with and without a timeout."""

    async def child(delay_ms):
        await TaskManager.sleep_ms(delay_ms)
        return delay_ms

    try:
        while True:
            await TaskManager.create_task(child(1))
            try:
                await TaskManager.wait_for_ms(child(5), 2)
            except TaskManager.TimeoutError:
                pass
            progress[name] += 1
    finally:
        finals.append(name)


def start(name, coroutine):
    progress[name] = 0
    tasks[name] = TaskManager.create_task(coroutine, name)


async def say(word):
    print(word)


def run(times):
    """Start the loop again after each of so many Ctrl-Cs. The host sends one after each GO."""
    reported = []
    TaskManager.set_exception_handler(lambda context: reported.append(context["name"]))
    for number in range(8):
        start("sleeper-%d" % number, sleeper("sleeper-%d" % number))
    for number in range(4):
        start("parent-%d" % number, parent("parent-%d" % number))
    ping, pong = TaskManager.notify_event(), TaskManager.notify_event()
    start("ping", player("ping", ping, pong))
    start("pong", player("pong", pong, ping))
    ping.set()

    interrupts = 0
    while interrupts < times:
        TaskManager.create_task(say("GO"))
        try:
            TaskManager.start()
        except KeyboardInterrupt:
            interrupts += 1
    check(interrupts, reported)


def check(interrupts, reported):
    """Each task has either ended, said so and run its `finally`, or goes on."""
    alive = [name for name in tasks if not tasks[name].done()]
    before = dict(progress)
    # An event that nobody sets any more keeps its player waiting for good: that is no loss.
    playing = "ping" in alive and "pong" in alive

    def standing():
        return [
            name
            for name in alive
            if progress[name] == before[name]
            and not tasks[name].done()
            and (playing or name[0] == "s" or name[:2] == "pa")
        ]

    async def all_go_on():
        while standing():
            await TaskManager.sleep_ms(5)

    try:
        TaskManager.run_until_complete(all_go_on(), timeout_ms=10000)
    except TaskManager.TimeoutError:
        pass
    stuck = standing()
    ended = [name for name in tasks if name not in alive]
    unnamed = [name for name in ended if name not in reported]
    unfinished = [name for name in ended if name not in finals]
    print("INTERRUPTS %d ENDED %d" % (interrupts, len(ended)))
    print(
        "STUCK %r UNNAMED %r UNFINISHED %r LISTED %d"
        % (stuck, unnamed, unfinished, len(TaskManager.list_tasks()))
    )
