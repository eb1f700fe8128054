package bus_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/bus"
	"github.com/phoenix-platform/phoenix/pkg/events"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Keys of no use: public halves that belong to nobody.
func publicKeys() map[events.Identity]string {
	return map[events.Identity]string{
		events.Bootstrap:   "UA6RG63DRJB3EC5PCC7KXPJUKCW4TAJKI26EZ23IKOFBSQ7VP6KDA66E",
		events.Ops:         "UCU2KNSSMLPW4EWT2IAD5PGDZH7OHTNIOKXXAEDN24TGAXE5IYEUJZ5C",
		events.Provisioner: "UBJJSRONZANB5CNHMBVZOOEUAI6YUSBXCW3MLKIUUWVKPJANA5MPBVMK",
		events.CA:          "UB6F4U6AZXFFMVDUITJNBK3WPJBE2TMFJYXIHLJLN2BAMYOKCJJDHDMV",
		events.Proxyconf:   "UDFUHM2T5AOZOI7HGEG47YCFSGKS7DD6K2HHIVXH4ZWJYJ42OAW7L7PA",
		events.Gateway:     "UDIOUDXGB6Q37AYV2OYGPOADDYXHKXZCPNDFWSFY6NQKDP57BNIE3DOM",
	}
}

func TestRender(t *testing.T) {
	got, err := bus.Render("/var/lib/phoenix/bus", "127.0.1.100:4222", publicKeys())
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "nats.conf")
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the configuration differs from %s: look at the difference, then run the test with -update", golden)
	}
}

func TestRenderNeedsEveryKey(t *testing.T) {
	keys := publicKeys()
	delete(keys, events.CA)
	if _, err := bus.Render("/x", "127.0.1.100:4222", keys); err == nil {
		t.Error("a configuration without the CA's key was rendered")
	}
}

// The limits of the streams together stay below the limit of the server, so
// that a full stream says so.
func TestStoreLimit(t *testing.T) {
	var sum int64
	for _, s := range events.Streams() {
		if s.MaxBytes <= 0 || s.AllowRollup || s.AllowMsgSchedules {
			t.Errorf("stream %s: no size limit, or roll-ups, or schedules", s.Name)
		}
		sum += s.MaxBytes
	}
	if sum >= events.StoreBytes {
		t.Errorf("streams take %d bytes of %d", sum, int64(events.StoreBytes))
	}
}
