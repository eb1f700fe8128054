package config

import (
	"testing"
	"time"
)

func TestDurationText(t *testing.T) {
	tests := []struct {
		in   string
		want time.Duration
		out  string
	}{
		{"90s", 90 * time.Second, "1m30s"},
		{"24h", day, "24h"},
		{"1h0m30s", time.Hour + 30*time.Second, "1h0m30s"},
		{"2m", 2 * time.Minute, "2m"},
		{"48h", 2 * day, "48h"},
		{"365d", 365 * day, "365d"},
		{"0s", 0, "0s"},
		{"500ms", 500 * time.Millisecond, "500ms"},
	}
	for _, tt := range tests {
		var d Duration
		if err := d.UnmarshalText([]byte(tt.in)); err != nil || d.Std() != tt.want {
			t.Errorf("%q = %v, %v, want %v", tt.in, d.Std(), err, tt.want)
		}
		if got := d.String(); got != tt.out {
			t.Errorf("%q is rendered as %q, want %q", tt.in, got, tt.out)
		}
	}
	for _, bad := range []string{"", "24", "d", "-1d", "1.5d", "999999d", "h", "1y"} {
		var d Duration
		if err := d.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is accepted as %v", bad, d)
		}
	}
}
