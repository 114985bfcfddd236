"""`python -m gateway`."""

import asyncio
import sys

from broker import InvalidUrl, split_urls
from gateway.errors import GatewayError
from gateway.service import serve
from gateway.settings import GatewaySettings
from runtime.logs import configure_logs
from runtime.settings import USAGE_ERROR, load


def main() -> int:
    """Serve until told to stop; the process's exit code."""
    settings = load(GatewaySettings, "gateway")
    configure_logs("gateway", settings.log_level, settings.log_format)
    try:
        split_urls(settings.amqp_url)
        asyncio.run(serve(settings))
    except InvalidUrl as error:
        print(f"gateway: AMQP_URL: {error}", file=sys.stderr)
        return USAGE_ERROR
    except GatewayError as error:
        print(f"gateway: {error}", file=sys.stderr)
        return USAGE_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main())
