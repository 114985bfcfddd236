"""Jobs whose inputs are uploads: computed by a process of their own for each, which the gateway starts and
orders about."""
