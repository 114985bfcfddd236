"""How llama.cpp's server, vLLM and Ollama answer, as their own issues and sources have it: what each does otherwise.

Each is a function of a request's body to a status and the answer's JSON; `text` is what a model would say of the form.
"""

from collections.abc import Callable
from typing import Any

Answers = Callable[[dict[str, Any], str], tuple[int, dict[str, Any]]]


def said(
    content: str | None, *, usage: Any = (), ended: str = "stop", **message: Any
) -> tuple[int, dict[str, Any]]:
    """A chat completion; without `usage` where that is None."""
    answer: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "finish_reason": ended,
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
    }
    if usage is not None:
        answer["usage"] = usage or {"prompt_tokens": 300, "completion_tokens": 40, "total_tokens": 340}
    return 200, answer


def refused(status: int, message: str, kind: str, **more: Any) -> Answers:
    """OpenAI's object, which all three write today."""
    error = {"code": status, "message": message, "type": kind, **more}
    return lambda _body, _text: (status, {"error": error})


def pictures(body: dict[str, Any]) -> int:
    """How many are in the request."""
    return sum(part["type"] == "image_url" for part in body["messages"][0]["content"])


# --- llama.cpp -----------------------------------------------------------------------------------------------


def llamacpp_without_grammar(body: dict[str, Any], text: str) -> tuple[int, dict[str, Any]]:
    """Its grammars are made of schemas, and not of all."""
    if body.get("response_format", {}).get("type") == "json_schema":
        message = "Failed to initialize samplers: failed to parse grammar"
        return 400, {"error": {"code": 400, "message": message, "type": "invalid_request_error"}}
    return said(text)


def llamacpp_thinks_aloud(_body: dict[str, Any], text: str) -> tuple[int, dict[str, Any]]:
    """With `--reasoning-format none` thoughts stand before the answer, in a small model's fence."""
    return said(f'<think>A form like {{"pictures": []}} is wanted.</think>\n```json\n{text}\n``` {{done}}')


def llamacpp_only_thinks(_body: dict[str, Any], _text: str) -> tuple[int, dict[str, Any]]:
    return said("", ended="length", reasoning_content="The picture shows {…} and then")


# --- vLLM ----------------------------------------------------------------------------------------------------


def vllm_flat(status: int, message: str, kind: str) -> Answers:
    """As versions before 0.10 wrote errors."""
    error = {"object": "error", "message": message, "type": kind, "param": None, "code": status}
    return lambda _body, _text: (status, error)


def vllm_one_picture(body: dict[str, Any], text: str) -> tuple[int, dict[str, Any]]:
    if pictures(body) > 1:
        message = "At most 1 image(s) may be provided in one prompt."
        return 400, {"error": {"message": message, "type": "BadRequestError", "param": None, "code": 400}}
    return said(text)


def vllm_takes_it_for_thoughts(_body: dict[str, Any], text: str) -> tuple[int, dict[str, Any]]:
    """With a reasoning parser and a schema the answer may come as thoughts."""
    return said(None, reasoning_content=text)


def vllm_without_schema(body: dict[str, Any], text: str) -> tuple[int, dict[str, Any]]:
    if body.get("response_format", {}).get("type") == "json_schema":
        message = "The provided JSON schema contains features not supported by xgrammar."
        return 400, {"error": {"message": message, "type": "BadRequestError", "param": None, "code": 400}}
    return said(text, usage={"prompt_tokens": 300, "completion_tokens": 40, "prompt_tokens_details": None})


# --- Ollama --------------------------------------------------------------------------------------------------


def ollama_in_a_fence(_body: dict[str, Any], text: str) -> tuple[int, dict[str, Any]]:
    return said(f"Here is the JSON:\n```json\n{text}\n```\nLet me know!", usage=None)


SEES: dict[str, Answers] = {
    "llama.cpp, a schema that it makes no grammar of": llamacpp_without_grammar,
    "llama.cpp, thoughts and a fence around the answer": llamacpp_thinks_aloud,
    "vLLM, an answer taken for thoughts": vllm_takes_it_for_thoughts,
    "vLLM, a schema that it does not know": vllm_without_schema,
    "Ollama, a fence and no usage": ollama_in_a_fence,
}
"""What ends in detections all the same."""

HOLDS: dict[str, tuple[Answers, str]] = {
    "llama.cpp without --mmproj": (
        refused(
            500,
            "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
            "server_error",
        ),
        "--mmproj",
    ),
    "llama.cpp, loading": (refused(503, "Loading model", "unavailable_error"), "still loads its model"),
    "llama.cpp, another key": (
        refused(401, "Invalid API Key", "authentication_error"),
        "WORKER_REMOTE_KEY_FILE",
    ),
    "vLLM, a model of words": (
        vllm_flat(400, "Qwen/Qwen3-8B is not a multimodal model", "BadRequestError"),
        "WORKER_REMOTE_MODEL",
    ),
    "vLLM, with --language-model-only": (
        refused(400, "At most 0 image(s) may be provided in one prompt.", "BadRequestError"),
        "takes no pictures",
    ),
    "vLLM, another model": (
        vllm_flat(404, "The model `seer` does not exist.", "NotFoundError"),
        "(The model `seer` does not exist.)",
    ),
    "Ollama, a model that was not pulled": (
        refused(404, 'model "seer" not found, try pulling it first', "api_error", param=None, code=None),
        "try pulling it first",
    ),
    "Ollama, a model of words": (
        refused(500, "this model is missing data required for image input", "api_error"),
        "takes no pictures",
    ),
}
"""What holds the lane, as it is wrong with every picture, and words of the reason."""

FAILS: dict[str, tuple[Answers, str]] = {
    "llama.cpp, a context that is too short": (
        refused(
            400,
            "request (2600 tokens) exceeds the available context size (2048 tokens), try increasing it",
            "exceed_context_size_error",
        ),
        "WORKER_REMOTE_MAX_SIDE",
    ),
    "llama.cpp, only thoughts": (llamacpp_only_thinks, "switch its thinking off"),
    "vLLM, a context that is too short": (
        refused(
            400,
            "'max_tokens' or 'max_completion_tokens' is too large: 800. This model's maximum context length is 1024 "
            "tokens and your request has 900 input tokens",
            "BadRequestError",
        ),
        "WORKER_REMOTE_MAX_TOKENS",
    ),
    "Ollama, a picture that it cannot read": (
        refused(400, "invalid image input", "invalid_request_error"),
        "invalid image input",
    ),
}
"""What is a picture's, and words of the reason in its dead letter."""

WAITS: dict[str, Answers] = {
    "Ollama, a queue that is full": refused(
        503, "server busy, please try again.  maximum pending requests exceeded", "api_error"
    ),
}
"""What is no attempt."""
