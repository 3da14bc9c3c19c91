"""Intent: which activity is to be started, and what it gets."""


class Intent:
    """`activity_class` names the activity; without it `action` and `data` choose one (AppManager).

    `extras`: names and values for it. `app_fullname`: of the app that it belongs to.
    """

    def __init__(self, activity_class=None, action=None, data=None, extras=None, app_fullname=None):
        self.activity_class = activity_class
        self.action = action
        self.data = data
        self.extras = {} if extras is None else extras
        self.flags = {}
        self.app_fullname = app_fullname

    def addFlag(self, flag, value=True):
        """Set a flag; returns the intent.

        "clear_top": an activity of the class on the stack and all above it finish first. "no_history": the
        activity finishes when another is started above it. "no_animation": there is none.
        """
        self.flags[flag] = value
        return self

    def putExtra(self, key, value):
        """Give the activity a value; returns the intent."""
        self.extras[key] = value
        return self
