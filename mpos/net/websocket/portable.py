"""What `native.py` does, for targets and files without machine code. Whole pieces at once where C does it."""


def mask(buffer, start, count, key):
    """XOR `count` bytes of `buffer` from `start` on with the 4 bytes of `key`, in place."""
    whole = count & ~3
    if whole:
        view = memoryview(buffer)[start : start + whole]
        number = int.from_bytes(view, "little") ^ int.from_bytes(bytes(key) * (whole >> 2), "little")
        buffer[start : start + whole] = number.to_bytes(whole, "little")
    for at in range(start + whole, start + count):
        buffer[at] ^= key[at & 3]


def utf8(buffer, start, end, state):
    """Check that buffer[start:end] goes on with UTF-8 after `state`: the next state, or -1."""
    if not state:
        try:
            if len(str(memoryview(buffer)[start:end], "utf-8")) == end - start:
                return 0  # ASCII
        except UnicodeError:
            pass  # maybe only cut inside of a character
    missing = state & 3
    low = state >> 8 & 255
    high = state >> 16 & 255
    for at in range(start, end):
        octet = buffer[at]
        if missing:
            if octet < low or octet > high:
                return -1
            missing -= 1
            low = 0x80
            high = 0xBF
        elif octet >= 0x80:
            if octet < 0xC2 or octet > 0xF4:
                return -1
            missing = 1 if octet < 0xE0 else 2 if octet < 0xF0 else 3
            low = 0xA0 if octet == 0xE0 else 0x90 if octet == 0xF0 else 0x80
            high = 0x9F if octet == 0xED else 0x8F if octet == 0xF4 else 0xBF
    return missing | low << 8 | high << 16 if missing else 0
