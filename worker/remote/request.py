"""Writes a chat completion with pictures, in the dialect that the endpoint turns out to speak. Pure."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

PROMPT = (
    "Find every human face in each picture, however small. Describe each picture in one plain sentence. "
    "Say nothing of who a person may be."
)
FORM = (
    'Answer with JSON alone: {"pictures": [{"description": "...", "objects": [{"label": "face", "confidence": 0.9, '
    '"box": [left, top, right, bottom]}]}]}, one entry for each picture, in their order. A box has whole numbers from '
    "0 to 1000: thousandths of the picture's width and height, from its top left corner."
)
FORMATS = ("json_schema", "json_object", "text")
FORMAT_WORDS = (
    "response_format",
    "json_schema",
    "json schema",
    "json_object",
    "grammar",
    "guided",
    "structured",
)
"""In what a server says that does not write answers of a given form: llama.cpp and vLLM make a grammar of it."""
PICTURE_TOKENS = 85
TILE_TOKENS = 170
TILE_SIDE = 512
WORD_BYTES = 3
"""Of a prompt, in a token: fewer than there are, so that an estimate is rather too high."""

_OBJECT = {
    "type": "object",
    "properties": {
        "label": {"type": "string"},
        "confidence": {"type": "number"},
        "box": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["label", "confidence", "box"],
    "additionalProperties": False,
}
_PICTURE = {
    "type": "object",
    "properties": {"description": {"type": "string"}, "objects": {"type": "array", "items": _OBJECT}},
    "required": ["description", "objects"],
    "additionalProperties": False,
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"pictures": {"type": "array", "items": _PICTURE}},
    "required": ["pictures"],
    "additionalProperties": False,
}


@dataclass
class Dialect:
    """What the endpoint understands of the protocol; learnt from its refusals, once for all calls."""

    format: str = FORMATS[0]
    tokens_field: str = "max_tokens"
    left_out: set[str] = field(default_factory=set)

    def learn(self, refusal: str) -> bool:
        """Take what a 400 says of a field into account; whether another request would now be different."""
        said = refusal.lower()
        if "max_completion_tokens" in said and "too large" not in said and self.tokens_field == "max_tokens":
            self.tokens_field = "max_completion_tokens"  # newer models of OpenAI's
            return True
        if "temperature" in said and "temperature" not in self.left_out:
            self.left_out.add("temperature")
            return True
        told = any(word in said for word in FORMAT_WORDS)
        if told and self.format != FORMATS[-1]:
            self.format = FORMATS[FORMATS.index(self.format) + 1]
            return True
        return False


def chat_body(model: str, prompt: str, jpegs: Sequence[bytes], dialect: Dialect, max_tokens: int) -> bytes:
    """The body of a request for all the pictures; `max_tokens` is for each."""
    content: list[dict[str, Any]] = [{"type": "text", "text": f"{prompt or PROMPT}\n{FORM}"}]
    for jpeg in jpegs:
        url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
        content.append({"type": "image_url", "image_url": {"url": url}})
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        dialect.tokens_field: max_tokens * len(jpegs),
    }
    if "temperature" not in dialect.left_out:
        body["temperature"] = 0
    if dialect.format == "json_schema":
        schema = {"name": "pictures", "strict": True, "schema": SCHEMA}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif dialect.format == "json_object":
        body["response_format"] = {"type": "json_object"}
    return msgspec.json.encode(body)


def estimated_tokens(prompt: str, sizes: Sequence[tuple[int, int]]) -> int:
    """Tokens that a request with pictures of these sizes takes in, after OpenAI's tiles: rather too many."""
    words = len(f"{prompt or PROMPT}\n{FORM}".encode()) // WORD_BYTES + 20
    tiles = sum(-(-width // TILE_SIDE) * -(-height // TILE_SIDE) for width, height in sizes)
    return words + PICTURE_TOKENS * len(sizes) + TILE_TOKENS * tiles
