"""The emitted script with other constants in its modules."""

import base64
import re
import zlib


def changed(script, *changes):
    """The script with each (old, new) replaced in its modules. Every old text must occur."""
    modules = re.search(r'^MODULES = "([^"]*)"', script, re.M).group(1)
    text = zlib.decompress(base64.b64decode(modules)).decode()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return script.replace(modules, base64.b64encode(zlib.compress(text.encode())).decode())
