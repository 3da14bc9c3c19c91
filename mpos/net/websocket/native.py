"""The two loops over each byte of a payload, as machine code; `portable.py` has them for other targets."""

import micropython


@micropython.viper
def mask(buffer, start: int, count: int, key):
    """XOR `count` bytes of `buffer` from `start` on with the 4 bytes of `key`, in place (RFC 6455, section
    5.3). `start` is a multiple of 4."""
    octets = ptr8(buffer)  # noqa: F821
    words = ptr32(buffer)  # noqa: F821
    keys = ptr8(key)  # noqa: F821
    word = int(keys[0]) | int(keys[1]) << 8 | int(keys[2]) << 16 | int(keys[3]) << 24
    index = start >> 2
    last = (start + count) >> 2
    while index < last:
        words[index] = words[index] ^ word
        index += 1
    at = last << 2
    while at < start + count:
        octets[at] = octets[at] ^ keys[at & 3]
        at += 1


@micropython.viper
def utf8(buffer, start: int, end: int, state: int) -> int:
    """Check that buffer[start:end] goes on with UTF-8 (RFC 3629) after `state`, which is 0 at first. Returns
    the state for what follows: 0 between two characters, -1 when it is no UTF-8."""
    octets = ptr8(buffer)  # noqa: F821
    missing = state & 3  # bytes of the character
    low = state >> 8 & 255  # which values the next of them may have
    high = state >> 16 & 255
    while start < end:
        octet = int(octets[start])
        start += 1
        if missing:
            if octet < low or octet > high:
                return -1
            missing -= 1
            low = 0x80
            high = 0xBF
        elif octet >= 0x80:
            if octet < 0xC2 or octet > 0xF4:
                return -1
            low = 0x80
            high = 0xBF
            if octet < 0xE0:
                missing = 1
            elif octet < 0xF0:
                missing = 2
                if octet == 0xE0:
                    low = 0xA0
                elif octet == 0xED:
                    high = 0x9F
            else:
                missing = 3
                if octet == 0xF0:
                    low = 0x90
                elif octet == 0xF4:
                    high = 0x8F
    if missing:
        return missing | low << 8 | high << 16
    return 0
