"""The launcher: from an installed app's name to its activity on the screen."""

import sys

from . import activities
from .activity import Activity
from .manifest import Manifest, ManifestError

APPS = "/apps"

_folder = None  # Of the app that runs: in `sys.path`, as an app may import a module when it first needs it.


def launch(package, extras=None):
    """Start the app that is installed as /apps/`package`, in the place of whatever runs.

    `extras`: a dictionary for the activity's attribute of that name.

    Returns True when its activity is on the screen. A missing app, a wrong manifest and an app that raises
    are reported and shown on the screen; the loop lives on.
    """
    activities.finish_all()
    try:
        activity = _activity_of(Manifest.load("%s/%s" % (APPS, package)))
    except (Exception, KeyboardInterrupt) as error:
        activities.tell_failure("The app '%s' cannot be started" % package, error, package)
        return False
    if extras:
        activity.extras = extras
    return activities.start(activity)


def _activity_of(manifest):
    _enter(manifest.folder)
    sys.modules.pop(manifest.module, None)
    module = __import__(manifest.module)
    if not hasattr(module, manifest.activity):
        raise ManifestError(
            '%s/manifest.json: module "%s" has no class "%s"'
            % (manifest.folder, manifest.module, manifest.activity)
        )
    activity = getattr(module, manifest.activity)
    if not (isinstance(activity, type) and issubclass(activity, Activity)):
        raise ManifestError(
            '"%s" of module "%s" is no Activity: class %s(Activity)'
            % (manifest.activity, manifest.module, manifest.activity)
        )
    return activity()


def _enter(folder):
    """Have modules be looked for in `folder` first, and no longer in that of the app before.

    Two apps may have modules of the same name: each loads its own, afresh.
    """
    global _folder
    if _folder in sys.path:
        sys.path.remove(_folder)
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", "").startswith(APPS + "/"):
            del sys.modules[name]
    _folder = folder
    sys.path.insert(0, folder)
