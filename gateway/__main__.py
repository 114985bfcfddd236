"""`python -m gateway`."""

import asyncio
import sys

from broker import InvalidUrl, split_urls
from gateway.errors import GatewayError
from gateway.metrics import GatewayMetrics
from gateway.service import serve
from gateway.settings import GatewaySettings
from runtime.logs import configure_logs
from runtime.settings import USAGE_ERROR, load
from runtime.umask import keep_private


def main() -> int:
    """Run a gateway; the exit status is 0 after a clean stop, 1 if it cannot start now, 2 for wrong settings."""
    settings = load(GatewaySettings, "gateway")
    metrics = GatewayMetrics()
    configure_logs("gateway", settings.log_level, settings.log_format, metrics.service.logged)
    keep_private(settings.data_dir)
    try:
        split_urls(settings.amqp_url)
        asyncio.run(serve(settings, metrics))
    except InvalidUrl as error:
        print(f"gateway: AMQP_URL: {error}", file=sys.stderr)
        return USAGE_ERROR
    except GatewayError as error:
        print(f"gateway: {error}", file=sys.stderr)
        return USAGE_ERROR if error.wrong_setting else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
