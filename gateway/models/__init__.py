"""Which models operators desire: kept, announced to workers and other gateways, compared with what nodes report."""
