"""Runs a test of MicroPython's asyncio, whose path is the argument, on TaskManager's functions."""

import asyncio
import sys

from mpos import TaskManager

asyncio.create_task = TaskManager.create_task
asyncio.wait_for = TaskManager.wait_for
asyncio.wait_for_ms = TaskManager.wait_for_ms
asyncio.gather = TaskManager.gather
asyncio.sleep = TaskManager.sleep
asyncio.sleep_ms = TaskManager.sleep_ms
asyncio.current_task = TaskManager.current_task

with open(sys.argv[1]) as file:
    exec(file.read(), {"__name__": "__main__"})
