package i2p

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadKeyFileOfI2PD(t *testing.T) {
	for _, row := range readVectors(t, "tunnels.tsv") {
		name, b32 := row[0], row[5]
		k, err := ReadKeyFile(filepath.Join("testdata", name))
		if !sigType(t, row[1]).Known() { // GOST
			if !errors.Is(err, ErrUnsupported) {
				t.Errorf("%s: error %v, want ErrUnsupported", name, err)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if k.Destination.Base32() != b32 {
			t.Errorf("%s is %v, want %s", name, k, b32)
		}
		raw, _ := os.ReadFile(filepath.Join("testdata", name))
		if !bytes.Equal(k.Bytes(), raw) {
			t.Errorf("%s is not written as it was read", name)
		}
	}
}

func TestWriteKeyFile(t *testing.T) {
	plain := mustGenerate(t)
	for _, k := range []*Keys{plain, offlineKeys(t, plain)} {
		for _, format := range []KeyFormat{KeyBinary, KeyBase64} {
			path := filepath.Join(t.TempDir(), "keys")
			if err := WriteKeyFile(path, k, format); err != nil {
				t.Fatal(err)
			}
			again, err := ReadKeyFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again.Bytes(), k.Bytes()) {
				t.Errorf("format %d: keys changed on the way", format)
			}
			if err := CheckKeyFile(path); err != nil {
				t.Error(err)
			}
			if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
				t.Errorf("%d files left behind, want 1", len(files))
			}
		}
	}
}

func TestReadKeyFileBase64(t *testing.T) {
	k := mustGenerate(t)
	text := k.Base64()
	for name, content := range map[string]string{
		"as SAM says it":  text,
		"newline":         text + "\n",
		"Windows newline": text + "\r\n",
		"not padded":      strings.TrimRight(text, "=") + "\n",
		"wrapped":         text[:400] + "\n" + text[400:] + "\n",
	} {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if again, err := ReadKeyFile(path); err != nil || again.Destination != k.Destination {
			t.Errorf("%s: %v, %v", name, again, err)
		}
	}
}

func TestWriteKeyFileNeverOverwrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	first, second := mustGenerate(t), mustGenerate(t)
	if err := WriteKeyFile(path, first, KeyBinary); err != nil {
		t.Fatal(err)
	}
	err := WriteKeyFile(path, second, KeyBinary)
	if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want fs.ErrExist that names %s", err, path)
	}
	if k, err := ReadKeyFile(path); err != nil || k.Destination != first.Destination {
		t.Errorf("the first keys are gone: %v, %v", k, err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("%d files left behind, want 1", len(files))
	}
}

func TestWriteKeyFileRefusesBrokenKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	k := mustGenerate(t)
	k.Signing = k.Signing[:31]
	if err := WriteKeyFile(path, k, KeyBinary); !errors.Is(err, ErrTruncated) {
		t.Errorf("error %v, want ErrTruncated", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file was written")
	}
}

// TestReadKeyFileErrors also checks that no error shows what is in the file.
func TestReadKeyFileErrors(t *testing.T) {
	good := mustGenerate(t).Bytes()
	wrong := bytes.Clone(good)
	wrong[len(wrong)-1] ^= 1
	for name, c := range map[string]struct {
		content []byte
		want    error
		says    string
	}{
		"empty":         {nil, ErrTruncated, "want a private key file"},
		"large":         {make([]byte, maxKeyFile+1), ErrInvalid, "too many for a key file"},
		"text":          {[]byte("PRIV=secretsecretsecret!"), ErrTruncated, "want a private key file"},
		"short base64":  {[]byte("secretsecretsecret"), ErrTruncated, "want a private key file"},
		"bad base64":    {[]byte("secret=secret"), ErrInvalid, "not I2P base64"},
		"wrong key":     {wrong, ErrInvalid, "does not match"},
		"wrong, base64": {[]byte(Base64.EncodeToString(wrong)), ErrInvalid, "does not match"},
	} {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadKeyFile(path)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want %v that says %q and names the file", name, err, c.want, c.says)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error shows the content: %v", name, err)
		}
	}
	if _, err := ReadKeyFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want fs.ErrNotExist", err)
	}
}

func TestCheckKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if err := WriteKeyFile(path, mustGenerate(t), KeyBinary); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	err := CheckKeyFile(path)
	if !errors.Is(err, ErrPermissions) || !strings.Contains(err.Error(), "chmod 600 "+path) {
		t.Errorf("error %v, want ErrPermissions with the remedy", err)
	}
}

// TestReplaceKeyFile takes transient keys only: another's file may be the only copy.
func TestReplaceKeyFile(t *testing.T) {
	plain := mustGenerate(t)
	path := filepath.Join(t.TempDir(), "keys")
	first, second := offlineKeys(t, plain), offlineKeys(t, plain)
	if err := WriteKeyFile(path, first, KeyBase64); err != nil {
		t.Fatal(err)
	}
	if err := ReplaceKeyFile(path, second, KeyBinary); err != nil {
		t.Fatal(err)
	}
	if err := ReplaceKeyFile(path, plain, KeyBinary); !errors.Is(err, ErrInvalid) {
		t.Errorf("the Destination's own key: %v", err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, format, err := ReadKeys(f)
	if err != nil || format != KeyBinary || !bytes.Equal(got.Bytes(), second.Bytes()) {
		t.Errorf("format %v, %v", format, err)
	}
	if err := CheckKeyFile(path); err != nil {
		t.Error(err)
	}
}
