"""For device tests: wait for a condition instead of sleeping."""

from mpos import TaskManager


async def until(condition, seconds=10):
    """Let the loop run until `condition()` is true. Raises TimeoutError after `seconds`."""

    async def wait():
        while not condition():
            await TaskManager.sleep_ms(1)

    await TaskManager.wait_for(wait(), seconds)
