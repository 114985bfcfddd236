"""The first words of AMQP, to whoever listens at a broker's address: is it one?"""

import asyncio
from urllib.parse import urlsplit

from cli.doctor.http import ASIDE_SECONDS
from cli.rabbitmq import METHOD_FRAME, PROTOCOL_HEADER

TLS_ALERT = b"\x15\x03"


async def stranger(url: str) -> str:
    """What is wrong with who listens there, if it speaks no AMQP; empty if it does, or if nobody listens.

    The AMQP client knows only that it got no answer.
    """
    parts = urlsplit(url)
    if parts.scheme != "amqp":
        return ""
    open_ = False
    try:
        async with asyncio.timeout(ASIDE_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 5672)
            open_ = True
            try:
                writer.write(PROTOCOL_HEADER)
                said = await reader.readexactly(len(METHOD_FRAME))
            finally:
                writer.transport.abort()
    except TimeoutError:
        return f"it accepts connections and does not answer within {ASIDE_SECONDS:g} s" if open_ else ""
    except asyncio.IncompleteReadError:
        return "what listens there hangs up"
    except OSError:
        return ""  # the client says it better
    if said[:2] == TLS_ALERT:
        return "what listens there wants TLS: amqps:// in AMQP_URL"
    return "" if said == METHOD_FRAME else "what listens there speaks no AMQP"
