"""What apps import from mpos, and what they get for a name that is not there."""

import asyncio


def test_a_name_that_is_not_there_is_an_import_error_that_names_it():
    for line in ("from mpos import TaskManger", "from mpos import nothing_of_the_kind"):
        try:
            exec(line, {})
            raise AssertionError("imported")
        except ImportError as error:
            assert line.split()[-1] in str(error), error


def test_a_module_of_the_package_can_be_imported_by_its_name():
    from mpos import loop
    from mpos.loop import errors

    assert loop.errors is errors


def test_everything_is_imported_by_a_star():
    names = {}
    exec("from mpos import *", names)
    import mpos

    for name in mpos.__all__:
        assert names[name] is getattr(mpos, name), name
    assert "TaskManager" in names and "Activity" in names


def test_the_errors_are_those_of_asyncio():
    from mpos import CancelledError, TimeoutError

    assert CancelledError is asyncio.CancelledError and TimeoutError is asyncio.TimeoutError
