#!/usr/bin/env python3
"""A registry that obeys a test: test-registry.py SETTINGS, a file of JSON.

layout    an OCI layout; its image named `test` is what every repository has under the tag `test`
listen    [[address, port], …]
tls       {"certificate": path, "key": path}; plain HTTP without
basic     "user:password" that every request needs
bearer    {"realm": URL, "service": …, "users": {user: password}, "refresh": {token: user}, "gives": a refresh token at a login,
          "post": what a POST is answered with, "key": the name of the token, "lifetime": seconds,
          "says": what expires_in says, "jwt": {"certificate": path, "key": path} for a token that docker-registry takes};
          this server then also answers for /token
faults    what goes wrong, the first that matches a request counts: {"path": regular expression, "method": …, "host": …, "times": how
          often, "after": after how many such requests, and what: status, headers, body, redirect, cut (after so many bytes),
          reset, endless, pause (seconds in the middle), damage (a byte), type, ranges: "none" or "wrong", length (a false one)}
log       where each request is noted as a line of JSON

GET, HEAD and ranges of blobs and manifests; no uploads."""
import base64, hashlib, http.server, json, os, re, socket, socketserver, ssl, struct, subprocess, sys, threading, time, urllib.parse

with open(sys.argv[1]) as file:
    settings = json.load(file)
layout = settings.get("layout", "")
lock = threading.Lock()
tokens = {}
faults = settings.get("faults", [])
log = open(settings["log"], "a", buffering=1) if "log" in settings else None


