"""Ours: LvglLoop on TaskManager's loop."""

from mpos import LvglLoop, TaskManager


class MposWay:
    """As `asyncio_way.AsyncioWay` describes."""

    title = "mpos"

    def __init__(self, hardware):
        self.loop = LvglLoop(hardware.display, hardware.inputs)
        TaskManager.attach(self.loop)

    @property
    def turns(self):
        return self.loop.stats()["turns"]

    @property
    def polls(self):
        return TaskManager.stats()["polls"]

    def run(self, coroutine):
        return TaskManager.run_until_complete(coroutine)

    def create_task(self, coroutine):
        return TaskManager.create_task(coroutine)

    def create_task_in_thread(self, coroutine):
        return TaskManager.create_task(coroutine)

    def call(self, function, *arguments):
        return function(*arguments)

    async def wait(self, event):
        await event.wait()
