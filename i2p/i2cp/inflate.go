package i2cp

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// maxInflated bounds what a payload may unpack to.
const maxInflated = 64 << 10

var (
	errInflated = errors.New("it unpacks to more than 64 KiB")
	errTrailing = errors.New("there are bytes after the deflate stream")
)

// An Inflater unframes payloads. Its zero value is ready; it is for one
// goroutine.
//
// Stored payloads, which i2pd and AppendPayload write, cost no allocation.
// Compressed ones, which Java I2P writes, cost what compress/flate allocates,
// which is a table for each prefix of a code of more than nine bits: 0 to 3
// times, 83 bytes in all, for 1,730 bytes of text (measured with Go 1.26).
type Inflater struct {
	// All is made for the first payload that is compressed, and kept.
	packed bytes.Reader
	flate  io.Reader
	out    []byte // one byte more than is allowed, to see what is too much
}

// Parse unframes one payload. Data is a part of gz if that was stored without
// compression, else it is valid until the next call. All errors are
// ErrPayload.
func (d *Inflater) Parse(gz []byte) (Payload, error) {
	if len(gz) < gzipHeaderSize+gzipTrailerSize {
		return Payload{}, fmt.Errorf("payload of %d bytes: %w", len(gz), ErrPayload)
	}
	if gz[0] != 0x1f || gz[1] != 0x8b || gz[2] != 8 || gz[3] != 0 {
		return Payload{}, fmt.Errorf("payload that begins with % x: %w", gz[:4], ErrPayload)
	}
	p := Payload{
		FromPort: binary.BigEndian.Uint16(gz[4:]),
		ToPort:   binary.BigEndian.Uint16(gz[6:]),
		Protocol: gz[9],
	}
	end := len(gz) - gzipTrailerSize
	data, err := d.inflate(gz[gzipHeaderSize:end])
	if err != nil {
		return Payload{}, err
	}
	if crc32.ChecksumIEEE(data) != binary.LittleEndian.Uint32(gz[end:]) ||
		uint32(len(data)) != binary.LittleEndian.Uint32(gz[end+4:]) {
		return Payload{}, fmt.Errorf("payload with a wrong checksum or size: %w", ErrPayload)
	}
	p.Data = data
	return p, nil
}

// inflate unpacks a deflate stream, which has to be all of b.
func (d *Inflater) inflate(b []byte) ([]byte, error) {
	if data, ok := stored(b); ok {
		return data, nil
	}
	data, err := d.unpack(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	return data, nil
}

func (d *Inflater) unpack(b []byte) ([]byte, error) {
	d.packed.Reset(b)
	if d.flate == nil {
		d.flate = flate.NewReader(&d.packed)
		d.out = make([]byte, maxInflated+1)
	} else if err := d.flate.(flate.Resetter).Reset(&d.packed, nil); err != nil {
		return nil, err
	}
	for n := 0; n < len(d.out); {
		m, err := d.flate.Read(d.out[n:])
		n += m
		switch {
		case err == io.EOF && n <= maxInflated && d.packed.Len() > 0:
			return nil, errTrailing
		case err == io.EOF && n <= maxInflated:
			return d.out[:n:n], nil
		case err != nil && err != io.EOF:
			return nil, err
		}
	}
	return nil, errInflated
}

// stored returns the content of a deflate stream that is a single stored
// block, which is what i2pd and AppendPayload write.
func stored(b []byte) ([]byte, bool) {
	if len(b) < storedHeaderSize || b[0]&7 != deflateStoredAndEnd {
		return nil, false
	}
	n := binary.LittleEndian.Uint16(b[1:])
	if n != ^binary.LittleEndian.Uint16(b[3:]) || int(n) != len(b)-storedHeaderSize {
		return nil, false
	}
	return b[storedHeaderSize:], true
}
