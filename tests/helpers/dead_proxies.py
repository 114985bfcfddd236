"""The proxies of an environment in which whoever asks one gets no answer."""

NAMES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
DEAD_PROXIES = dict.fromkeys(NAMES, "http://127.0.0.1:9")  # discard: nobody listens
