#!/usr/bin/python3
"""Two endpoints of txi2p exchange lines over SAM.

    txi2p_lines.py HOST PORT

Needs Debian's python3-txi2p-tahoe.
"""

import os
import sys
import tempfile

from twisted.internet import defer, endpoints, protocol, reactor, task
from twisted.protocols.basic import LineReceiver
from txi2p.sam.endpoints import SAMI2PStreamClientEndpoint, SAMI2PStreamServerEndpoint

LINES = 200
OPTIONS = {"inbound.quantity": 1, "outbound.quantity": 1, "i2cp.leaseSetEncType": 4}


class Upper(LineReceiver):
    """Answers each line in upper case."""

    def lineReceived(self, line):
        self.sendLine(line.upper())


class Asker(LineReceiver):
    """Sends lines, and is done when all have been answered."""

    def __init__(self):
        self.done = defer.Deferred()
        self.answered = 0

    def connectionMade(self):
        for i in range(LINES):
            self.sendLine(b"line %d" % i)

    def lineReceived(self, line):
        if line != b"LINE %d" % self.answered:
            self.done.errback(ValueError("line %d is %r" % (self.answered, line)))
            return
        self.answered += 1
        if self.answered == LINES:
            self.done.callback(None)

    def connectionLost(self, reason=protocol.connectionDone):
        if not self.done.called:
            self.done.errback(reason)


@defer.inlineCallbacks
def main(reactor, host, port):
    def sam():
        return endpoints.TCP4ClientEndpoint(reactor, host, int(port))

    with tempfile.TemporaryDirectory() as keys:
        server = SAMI2PStreamServerEndpoint.new(
            sam(), os.path.join(keys, "server"), nickname="txi2p-server-%d" % os.getpid(), options=OPTIONS)
        listening = yield server.listen(protocol.Factory.forProtocol(Upper))
        address = listening.getHost().destination
        for turn in range(3):  # one session, one stream after the other
            client = SAMI2PStreamClientEndpoint.new(
                sam(), address, nickname="txi2p-client-%d" % os.getpid(), options=OPTIONS)
            asker = yield client.connect(protocol.Factory.forProtocol(Asker))
            yield asker.done
            asker.transport.loseConnection()
    print("txi2p: lines both ways")


task.react(main, sys.argv[1:])
