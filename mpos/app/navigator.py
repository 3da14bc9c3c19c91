"""ActivityNavigator: from an intent to its activity on the screen, and back."""

from ..ui import back
from . import activities
from .intent import Intent


class ActivityNavigator:
    """All methods are static."""

    # Set by whoever knows the installed apps: `start(intent, result_callback, caller)` for an intent with an
    # action. It returns False when no activity has that action.
    start_action = None

    @staticmethod
    def startActivity(intent):
        """Start the activity that `intent` names. Raises ValueError for what is no Intent."""
        ActivityNavigator.start(intent)

    @staticmethod
    def startActivityForResult(intent, result_callback):
        """`startActivity` with `result_callback(result)` at its end, as `Activity.startActivityForResult`."""
        ActivityNavigator.start(intent, result_callback, activities.foreground())

    @staticmethod
    def start(intent, result_callback=None, caller=None):
        """Start the activity of `intent` for `caller`. Returns it, or None when it could not be made.

        Raises ValueError for what is no Intent, or one without a class and an action.
        """
        if not isinstance(intent, Intent):
            raise ValueError("an Intent is needed, such as Intent(activity_class=Second): %r" % (intent,))
        if intent.activity_class is None:
            return ActivityNavigator._start_action(intent, result_callback, caller)
        activity = intent.activity_class
        if isinstance(activity, type) or not hasattr(activity, "onCreate"):
            activity = _make(activity)
            if activity is None:
                return None
        activity.intent = intent
        activity.extras = intent.extras
        activity.appFullName = intent.app_fullname
        if intent.flags.get("clear_top"):
            activities.finish_down_to(type(activity))
        activities.start(activity, caller, result_callback, bool(intent.flags.get("no_history")))
        return activity

    @staticmethod
    def _start_action(intent, result_callback, caller):
        if intent.action is None:
            raise ValueError("the Intent names neither an activity_class nor an action")
        start_action = ActivityNavigator.start_action
        if start_action is None or start_action(intent, result_callback, caller) is False:
            print("No activity is installed for the action '%s'" % intent.action)

    @staticmethod
    def back():
        """What the swipe from the left edge and the key ESC do: close the open dialogue, else ask
        `onBackPressed` of the activity in the foreground, else finish it. The last activity stays.

        Returns whether the user went back.
        """
        return back.go_back()

    @staticmethod
    def leave_foreground():
        """`back()` without a look at dialogues."""
        activity = activities.foreground()
        if activity is None:
            return False
        try:
            handled = activity.onBackPressed(activity.screen)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            name = type(activity).__name__
            activities.tell_failure("%s.onBackPressed() failed" % name, error, name)
            handled = False
        if hasattr(handled, "send"):
            activity.create_task(handled, "onBackPressed")
        elif not handled:
            if activities.below(activity) is None:
                return False
            activity.finish()
        return True


def _make(cls):
    name = getattr(cls, "__name__", repr(cls))
    try:
        return cls()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        activities.tell_failure("%s() failed" % name, error, name)


back.add_handler(ActivityNavigator.leave_foreground)
