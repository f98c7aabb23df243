"""A mirror of download.swift.org for tools/toolchain.d/checks. Prints its port, then a line for each request: the path and its Range.

server.py FOLDER [--cut]: with --cut, archives end after half of what was promised."""

import http.server
import os
import re
import sys

FOLDER, CUT = sys.argv[1], "--cut" in sys.argv[2:]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.answer(has_body=False)

    def do_GET(self):
        self.answer(has_body=True)

    def answer(self, has_body):
        wanted = self.headers.get("Range", "")
        print(self.command, self.path, wanted, flush=True)
        try:
            with open(os.path.join(FOLDER, self.path.lstrip("/")), "rb") as file:
                data = file.read()
        except OSError:
            self.send_error(404)
            return
        part = re.fullmatch(r"bytes=(\d+)-", wanted)
        if part:
            first = int(part.group(1))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
            data = data[first:]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if has_body:
            self.wfile.write(data[: len(data) // 2] if CUT and self.path.endswith(".gz") else data)

    def log_message(self, *_):
        pass


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
