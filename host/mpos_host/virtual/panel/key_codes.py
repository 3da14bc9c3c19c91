"""LVGL's key codes (lv_key_t of lv_group.h), and characters as its text area takes them."""

from __future__ import annotations

NAMES = {
    "UP": 17,
    "DOWN": 18,
    "RIGHT": 19,
    "LEFT": 20,
    "ESC": 27,
    "DEL": 127,
    "BACKSPACE": 8,
    "ENTER": 10,
    "NEXT": 9,
    "PREV": 11,
    "HOME": 2,
    "END": 3,
}


def key_code(name: str) -> int:
    """The code of a key by LVGL's name for it, or of a character. Raises ValueError for what is neither."""
    code = NAMES.get(name.upper())
    if code is not None:
        return code
    if len(name) != 1 or not name.isprintable():
        raise ValueError(f"{name!r} is no key: say a character, or one of {', '.join(NAMES)}")
    return int.from_bytes(name.encode(), "little")  # UTF-8, as lv_textarea_add_char() reads it


def key_codes(text: str) -> list[int]:
    """The keys that write `text`; a newline is Enter."""
    return [NAMES["ENTER"] if one == "\n" else key_code(one) for one in text]
