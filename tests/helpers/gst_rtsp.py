"""A real RTSP server, GStreamer's, for H.264 files: `/usr/bin/python3 gst_rtsp.py USER:PASSWORD|- NAME=FILE...`

Runs under Debian's own Python, which has GStreamer's bindings. Prints its port once it listens; each file is at
`/NAME`, from its beginning for each client, in its own time. Ends with its standard input.
"""

import sys
import threading
from typing import Any

ROLE = "viewer"


def main() -> int:
    import gi  # type: ignore[import-not-found,unused-ignore]

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer  # type: ignore[import-not-found,unused-ignore]

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    user = sys.argv[1]
    if user != "-":
        server.set_auth(_auth(GstRtspServer, *user.split(":")))
    for pair in sys.argv[2:]:
        name, _, file = pair.partition("=")
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f'( filesrc location="{file}" ! qtdemux ! rtph264pay name=pay0 pt=96 )')
        if user != "-":
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role(ROLE, "media.factory.access", True)
            permissions.add_permission_for_role(ROLE, "media.factory.construct", True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(f"/{name}", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    loop = GLib.MainLoop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    loop.run()
    return 0


def _auth(library: Any, user: str, password: str) -> Any:
    auth = library.RTSPAuth()
    token = library.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth.add_basic(library.RTSPAuth.make_basic(user, password), token)
    return auth


if __name__ == "__main__":
    sys.exit(main())
