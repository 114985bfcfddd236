"""What uploads are called: whatever a browser or a program says, as a path that leads out of no folder. Pure."""

import base64
import binascii
import unicodedata

MAX_PART_BYTES, MAX_PARTS, MAX_BYTES = 200, 16, 1000
UNNAMED = "unnamed"


def metadata(header: str) -> dict[str, str]:
    """The pairs of a header Upload-Metadata (tus 1.0). Raises ValueError with a sentence."""
    pairs: dict[str, str] = {}
    for pair in header.split(","):
        name, _, encoded = pair.strip().partition(" ")
        if not name:
            continue
        try:
            value = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"Upload-Metadata: the value of {name[:40]} is not base64") from None
        pairs[name] = value.decode("utf-8", "replace")
    return pairs


def clean_path(name: str) -> str:
    """The name as a relative path of printable parts: no `.`, `..` or empty ones, and none too long for a disk."""
    parts = [_part(each) for each in name.replace("\\", "/").split("/")]
    kept = [each for each in parts if each][-MAX_PARTS:] or [UNNAMED]
    while len(kept) > 1 and len("/".join(kept).encode()) > MAX_BYTES:
        del kept[0]
    return "/".join(kept)


def numbered(path: str, number: int) -> str:
    """The path for the `number`th file of that name: `a/b (2).jpg`."""
    if number == 1:
        return path
    folder, slash, name = path.rpartition("/")
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    added = f" ({number}){dot}{ending}"
    return f"{folder}{slash}{_cut(stem, MAX_PART_BYTES - len(added.encode()))}{added}"


def _part(text: str) -> str:
    shown = "".join(c if c.isprintable() else "\ufffd" for c in unicodedata.normalize("NFC", text)).strip()
    if shown.strip(". ") == "":
        return ""
    if len(shown.encode("utf-8", "replace")) > MAX_PART_BYTES:
        stem, dot, ending = shown.rpartition(".")
        if not stem or len(ending.encode()) > 20:
            stem, dot, ending = shown, "", ""
        shown = _cut(stem, MAX_PART_BYTES - len((dot + ending).encode())) + dot + ending
    return shown


def _cut(text: str, size: int) -> str:
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
