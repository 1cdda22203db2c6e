package samconform

var streamEndRows = []row{
	{"SAM Virtual Streams", "3.0", "when the beginner closes, the other end reads all bytes and then the end", onPair(func(c *check, a, b *session) {
		near, far := c.stream(a, b)
		text := noise(100000)
		near.put(text)
		near.Close()
		far.get(text)
		far.gone("a stream whose other end closed")
	}), ""},
	{"SAM Virtual Streams", "3.0", "when the acceptor closes, the other end reads all bytes and then the end", onPair(func(c *check, a, b *session) {
		near, far := c.stream(a, b)
		text := noise(100000)
		far.put(text)
		far.Close()
		near.get(text)
		near.gone("a stream whose other end closed")
	}), ""},
	{"SAM Virtual Streams", "3.0", "streams are in order and whole: 500,000 bytes each way", onPair(func(c *check, a, b *session) {
		near, far := c.stream(a, b)
		there, back := noise(500000), noise(500000)
		sent := make(chan struct{}, 2)
		for _, side := range []struct {
			d    *conn
			text string
		}{{near, there}, {far, back}} {
			go func() {
				defer func() { sent <- struct{}{} }()
				_, _ = side.d.Write([]byte(side.text)) // a short write shows at the other end
			}()
		}
		far.get(there)
		near.get(back)
		<-sent
		<-sent
	}), ""},
	{"SAM Virtual Streams", "3.0", "a stream outlives the end of another of the same session", onPair(func(c *check, a, b *session) {
		first, firstFar := c.stream(a, b)
		second, secondFar := c.stream(a, b)
		first.Close()
		firstFar.gone("a stream whose other end closed")
		c.talk(second, secondFar, 1000)
	}), ""},
	{"SAM Virtual Streams", "3.0", "a stream carries any bytes, SAM lines too", onPair(func(c *check, a, b *session) {
		near, far := c.stream(a, b)
		near.put("\x00\xff\nQUIT\nPING x\nSESSION CREATE\n\r\n")
		far.get("\x00\xff\nQUIT\nPING x\nSESSION CREATE\n\r\n")
		far.put("STREAM STATUS RESULT=I2P_ERROR\n")
		near.get("STREAM STATUS RESULT=I2P_ERROR\n")
	}), ""},
}
