package home

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:20FB 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 20 4 30 10 -1
   2: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 100 0 0 10 0
`

func TestParseListeners(t *testing.T) {
	got, err := parseListeners(strings.NewReader(table))
	want := []listener{
		{local: netip.MustParseAddrPort("127.0.0.1:8443"), uid: 1000, inode: 4711},
		{local: netip.MustParseAddrPort("[::1]:80"), uid: 0, inode: 4713},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, %v, want %v", got, err, want)
	}
}

func TestCovers(t *testing.T) {
	tests := map[string]struct {
		local, address string
		want           bool
	}{
		"the same":        {"127.0.1.100:4222", "127.0.1.100:4222", true},
		"other port":      {"127.0.1.100:4222", "127.0.1.100:4223", false},
		"other address":   {"127.0.1.100:4222", "127.0.1.101:4222", false},
		"all addresses":   {"0.0.0.0:4222", "127.0.1.100:4222", true},
		"all, both kinds": {"[::]:4222", "127.0.1.100:4222", true},
		"wants all":       {"127.0.1.100:4222", "0.0.0.0:4222", true},
		"mapped":          {"[::ffff:127.0.1.100]:4222", "127.0.1.100:4222", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := listener{local: netip.MustParseAddrPort(tt.local)}
			if got := l.covers(netip.MustParseAddrPort(tt.address)); got != tt.want {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func FuzzParseListeners(f *testing.F) {
	f.Add(table)
	f.Add("sl\n 0: 00:00 x 0A a b c d e f\n")
	f.Fuzz(func(t *testing.T, s string) {
		list, err := parseListeners(strings.NewReader(s))
		for _, l := range list {
			if err == nil && !l.local.IsValid() {
				t.Fatalf("accepted %v", l)
			}
		}
	})
}
