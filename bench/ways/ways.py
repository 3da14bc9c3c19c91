"""The ways of driving LVGL that are compared, by name."""


def new_way(name, hardware):
    """Start driving LVGL on the board's display in the way `name`. One way a boot."""
    if name == "mpos":
        from mpos_way import MposWay

        return MposWay(hardware)
    if name == "coroutine_33":
        from coroutine_way import CoroutineWay

        return CoroutineWay(hardware)
    from task_handler_way import FastTaskHandlerWay, TaskHandlerWay

    return {"task_handler_33": TaskHandlerWay, "task_handler_2": FastTaskHandlerWay}[name](hardware)
