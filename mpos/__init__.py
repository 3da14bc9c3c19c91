"""The names apps import. Each is loaded when it is first asked for, so that an app pays for what it uses."""

import sys

_HOMES = {
    "TaskManager": "mpos.task_manager",
    "dialog": "mpos.ui.dialog",
    "TaskScope": "mpos.task_scope",
    "LvglLoop": "mpos.lvgl_loop",
    "UiBridge": "mpos.ui_bridge",
    "Activity": "mpos.app.activity",
    "Intent": "mpos.app.intent",
    "ActivityNavigator": "mpos.app.navigator",
    "DownloadManager": "mpos.net.download_manager",
    "SensorManager": "mpos.sensors.manager",
    "TimeoutError": "asyncio.core",
    "CancelledError": "asyncio.core",
}

# `from mpos import *` loads them all.
__all__ = tuple(_HOMES)


def __getattr__(name):
    if name[0] == "_":
        raise AttributeError("mpos has no '%s'" % name)
    home = _HOMES.get(name)
    if home is None:
        # A module of the package, or an ImportError: MicroPython asks here for `from mpos import NAME` too,
        # and cannot tell that from `mpos.NAME`.
        return __import__("mpos." + name, None, None, (name,))
    module = __import__(home, None, None, (name,))
    value = globals()[name] = getattr(module, name, module)  # A home without the name is what is meant.
    return value


# `import websocket` means ours. On many ports a built-in module has the name, which comes before any file:
# only this entry can change that. The module has but names; what they stand for is loaded on first use.
try:
    from .net import websocket as _websocket

    sys.modules["websocket"] = _websocket
except ImportError:
    pass  # mpos without its network code
