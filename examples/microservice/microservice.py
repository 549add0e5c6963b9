"""Speak a text through Mouthpiece's sender and hear of it by webhook, with the standard library: HTTP and JSON do."""

import json
import os
import queue
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer

URL, KEY, ROOM = os.environ["MOUTHPIECE_URL"], os.environ["MOUTHPIECE_KEY"], os.environ["ROOM"]
CALLBACK = "http://microservice:8000/hook"  # this container; its name is in the sender's MOUTHPIECE_ALLOWED_HOSTS
TEXT = "Good morning. I am another service, and this is my voice."
events = queue.Queue()


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):  # with MOUTHPIECE_CALLBACK_SECRET it is signed: docs/api.md, Webhooks
        events.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()


def call(path, body, **headers):
    headers |= {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers)
    for _ in range(60):  # a sender that starts, or is started anew, is back within a minute
        try:
            return json.load(urllib.request.urlopen(request))
        except urllib.error.HTTPError as error:
            if error.code != 503:
                sys.exit(f"{error.code}: {json.load(error)['detail']}")
        except OSError:
            pass
        time.sleep(1)
    sys.exit(f"no answer from {URL}")


threading.Thread(target=HTTPServer(("", 8000), Hook).serve_forever, daemon=True).start()
call("/v1/rooms", {"room": ROOM})  # opens the room, unless it is open, and sends for the avatar
segment = call(
    f"/v1/rooms/{ROOM}/segments?callback={CALLBACK}", {"text": TEXT}, **{"Idempotency-Key": str(uuid.uuid4())}
)
while segment["state"] in ("queued", "playing", "paused"):
    event = events.get(timeout=120)
    segment = event["segment"] or segment
    print(event["type"], f"position {segment['position']}, receipt {segment['receipt']}")
sys.exit(segment["state"] != "finished")
