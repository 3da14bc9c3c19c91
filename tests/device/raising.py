"""For device tests: that a call raises, and what."""


def raises(kind, function, *arguments):
    """Call `function(*arguments)`, which must raise `kind`; returns the exception's text."""
    try:
        function(*arguments)
    except kind as error:
        return str(error)
    raise AssertionError("no %s" % kind.__name__)
