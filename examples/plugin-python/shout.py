#!/usr/bin/python3
"""A plugin of Onelease in Python: it answers what comes on a stream in capitals.

    apt install python3-grpcio
    onelease plugin add ./shout.py --no-tls

docs/plugin-protocol.md says what crosses; this is all of it that a service for
streams needs, in one file, since Onelease registers a program as one file. The
messages are small enough to read and write by hand. It needs no certificate, for
its socket is in a directory that nobody but Onelease may enter (--no-tls).
"""

import json
import os
import queue
import socket
import struct
import sys
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor

import grpc

SETTINGS = "# I2P port of the service\nport = 7\n"

DATA, END, RESET, OK, ERROR = range(5)
STREAMS = 6  # the kind of a port for streams


def log(level, message, **fields):
    """Writes a line as Onelease reads it back."""
    line = {"@level": level, "@message": message} | fields
    print(json.dumps(line), file=sys.stderr, flush=True)


# --- Messages: https://protobuf.dev/programming-guides/encoding/


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, value):
    """A field that is a number, bytes or a text."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def parse(message):
    """The fields of a message by their numbers: numbers, or bytes."""
    fields, at = {}, 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            byte = message[at]
            at += 1
            n |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return n

    while at < len(message):
        key = number()
        if key & 7 == 0:
            fields[key >> 3] = number()
        elif key & 7 == 2:
            size = number()
            fields[key >> 3] = message[at : at + size]
            at += size
        else:
            raise ValueError(f"field of type {key & 7}")
    return fields


# --- The data socket


def read_exactly(conn, n):
    data = bytearray()
    while len(data) < n:
        chunk = conn.recv(n - len(data))
        if not chunk:
            raise ConnectionResetError("the connection broke")
        data += chunk
    return bytes(data)


def read_frame(conn):
    header = struct.unpack(">I", read_exactly(conn, 4))[0]
    return header >> 24, read_exactly(conn, header & 0xFFFFFF)


def write_frame(conn, kind, content=b""):
    conn.sendall(struct.pack(">I", kind << 24 | len(content)) + content)


def serve_stream(start, stream):
    """Accepts a stream, and answers until its remote has said all."""
    conn = socket.socket(socket.AF_UNIX)
    try:
        conn.connect(start["data_socket"])
        conn.sendall(b"OLP1" + start["token"] + struct.pack(">BQ", 1, stream))
        kind, _ = read_frame(conn)  # OK has the addresses of both ends
        while kind == OK or kind == DATA:
            kind, content = read_frame(conn)
            if kind == DATA:
                write_frame(conn, DATA, content.upper())
        if kind == END:
            write_frame(conn, END)
    except OSError as error:
        # A stream that breaks is nothing special; to close it tells the other end.
        log("debug", "stream broke", error=str(error))
    finally:
        conn.close()


# --- The calls of onelease.plugin.v1.Plugin


class Plugin:
    def __init__(self):
        self.streams = []  # threads

    def describe(self, _request, _context):
        return field(1, "shout") + field(2, "1.0") + field(3, SETTINGS)

    def run(self, requests, context):
        """Yields what the plugin tells; a thread hears what it is told."""
        first = parse(next(requests))
        start = parse(first[1])
        start = {"data_socket": start[2].decode(), "token": start[3], "settings": start.get(4, b"").decode()}
        port = self.port(start["settings"], context)
        tell = queue.Queue()
        threading.Thread(target=self.hear, args=(requests, start, tell), daemon=True).start()
        yield field(1, b"")  # Ready
        yield field(2, field(1, 1) + field(2, STREAMS) + field(3, port))  # Open
        while (message := tell.get()) is not None:
            yield message
        # Now the call ends, and with it the process.
        threading.Timer(1, os._exit, [0]).start()

    def port(self, settings, context):
        try:
            found = tomllib.loads(settings)
        except tomllib.TOMLDecodeError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"settings of shout: {error}")
        port = found.pop("port", 7)
        if found:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"settings of shout: unknown key {next(iter(found))!r}")
        if not isinstance(port, int) or not 0 <= port <= 65535:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "settings of shout: port must be 0 to 65535")
        return port

    def hear(self, requests, start, tell):
        try:
            for request in requests:
                for kind, content in parse(request).items():
                    self.hear_one(kind, parse(content), start, tell)
        except Exception as error:  # Onelease has gone
            log("debug", "the control stream ended", error=repr(error))
        os._exit(0)

    def hear_one(self, kind, message, start, tell):
        if kind == 2 and message.get(2):  # Opened, with an error
            log("error", "no port", error=message[2].decode())
            os._exit(1)
        if kind == 3:  # Incoming
            thread = threading.Thread(target=serve_stream, args=(start, message[2]), daemon=True)
            thread.start()
            self.streams = [t for t in self.streams if t.is_alive()] + [thread]
        if kind == 5:  # Drain: close the port, finish the streams, end
            tell.put(field(3, field(1, 1)))
            threading.Thread(target=self.finish, args=(message.get(1, 0) / 1000, tell), daemon=True).start()

    def finish(self, limit, tell):
        by = time.monotonic() + limit
        for thread in self.streams:
            thread.join(max(0, by - time.monotonic()))
        tell.put(None)


# --- The program


def handler(methods):
    """A gRPC service whose messages are bytes."""
    name, calls = methods
    return grpc.method_handlers_generic_handler(name, calls)


def main():
    if os.environ.get("ONELEASE_PLUGIN") != "3c1f0c1d5d0e4b0c9c7a":
        print(__doc__)
        return 0
    if os.environ.get("PLUGIN_CLIENT_CERT"):
        log("error", "this plugin knows no TLS: register it with --no-tls")
        return 1
    if "1" not in os.environ.get("PLUGIN_PROTOCOL_VERSIONS", "1").split(","):
        log("error", "this plugin speaks version 1 of the protocol only")
        return 1
    plugin = Plugin()
    unary, both = grpc.unary_unary_rpc_method_handler, grpc.stream_stream_rpc_method_handler
    server = grpc.server(ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers(
        [
            handler(("onelease.plugin.v1.Plugin", {"Describe": unary(plugin.describe), "Run": both(plugin.run)})),
            handler(("grpc.health.v1.Health", {"Check": unary(lambda _r, _c: field(1, 1))})),  # SERVING
            handler(("plugin.GRPCController", {"Shutdown": unary(lambda _r, _c: os._exit(0))})),
        ]
    )
    path = os.path.join(os.environ.get("PLUGIN_UNIX_SOCKET_DIR", "/tmp"), f"plugin{os.getpid()}")
    server.add_insecure_port("unix:" + path)
    server.start()
    print(f"1|1|unix|{path}|grpc|", flush=True)
    server.wait_for_termination()
    return 0


if __name__ == "__main__":
    sys.exit(main())