def index():
    with open(f"{layout}/index.json") as file:
        return json.load(file)["manifests"]


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed_token(bearer, service, scopes, now):
    """RFC 7519, with the certificate beside it (x5c)."""
    with open(bearer["jwt"]["certificate"]) as file:
        certificate = "".join(line for line in file.read().splitlines() if "-----" not in line)
    access = []
    for scope in scopes:
        kind, name, actions = scope.rsplit(":", 2)[0].split(":", 1)[0], scope.split(":", 1)[1].rsplit(":", 1)[0], scope.rsplit(":", 1)[1]
        access.append({"type": kind, "name": name, "actions": actions.split(",")})
    head = {"typ": "JWT", "alg": "RS256", "x5c": [certificate]}
    body = {"iss": "test", "sub": "", "aud": service, "exp": now + bearer.get("lifetime", 300), "nbf": now - 10, "iat": now,
            "jti": os.urandom(8).hex(), "access": access}
    text = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(body).encode())}"
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", bearer["jwt"]["key"]], input=text.encode(),
                               stdout=subprocess.PIPE, check=True).stdout
    return f"{text}.{encoded(signature)}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self, status):
        if log:
            line = {"method": self.command, "path": self.path, "status": status, "host": self.headers.get("Host"),
                    "authorization": self.headers.get("Authorization"), "range": self.headers.get("Range"),
                    "accept": self.headers.get_all("Accept") or [], "body": getattr(self, "text", ""), "time": time.time()}
            with lock:
                log.write(json.dumps(line) + "\n")

    def answer(self, status, body=b"", headers={}, length=None):
        self.note(status)
        self.send_response(status)
        for name, value in headers.items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name, one)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def challenge(self, error=None):
        if "bearer" in settings:
            bearer = settings["bearer"]
            name = self.path.split("/v2/", 1)[-1].rsplit("/", 2)[0]
            scope = f',scope="repository:{name}:pull"' if name else ""
            problem = f',error="{error}"' if error else ""
            text = f'Bearer realm="{bearer["realm"]}",service="{bearer.get("service", "test")}"{scope}{problem}'
        else:
            text = 'Basic realm="test"'
        words = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
        self.answer(401, json.dumps(words).encode(), {"WWW-Authenticate": text, "Content-Type": "application/json"})

    def is_allowed(self):
        given = self.headers.get("Authorization", "")
        if "basic" in settings:
            if given != "Basic " + base64.b64encode(settings["basic"].encode()).decode():
                self.challenge()
                return False
        if "bearer" in settings:
            with lock:
                expires = tokens.get(given.removeprefix("Bearer "))
            if expires is None or expires < time.time():
                self.challenge("invalid_token" if expires else None)
                return False
        return True

    def give_token(self):
        bearer, query = settings["bearer"], urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        user = None
        if self.command == "POST":
            form = urllib.parse.parse_qs(self.text)
            if bearer.get("post", 200) != 200:
                return self.answer(bearer["post"])
            token = form.get("refresh_token", [""])[0]
            if token not in bearer.get("refresh", {}):
                return self.answer(401, b'{"details": "no such refresh token"}')
            query = {"scope": form.get("scope", [""])[0].split(" "), "service": form.get("service", [""])}
            user = bearer["refresh"][token]
        given = self.headers.get("Authorization", "")
        if given.startswith("Basic "):
            user, _, password = base64.b64decode(given[6:]).decode().partition(":")
            if bearer.get("users", {}).get(user) != password:
                return self.answer(401, b'{"details": "incorrect username or password"}')
        if "users" in bearer and user is None:
            return self.answer(401, b'{"details": "who are you"}')
        now = int(time.time())
        scopes = [scope for scope in query.get("scope", []) if scope]
        token = signed_token(bearer, query.get("service", [""])[0], scopes, now) if "jwt" in bearer else os.urandom(12).hex()
        with lock:
            tokens[token] = time.time() + bearer.get("lifetime", 300)
        reply = {bearer.get("key", "token"): token}
        if "offline_token" in query and "gives" in bearer:
            reply["refresh_token"] = bearer["gives"]
        if "says" in bearer:
            reply["expires_in"] = bearer["says"]
        self.answer(200, json.dumps(reply).encode(), {"Content-Type": "application/json"})

    def fault(self):
        with lock:
            for fault in faults:
                if not re.search(fault.get("path", ""), self.path) or fault.get("method", self.command) != self.command:
                    continue
                if "host" in fault and fault["host"] != self.headers.get("Host"):
                    continue
                fault["seen"] = fault.get("seen", 0) + 1
                begin = fault.get("after", 0)
                if begin < fault["seen"] <= begin + fault.get("times", 1 << 60):
                    return fault
        return {}

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        self.text = self.rfile.read(length).decode() if length else ""
        fault = self.fault()
        if "redirect" in fault:
            return self.answer(fault.get("status", 307), b"", {"Location": fault["redirect"].replace("{path}", self.path)})
        if "status" in fault:
            return self.answer(fault["status"], fault.get("body", "").encode(), fault.get("headers", {}))
        if "reset" in fault:
            self.note(0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return self.connection.close()
        path = urllib.parse.urlsplit(self.path).path
        if path == "/token":
            return self.give_token()
        if not path.startswith("/open/") and not self.is_allowed():
            return
        if path in ("/v2/", "/v2"):
            return self.answer(200, b"{}")
        parts = path.split("/")
        if len(parts) < 4 or parts[-2] not in ("manifests", "blobs"):
            return self.answer(404)
        self.send_content(parts[-2], parts[-1], fault)

    do_HEAD = do_GET
    do_POST = do_GET

    def send_content(self, kind, selector, fault):
        type = "application/octet-stream"
        if kind == "manifests":
            named = [entry for entry in index() if entry.get("annotations", {}).get("org.opencontainers.image.ref.name") == selector]
            digest = named[0]["digest"] if named else selector
            type = named[0]["mediaType"] if named else "application/vnd.oci.image.manifest.v1+json"
        else:
            digest = selector
        file = f"{layout}/blobs/{digest.replace(':', '/', 1)}"
        if "body" in fault:
            data = fault["body"].encode()
        elif re.fullmatch("sha(256|512):[0-9a-f]+", digest) and os.path.exists(file):
            with open(file, "rb") as content:
                data = content.read()
        else:
            words = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
            return self.answer(404, json.dumps(words).encode())
        if "damage" in fault:
            place = fault["damage"] % len(data)
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1:]
        status, headers = 200, {"Content-Type": fault.get("type", type)}
        if kind == "manifests" and not fault.get("anonymous"):
            headers["Docker-Content-Digest"] = digest
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if asked and kind == "blobs" and fault.get("ranges") != "none":
            start = int(asked[1])
            begin = start if fault.get("ranges") != "wrong" else start - 1
            status = 206
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
            data = data[begin:]
        if "endless" in fault:
            self.note(status)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.close_connection = True
            while True:
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        if "cut" in fault or "pause" in fault:
            count = fault.get("cut", len(data) // 2)
            self.note(status)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:count])
            self.wfile.flush()
            if "pause" in fault:
                time.sleep(fault["pause"])
                self.wfile.write(data[count:])
            else:
                self.close_connection = True
            return
        self.answer(status, data, headers, fault.get("length"))


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, place):
        if ":" in place[0]:
            self.address_family = socket.AF_INET6
        super().__init__(tuple(place), Handler)
        if "tls" in settings:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(settings["tls"]["certificate"], settings["tls"]["key"])
            if "clients" in settings["tls"]:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(settings["tls"]["clients"])
            # The handshake is the business of the connection's own thread.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, *_):
        pass


servers = [Server(place) for place in settings["listen"]]
for server in servers[1:]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
servers[0].serve_forever()
