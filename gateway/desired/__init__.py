"""What operators desire of the workers: kept, announced on `control`, agreed upon with other gateways (ADR 0009)."""
