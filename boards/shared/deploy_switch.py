"""The step from one deployed version to the next, on the board.

The host (mpos_host.board.deploy) writes the files that changed into /deploy, reads them back, and then
renames /deploy/plan.new to /deploy/plan. That rename is the switch: without a plan, the files outside of
/deploy are the old version, whole; with one, everything of the new version is on the board and `finish()`
moves it in place. Each step of `finish()` can be done again, so it may be cut short anywhere and run at the
next boot.

The host also sends this file to boards that do not have it yet.
"""

import json
import os

_FOLDER = "/deploy"


def finish():
    """Put the new version in place if the switch was made. Returns True if there was something to do.

    Raises OSError if the file system fails; the plan then stays, for the next boot.
    """
    _complete_rename()
    try:
        with open(_FOLDER + "/plan") as file:
            plan = json.load(file)
    except OSError:
        return False
    for staged, target in plan["put"]:
        staged = _FOLDER + "/" + staged
        if _exists(staged):  # else it is in place already
            make_folders(target)
            os.rename(staged, target)
    for path in plan["remove"]:
        if _exists(path):
            os.remove(path)
            _remove_empty(path)
    os.remove(_FOLDER + "/plan")
    try:
        os.rmdir(_FOLDER)
    except OSError:
        pass  # leftovers: the next deployment uses or removes them
    return True


def _complete_rename():
    # After a power failure in a rename from one folder to another, LittleFS (2.11) does not find the entry
    # behind the moved one in /deploy, until it is about to write: then it completes the rename first. To
    # remove what does not exist is such an occasion, and writes nothing where all is well.
    try:
        os.remove(_FOLDER + "/none")
    except OSError:
        pass


def make_folders(path):
    """Create the folders above the file `path`."""
    end = path.find("/", 1)
    while end > 0:
        if not _exists(path[:end]):
            os.mkdir(path[:end])
        end = path.find("/", end + 1)


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def _remove_empty(path):
    try:
        os.rmdir(path[: path.rfind("/")])
    except OSError:
        pass  # not empty
