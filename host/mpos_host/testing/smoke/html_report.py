"""The report of a run as one HTML page that needs nothing else: pictures and styles are in it."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from mpos_host.testing.smoke.pictures import CheckedPicture

if TYPE_CHECKING:
    from mpos_host.testing.smoke.recorder import RunRecord, TestRecord

_STYLE = Path(__file__).with_name("report.css")


def page(run: RunRecord) -> str:
    """The whole page."""
    style = _STYLE.read_text(encoding="utf-8")
    title = f"Smoke tests: {run.facts.get('board', 'no board answered')}"
    when = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(run.began))
    head = (
        f"<h1>{escape(title)}</h1>"
        f'<p class="quiet">{when}, {run.seconds:.0f} s: {escape(run.count())}'
        f"<br><code>{escape(run.command)}</code></p>"
    )
    bar = "".join(f'<span class="{_class(test)}" style="flex:1"></span>' for test in run.tests)
    facts = _table(run.facts.items())
    tests = "".join(map(_test, run.tests)) or "<p>No test was found.</p>"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head>\n"
        f'<body>{head}<div class="bar">{bar}</div>\n<h2>The board</h2>{facts}\n<h2>The tests</h2>\n{tests}'
        "</body></html>\n"
    )


def _test(test: TestRecord) -> str:
    parts = [
        f'<article class="{_class(test)}"><h3><span class="outcome">{test.outcome}</span>'
        f"<span>{escape(test.name.removeprefix('test_').replace('_', ' '))}</span>"
        f'<span class="quiet">{escape(test.file.rpartition("/")[2])}, {test.seconds:.1f} s</span></h3>'
    ]
    if test.reason:
        parts.append(f'<p class="reason">{escape(test.reason)}</p>')
    if test.figures:
        parts.append(_table((figure.name, str(figure)) for figure in test.figures))
    parts += [_picture(picture) for picture in test.pictures]
    parts.append(_folded("the failure in full", test.details))
    parts.append(_folded("what it printed", test.output))
    return "".join([*parts, "</article>\n"])


def _picture(picture: CheckedPicture) -> str:
    shown = _figure(picture.taken, f"{picture.name}: {picture.verdict}")
    if picture.stored is not None:
        shown += _figure(picture.stored, "the stored one")
    if picture.difference is not None:
        shown += _figure(picture.difference, "what differs, in red")
    return f'<div class="pictures">{shown}</div>'


def _figure(png: bytes, caption: str) -> str:
    data = base64.b64encode(png).decode()
    text = escape(caption)
    image = f'<img alt="{text}" src="data:image/png;base64,{data}">'
    return f"<figure>{image}<figcaption>{text}</figcaption></figure>"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary><pre>{escape(text)}</pre></details>" if text.strip() else ""


def _class(test: TestRecord) -> str:
    return test.outcome.replace(" ", "-")
