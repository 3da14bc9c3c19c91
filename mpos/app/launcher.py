"""The launcher: from an installed app's name to its activity on the screen."""

import sys

from . import activities
from .manifest import Manifest, ManifestError

APPS = "/apps"


def launch(package, extras=None):
    """Start the app that is installed as /apps/`package`, in the place of whatever runs.

    `extras`: a dictionary for the activity's attribute of that name.

    Returns True when its activity is on the screen. A missing app, a wrong manifest and an app that raises
    are reported and shown on the screen; the loop lives on.
    """
    activities.finish_all()
    try:
        activity = _activity_of(Manifest.load("%s/%s" % (APPS, package)))
    except Exception as error:
        activities.tell_failure("The app '%s' cannot be started" % package, error, package)
        return False
    if extras:
        activity.extras = extras
    return activities.start(activity)


def _activity_of(manifest):
    # Two apps may have modules of the same name: an app sees its own folder first, and loads afresh.
    sys.path.insert(0, manifest.folder)
    try:
        sys.modules.pop(manifest.module, None)
        module = __import__(manifest.module)
    finally:
        sys.path.remove(manifest.folder)
    if not hasattr(module, manifest.activity):
        raise ManifestError(
            '%s/manifest.json: module "%s" has no class "%s"'
            % (manifest.folder, manifest.module, manifest.activity)
        )
    return getattr(module, manifest.activity)()
