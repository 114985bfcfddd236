"""Paths that anybody may ask for, without a token or a session."""

import re

OPEN_PATHS = frozenset({"/livez", "/readyz", "/login", "/api/login"})
# The dashboard's own code and icons hold no data, and the login page needs them.
OPEN_FILES = re.compile(r"/assets/.*|/[\w-]+\.(js|css|svg|ico|png|webmanifest)")
