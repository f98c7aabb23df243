#!/usr/bin/env python3
"""Passes connections on and cuts some: cutting-proxy.py ADDRESS:PORT TARGET:PORT BYTES TIMES, each of the first TIMES that carry more
than BYTES to the target, there."""
import select, socket, struct, sys, threading
place, target = [(text.rpartition(":")[0], int(text.rpartition(":")[2])) for text in sys.argv[1:3]]
most, times = int(sys.argv[3]), int(sys.argv[4])
lock = threading.Lock()


def carry(client):
    global times
    with client, socket.create_connection(target) as server:
        ends, count = {client: server, server: client}, 0
        while True:
            for end in select.select(list(ends), [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                count += len(data) if end is client else 0
                if count > most:
                    with lock:
                        times -= 1
                        is_cut = times >= 0
                    if is_cut:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                    count = -1 << 60
                ends[end].sendall(data)


with socket.create_server(place) as server:
    while True:
        threading.Thread(target=carry, args=(server.accept()[0],), daemon=True).start()
