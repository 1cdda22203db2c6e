#!/usr/bin/python3
"""Two sessions of libtorrent share a torrent over SAM.

    libtorrent_swarm.py HOST PORT

Needs Debian's python3-libtorrent. libtorrent learns of I2P peers by trackers only, so
there is one, on a Destination of its own.
"""

import base64
import hashlib
import http.server
import os
import socket
import sys
import tempfile
import threading
import time
import urllib.parse

import libtorrent as lt

SIZE = 2_000_000
LIMIT = 120  # seconds


class SAM:
    """One connection to the bridge."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port))
        self.lines = self.socket.makefile("r", encoding="utf-8", newline="\n")
        self.ask("HELLO VERSION MIN=3.0 MAX=3.3")

    def ask(self, line):
        """Says a line, and returns the options of the answer."""
        self.socket.sendall(line.encode() + b"\n")
        answer = self.lines.readline()
        options = dict(word.split("=", 1) for word in answer.split() if "=" in word)
        if options.get("RESULT") != "OK":
            sys.exit("%s: %s" % (line.split(" DESTINATION")[0], answer))
        return options


class Tracker(http.server.BaseHTTPRequestHandler):
    """Tells each peer of the others."""

    peers = {}

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query, encoding="latin-1")
        who = query["peer_id"][0]
        self.peers[who] = sha256(query["ip"][0].removesuffix(".i2p"))
        others = [peer for other, peer in self.peers.items() if other != who]
        body = lt.bencode({
            b"interval": 2, b"min interval": 1,
            b"peers": b"".join(others),  # 32 bytes each
        })
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def serve_tracker(host, port):
    """Starts the tracker, and returns its b32 address and what keeps it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tracker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    session, forward = SAM(host, port), SAM(host, port)
    name = "tracker-%d" % os.getpid()
    session.ask("SESSION CREATE STYLE=STREAM ID=%s DESTINATION=TRANSIENT SIGNATURE_TYPE=7 i2cp.leaseSetEncType=4" % name)
    me = session.ask("NAMING LOOKUP NAME=ME")["VALUE"]
    forward.ask("STREAM FORWARD ID=%s PORT=%d SILENT=true" % (name, server.server_address[1]))
    return b32(me), (session, forward)


def sha256(destination):
    return hashlib.sha256(base64.b64decode(destination, b"-~")).digest()


def b32(destination):
    return base64.b32encode(sha256(destination)).decode().lower().rstrip("=") + ".b32.i2p"


def torrent(folder, tracker):
    path = os.path.join(folder, "file")
    with open(path, "wb") as f:
        f.write(os.urandom(SIZE))
    files = lt.file_storage()
    lt.add_files(files, path)
    made = lt.create_torrent(files, 0, lt.create_torrent.v1_only)
    made.add_tracker("http://%s/announce" % tracker)
    lt.set_piece_hashes(made, folder)
    return lt.torrent_info(made.generate())


def session(host, port):
    return lt.session({
        "i2p_hostname": host, "i2p_port": port, "listen_interfaces": "127.0.0.1:0",
        "min_announce_interval": 1, "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
        "alert_mask": lt.alert.category_t.all_categories if os.environ.get("VERBOSE") else
        lt.alert.category_t.error_notification | lt.alert.category_t.tracker_notification,
    })


def say(name, s):
    for alert in s.pop_alerts():
        print(name, alert.message(), file=sys.stderr)


def main(host, port):
    port = int(port)
    tracker, kept = serve_tracker(host, port)
    with tempfile.TemporaryDirectory() as here, tempfile.TemporaryDirectory() as there:
        info = torrent(here, tracker)
        seeder, leecher = session(host, port), session(host, port)
        seeding = seeder.add_torrent({"ti": info, "save_path": here})
        loading = leecher.add_torrent({"ti": info, "save_path": there})
        deadline = time.monotonic() + LIMIT
        while not loading.status().is_seeding:
            if time.monotonic() > deadline:
                sys.exit("libtorrent: %.0f %% after %d s" % (100 * loading.status().progress, LIMIT))
            say("seeder:", seeder)
            say("leecher:", leecher)
            time.sleep(0.2)
        same = open(os.path.join(here, "file"), "rb").read() == open(os.path.join(there, "file"), "rb").read()
        if not same:
            sys.exit("libtorrent: what came is not what was sent")
    print("libtorrent: %d bytes from peer to peer, %d known to the tracker" % (SIZE, len(Tracker.peers)))
    sys.stdout.flush()
    os._exit(0)  # libtorrent would tell the tracker first, which ends with us


main(*sys.argv[1:])
