"""Print results as they come, over WebSocket, and connect again when the connection is lost.

pip install websockets
TOKEN=… python examples/python/watch.py [ws://127.0.0.1:8080/ws/results?cameras=gate-3&detections=1]
"""

import json
import os
import sys
import time

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

address = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8080/ws/results"
headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
wait = 1.0
while True:
    try:
        # Nothing is compressed by the gateway; the first message is each camera's latest result.
        with connect(address, additional_headers=headers, compression=None) as results:
            wait = 1.0
            for message in results:
                result = json.loads(message)
                age = result["timestamp"] - result["original_timestamp"]
                print(result["camera_id"], len(result["detections"]), f"{age:.3f} s", flush=True)
    except InvalidStatus as refused:  # 401: the token; 400: a parameter; the body says which
        sys.exit(f"{refused.response.status_code}: {(refused.response.body or b'').decode()}")
    except ConnectionClosed as closed:  # 1013: too slow; 4401: the token was revoked
        print(closed, file=sys.stderr)
    except OSError as error:
        print(error, file=sys.stderr)
    time.sleep(wait)
    wait = min(wait * 2, 30)
