"""Names of the cookie that holds a browser's session."""

COOKIE = "framefleet_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""Over HTTPS: no other host of the domain, and nobody on plain HTTP, can set a cookie of this name."""
SECURE_COOKIE_BELOW = f"__Secure-{COOKIE}"
"""`__Host-` is for cookies of a whole host. Below a path another Framefleet may live beside us."""
