#!/usr/bin/env python3
"""An HTTP proxy that notes what it is asked for: test-proxy.py ADDRESS PORT LOG. CONNECT, and GET of http: addresses."""
import http.server, select, socket, sys, urllib.parse
address, port, log = sys.argv[1], int(sys.argv[2]), open(sys.argv[3], "a", buffering=1)


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        log.write(f"CONNECT {self.path}\n")
        host, _, number = self.path.rpartition(":")
        with socket.create_connection((host, int(number))) as other:
            self.send_response(200)
            self.end_headers()
            self.carry(other)

    def do_GET(self):
        log.write(f"GET {self.path}\n")
        url = urllib.parse.urlsplit(self.path)
        with socket.create_connection((url.hostname, url.port or 80)) as other:
            path = url.path + (f"?{url.query}" if url.query else "")
            fields = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items() if not name.startswith("Proxy"))
            other.sendall(f"GET {path} HTTP/1.0\r\n{fields}\r\n".encode())
            self.close_connection = True
            self.carry(other)

    def carry(self, other):
        ends = {self.connection: other, other: self.connection}
        while True:
            for end in select.select(list(ends), [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                ends[end].sendall(data)


http.server.ThreadingHTTPServer((address, port), Handler).serve_forever()
