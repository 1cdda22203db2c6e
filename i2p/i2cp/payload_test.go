package i2cp

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// i2pd's bytes for "hello" from port 1 to port 2 as a raw datagram: the layout
// of its GzipNoCompression, then the ports and the protocol filled in. It
// leaves the extra flags 2 and its checksum is that of zlib.
const i2pdHello = "1f8b0800000100020212" + "01" + "0500faff" + "68656c6c6f" + "86a61036" + "05000000"

func TestPayloadGolden(t *testing.T) {
	want, _ := hex.DecodeString(i2pdHello)
	got := AppendPayload(nil, 1, 2, ProtocolRaw, []byte("hello"))
	if !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
	var d Inflater
	p, err := d.Parse(want)
	if err != nil || p.FromPort != 1 || p.ToPort != 2 || p.Protocol != ProtocolRaw || string(p.Data) != "hello" {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestPayloadRoundTrip(t *testing.T) {
	var d Inflater
	rapid.Check(t, func(t *rapid.T) {
		want := Payload{rapid.Uint16().Draw(t, "from"), rapid.Uint16().Draw(t, "to"), rapid.Byte().Draw(t, "protocol"), drawBytes(t, "data")}
		b := AppendPayload([]byte("before"), want.FromPort, want.ToPort, want.Protocol, want.Data)[len("before"):]
		if len(b) != want.FramedSize() {
			t.Fatalf("%d bytes, FramedSize says %d", len(b), want.FramedSize())
		}
		got, err := d.Parse(b)
		if err != nil || got.FromPort != want.FromPort || got.ToPort != want.ToPort || got.Protocol != want.Protocol || !bytes.Equal(got.Data, want.Data) {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
		if len(want.Data) > 0 && &got.Data[0] != &b[gzipHeaderSize+storedHeaderSize] {
			t.Fatal("a stored payload was copied")
		}
	})
}

// gzipped is what a router that compresses sends.
func gzipped(t testing.TB, data []byte, level int) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// samples are data that make deflate use all of its ways.
func samples() map[string][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	noise, text := make([]byte, 40000), []byte{}
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	for len(text) < 30000 { // letters of very different frequency: codes of many lengths
		text = append(text, byte('a'+int(random.ExpFloat64()*4)))
	}
	return map[string][]byte{
		"empty": {}, "one byte": {7}, "zeros": make([]byte, maxInflated), "noise": noise, "text": text,
		"mixed": append(append(bytes.Clone(text), noise[:20000]...), make([]byte, 5000)...),
	}
}

func TestInflateAllLevels(t *testing.T) {
	var d Inflater
	for name, data := range samples() {
		for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
			p, err := d.Parse(gzipped(t, data, level))
			if err != nil || !bytes.Equal(p.Data, data) {
				t.Errorf("%s at level %d: %d bytes of %d, %v", name, level, len(p.Data), len(data), err)
			}
		}
	}
}

func TestInflateBomb(t *testing.T) {
	var d Inflater
	bomb := gzipped(t, make([]byte, 50<<20), flate.BestCompression)
	t.Logf("%d bytes would unpack to 50 MiB", len(bomb))
	if _, err := d.Parse(bomb); !errors.Is(err, ErrPayload) || !errors.Is(err, errInflated) {
		t.Errorf("got %v", err)
	}
	data := make([]byte, maxInflated+1)
	for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
		if _, err := d.Parse(gzipped(t, data, level)); !errors.Is(err, errInflated) {
			t.Errorf("one byte too many at level %d: %v", level, err)
		}
	}
}

func TestInflateDamaged(t *testing.T) {
	var d Inflater
	whole := gzipped(t, []byte("some text, some text, some text"), flate.BestCompression)
	for n := range whole {
		if _, err := d.Parse(whole[:n]); !errors.Is(err, ErrPayload) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	for i := range whole {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0x10
		unused := i >= 4 && i < gzipHeaderSize
		if _, err := d.Parse(damaged); err == nil && !unused {
			t.Errorf("byte %d changed: no error", i)
		}
	}
	if _, err := d.Parse(append(bytes.Clone(whole), 0)); !errors.Is(err, ErrPayload) {
		t.Errorf("a byte too many: %v", err)
	}
	inside := slices.Insert(bytes.Clone(whole), len(whole)-gzipTrailerSize, 0)
	if _, err := d.Parse(inside); !errors.Is(err, ErrPayload) {
		t.Errorf("a byte too many before the checksum: %v", err)
	}
}

func TestStoredDoesNotAllocate(t *testing.T) {
	var d Inflater
	data, out := samples()["text"], make([]byte, 0, 40000)
	if n := testing.AllocsPerRun(100, func() {
		out = AppendPayload(out[:0], 1, 2, ProtocolStreaming, data)
		if _, err := d.Parse(out); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// The reader and the buffer are used again: what is left is compress/flate's
// own, whether the payload is good or a bomb.
func TestInflateReuses(t *testing.T) {
	var d Inflater
	for name, gz := range map[string][]byte{
		"message": gzipped(t, samples()["text"][:1730], flate.DefaultCompression),
		"bomb":    gzipped(t, make([]byte, 1<<20), flate.BestCompression),
	} {
		const most = 8 // 3 for the message; 5 for the bomb, mostly its error
		if n := testing.AllocsPerRun(100, func() { d.Parse(gz) }); n > most {
			t.Errorf("%s: %v allocations, want at most %d", name, n, most)
		}
	}
}

func FuzzPayload(f *testing.F) {
	golden, _ := hex.DecodeString(i2pdHello)
	f.Add(golden)
	f.Add(gzipped(f, []byte("aaaaaaaaaaaaaaaaa"), flate.BestCompression))
	var d Inflater
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := d.Parse(b)
		if err != nil {
			if !errors.Is(err, ErrPayload) {
				t.Fatalf("%v is not ErrPayload", err)
			}
			return
		}
		again, err := new(Inflater).Parse(AppendPayload(nil, p.FromPort, p.ToPort, p.Protocol, p.Data))
		if len(p.Data) < MaxData && (err != nil || !bytes.Equal(again.Data, p.Data)) {
			t.Fatalf("%x does not survive: %v", b, err)
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	for _, level := range []int{flate.NoCompression, flate.DefaultCompression} {
		b.Run(map[int]string{0: "stored", -1: "compressed"}[level], func(b *testing.B) {
			var d Inflater
			data := samples()["text"][:1730]
			gz := gzipped(b, data, level)
			if level == flate.NoCompression {
				gz = AppendPayload(nil, 1, 2, 6, data)
			}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Parse(gz); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
