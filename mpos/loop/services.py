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
        end_task(known[1], "end of " + name)

    def tasks(self):
        """The tasks of all services."""
        return [task for _, task in self._running.values()]


def end_task(task, name):
    """Cancel `task`, also in one of its own steps, as in a callback of LVGL that it has called: no task can
    cancel itself, so that another one, called `name`, does it next."""
    if task is core.cur_task:
        Services.manager.create_task(_cancel(task), name)
    else:
        task.cancel()


async def _cancel(task):
    task.cancel()
