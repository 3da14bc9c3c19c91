"""The names apps import. Each is loaded when it is first asked for, so that an app pays for what it uses."""

_HOMES = {
    "TaskManager": "task_manager",
    "LvglLoop": "lvgl_loop",
    "UiBridge": "ui_bridge",
    "Activity": "app.activity",
    "DownloadManager": "net.download_manager",
}


def __getattr__(name):
    if name in ("TimeoutError", "CancelledError"):
        from asyncio import core

        return getattr(core, name)
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError("mpos has no '%s'" % name)
    module = __import__("mpos." + home, None, None, (name,))
    value = globals()[name] = getattr(module, name)
    return value
