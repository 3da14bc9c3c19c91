"""The engine: asyncio's queue and tasks, driven by one runner; knows nothing of LVGL."""
