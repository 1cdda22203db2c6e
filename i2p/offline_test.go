package i2p

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestSignOfflineRefuses(t *testing.T) {
	k := mustGenerate(t)
	key := k.Destination.SigningKey()
	for says, try := range map[string]struct {
		key     SigningPublicKey
		expires time.Time
	}{
		"key of 31 bytes":      {SigningPublicKey{Type: SigEd25519, Key: key.Key[1:]}, time.Unix(1, 0)},
		"signature type 9 key": {SigningPublicKey{Type: 9}, time.Unix(1, 0)},
		"from 1970 to 2106":    {key, time.Time{}},
	} {
		if _, err := SignOffline(k, try.key, try.expires); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want ErrInvalid that says %q", err, says)
		}
	}
}

func TestOfflineSignatureVerify(t *testing.T) {
	k, other := mustGenerate(t), mustGenerate(t)
	offline := offlineKeys(t, k).Offline
	if err := offline.Verify(k.Destination); err != nil {
		t.Error(err)
	}
	if err := offline.Verify(other.Destination); !errors.Is(err, ErrSignature) {
		t.Errorf("other Destination: error %v, want ErrSignature", err)
	}
	later := *offline
	later.Expires = later.Expires.Add(time.Hour)
	if err := later.Verify(k.Destination); !errors.Is(err, ErrSignature) {
		t.Errorf("prolonged: error %v, want ErrSignature", err)
	}
}

func TestParseOfflineSignatureTruncated(t *testing.T) {
	raw := offlineKeys(t, mustGenerate(t)).Offline.AppendTo(nil)
	for n := range raw {
		if _, _, err := ParseOfflineSignature(raw[:n], SigEd25519); !errors.Is(err, ErrTruncated) {
			t.Fatalf("first %d bytes: error %v, want ErrTruncated", n, err)
		}
	}
}
