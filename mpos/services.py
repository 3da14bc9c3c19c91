"""Services: the tasks that the loop itself needs, each running once for its owner."""

from asyncio import core


class Services:
    """Supervised tasks by name. `manager`, set by the TaskManager, is itself."""

    manager = None

    def __init__(self):
        self._running = {}  # name: (owner, task)

    def serve(self, name, owner, factory):
        """Keep `factory()` running for `owner` under `name`; nothing to do if it does already."""
        known = self._running.get(name)
        if known is not None and known[0] is owner and not known[1].done():
            return
        self.end(name)
        task = self.manager.create_supervised_task(factory, restart_on_return=True, name=name)
        if task is not None:  # The manager is not disabled.
            self._running[name] = (owner, task)

    def end(self, name):
        """End the service, if there is one of this name."""
        known = self._running.pop(name, None)
        if known is None:
            return
        task = known[1]
        if task is core.cur_task:
            # Called in one of its own steps, such as by LVGL's callback: no task can cancel itself.
            self.manager.create_task(_cancel(task), "end of " + name)
        else:
            task.cancel()

    def tasks(self):
        """The tasks of all services."""
        return [task for _, task in self._running.values()]


async def _cancel(task):
    task.cancel()
