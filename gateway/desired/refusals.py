"""Why a wish was not taken, as an answer."""

from starlette.responses import Response

from gateway.errors import CannotKeep, NotHeardYet
from gateway.http.problems import problem


def refusal(error: CannotKeep | NotHeardYet) -> Response:
    """Answer whoever asked for the change; nothing was changed."""
    if isinstance(error, CannotKeep):
        words = (
            f"nothing was changed, because it cannot be kept in GATEWAY_DATA_DIR ({error}): make room there"
        )
        return problem(503, "unavailable", words)
    return problem(503, "unavailable", str(error))
