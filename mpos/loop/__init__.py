"""The engine: one runner for all tasks of asyncio. It knows nothing of LVGL.

This folder alone touches asyncio's private parts. What it relies on, in MicroPython 1.27 to 1.29
(extmod/asyncio/core.py and extmod/modasyncio.c):

- `core._task_queue` is a TaskQueue ordered by `ph_key`, in the ticks of `time.ticks_ms`.
  `push(task[, ticks])` sets `task.data` to None. A task must never be pushed while it is in a queue.
- `core.cur_task` is the task whose step runs; `sleep_ms`, Event, Lock and `await task` read it.
- `core._io_queue` has `queue_read`, `queue_write` and `remove`; ours is `poll.LoopIOQueue`.
- `Task.coro` has `send` and `throw`. `Task.data` of a live task is None while it is in the queue, an
  exception to be thrown into it, or the thing it waits for, whose `remove(task)` `Task.cancel()` calls;
  `await task` stores the awaited Task there, and `Task.cancel()` follows such a chain. Of a task that is
  done it is what ended it, StopIteration with the result included.
- `Task.state` is True while nobody awaits a running task, a TaskQueue of those who do, or a function that is
  called with (task, outcome) at the end; None when it is done and nobody has fetched the outcome, else False.
- `core.sleep_ms` is one object for all sleeps.

Two values are our own: `data` is False during a task's step, which tells a bare `yield` from a sleep, and a
`tasks.Helper` in `coro` marks a task that no list shows.

| module | what is in it |
| --- | --- |
| `runner` | the loop: rounds of poll and steps |
| `tasks` | what is known of each task |
| `poll` | the wait for sockets, inputs and the inbox |
| `inbox` | calls from threads and interrupts, and what wakes the loop for them |
| `parking` | sleep that can be woken |
| `waiting` | `wait_for`, `gather`, events |
| `deadline` | waits for a socket, each with an end of its own |
| `threads` | blocking work in a thread, whose result a task awaits |
| `services` | tasks that the loop itself needs, restarted when they fail; the watchdog |
| `errors` | where an exception goes that nobody catches |
| `doors` | `asyncio.run` and its like lead to the runner |
"""
