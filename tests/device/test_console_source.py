"""What the console makes of source: where a statement ends, and code that awaits."""

from mpos import TaskManager
from mpos.console.awaiting import Awaiting
from mpos.console.errors import describe
from mpos.console.source import Scan, is_incomplete

# Each leaves names behind. In a function that declares them global it must leave the same.
SNIPPETS = (
    "a = 1; b = a + 1\nc, *d = 1, 2, 3\n(e, f), g = (1, 2), 3\na += 5",
    "for i in range(3):\n\tlast = i\nelse:\n\tdone = True",
    "while True:\n    x = 1\n    break",
    "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    text = str(error)\nfinally:\n    end = 1",
    "import io as stream, sys\nfrom io import StringIO as S",
    "def f(a, b=2, *c, **d):\n    local = a + b\n    return local\nresult = f(1) + f(a=1, b=3)",
    "def outer():\n    n = 0\n    def inner():\n        nonlocal n\n        n += 1\n        return n\n"
    "    return inner\ncount = outer()\nvalues = [count(), count()]",
    "def set_it():\n    global it\n    it = 7\nset_it()",
    "class Thing:\n    kind = 'thing'\n    def get(self):\n        return self.kind\nkind = Thing().get()",
    "n = 5\nsquares = [n * n for n in range(4)]\npairs = {k: v for k, v in zip('ab', squares)}",
    "pick = lambda x, y=3: x * y\nproduct = pick(2)",
    "if (size := len('abc')) > 2:\n    big = size",
    "gone = 1\nkept = 2\ndel gone",
    "with io.StringIO() as file:\n    file.write('x')\n    got = file.getvalue()",
    'text = """one\n  two\n\tthree"""\nother = \'\'\'a "quoted"\n# no comment\'\'\'',
    "raw = r'\\\\'\nescaped = 'it\\'s # no comment'\nbinary = b'(\\x00['  # a ( comment",
    "total = (1 +\n2\n  + 3)\nsame = 1 + \\\n2",
    "# comment\n\n   \nx = {\n'a': [1,\n2],\n}\r\ny = 2\r\nif y:\r\n  z = 3\r\n",
    "name = 'world'\nhello = f'hello {name!r} {len(name):03d}'",
    "\u00e4\u00f6 = 1\nr\u00e9sum\u00e9 = '\u20ac'",
    "x = 1.5e3 + 0x1F + 1_000\nlist.append if 0 else 0",
    "assert 1\nresult = not None and True or False",
    "def deco(f):\n    return 7\n@deco\ndef decorated():\n    pass",
)

INCOMPLETE = (
    "if x:",
    "for i in y:\n    pass",
    "@deco",
    "async def f():",
    "class A:",
    "x = (1,",
    "x = [",
    "{",
    "x = '''",
    'x = """a\n"b"',
    "x = 1 + \\",
    "f(a,\n  b",
)

COMPLETE = (
    "x",
    "if x: pass\n",
    "def f():\n    return 1\n",
    "iffy",
    "format",
    "x = (1, [2], {3})",
    "x = '('",
    "x = '''(\n'''",
    "x = 1 # (",
    "x = 'not closed",
    "x)",
    "asynchronous = 1",
)


def wrapped(source, namespace=None, kind="exec"):
    namespace = {} if namespace is None else namespace
    return Awaiting(source.encode(), kind, namespace)._function(), namespace


async def test_code_leaves_the_same_names_as_without_a_function():
    for source in SNIPPETS:
        plain = {"io": __import__("io")}
        mine = plain.copy()
        exec(source, plain)
        coroutine, _ = wrapped(source + "\nasync def _(): pass\nawait _()\ndel _", mine)
        await coroutine
        assert sorted(plain) == sorted(mine), (source, sorted(plain), sorted(mine))
        for name, value in plain.items():
            if isinstance(value, (int, str, bytes, list, dict, tuple)):
                assert mine[name] == value, (source, name, mine[name])


async def test_functions_of_the_code_see_the_namespace_later():
    namespace = {}
    coroutine, _ = wrapped(
        "n = 1\ndef get():\n  return n\nasync def nothing(): pass\nawait nothing()", namespace
    )
    await coroutine
    namespace["n"] = 2
    assert namespace["get"]() == 2


def test_a_line_is_asked_for_while_something_is_open():
    for source in INCOMPLETE:
        assert is_incomplete(source.encode()), source


def test_a_line_that_is_complete_is_not_continued():
    for source in COMPLETE:
        assert not is_incomplete(source.encode()), source


def test_names_are_those_that_could_be_variables():
    scan = Scan(b"a.b = c(d=1, e='f') # g\nfor h in b'i', 0xab, 1e5: pass\nimport j.k")
    assert sorted(scan.names) == [b"a", b"c", b"d", b"e", b"h", b"j"]


def test_errors_are_shown_with_the_lines_of_the_command():
    source = "x = 1\n\nawait (1 / 0)"
    coroutine, _ = wrapped(source)
    try:
        coroutine.send(None)
    except ZeroDivisionError as error:
        text = describe(error)
    assert text == (
        'Traceback (most recent call last):\n  File "<stdin>", line 3, in <module>\n'
        "ZeroDivisionError: divide by zero\n"
    ), text
    try:
        wrapped("x = 1\nawait = 2")
    except SyntaxError as error:
        text = describe(error)
    assert text.startswith('Traceback (most recent call last):\n  File "<stdin>", line 2\nSyntaxError'), text


def test_what_has_no_traceback_is_shown_without_one():
    assert describe(KeyboardInterrupt()) == "KeyboardInterrupt: \n"
    assert describe(ValueError("why")) == "ValueError: why\n"


def test_a_command_that_does_not_await_can_run_while_the_loop_does_not():
    coroutine, namespace = wrapped("x = 1")
    TaskManager.run_until_complete(coroutine)
    assert namespace["x"] == 1
