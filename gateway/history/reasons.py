"""Why PostgreSQL cannot be used, in sentences of ours: the driver's quote the address, and /readyz shows them."""

WORDS = (
    ("starting up", "PostgreSQL is starting"),
    ("shutting down", "PostgreSQL is being stopped"),
    ("password authentication failed", "PostgreSQL refuses the user name or password: check DATABASE_URL"),
    ("no password supplied", "PostgreSQL asks for a password: write it into DATABASE_URL"),
    ("no pg_hba.conf entry", "PostgreSQL lets nobody in from here with this user: see its pg_hba.conf"),
    ("role ", "PostgreSQL does not know the user: check DATABASE_URL"),
    (
        "database ",
        "PostgreSQL has no such database, or does not let this user in: check the end of DATABASE_URL",
    ),
    ("failed to resolve host", "the name of PostgreSQL's host is not known: check DATABASE_URL"),
    ("Connection refused", "PostgreSQL cannot be reached: connection refused"),
    ("timeout", "PostgreSQL has not answered in time"),
    ("too many", "PostgreSQL takes no further connection"),
    ("SSL", "PostgreSQL and this gateway could not agree on TLS: see sslmode in DATABASE_URL"),
    ("certificate", "PostgreSQL's certificate is not trusted"),
)


def unreachable(said: str) -> str:
    """Why there is no connection; `said` is the driver's text."""
    fatal = said.rpartition("FATAL:")[2]
    found = (sentence for words, sentence in WORDS if words in fatal)
    return next(found, "the connection to PostgreSQL was lost, or could not be made: see its log")
