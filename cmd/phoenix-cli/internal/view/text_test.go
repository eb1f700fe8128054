package view

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestDuration(t *testing.T) {
	tests := map[time.Duration]string{
		0: "0.0s", 340 * time.Millisecond: "0.3s", 12*time.Second + 900*time.Millisecond: "12s", 3 * time.Minute: "3m",
		200 * time.Second: "3m20s", 5*time.Hour + 10*time.Minute + 5*time.Second: "5h10m", 50 * time.Hour: "2d", -time.Minute: "-1m",
	}
	for d, want := range tests {
		if got := Duration(d); got != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
	}
}

func TestTableIgnoresColours(t *testing.T) {
	style := Style{Color: true}
	table := NewTable(Style{}, "A", "B")
	table.Row(style.Good("ready"), "x")
	table.Row("ä", "y")
	var b strings.Builder
	if _, err := table.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	want := "A      B\n\x1b[32mready\x1b[0m  x\nä      y\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"plain", "a\x1b[31mb", "\u202egnp.exe", "\xff\xfe", "two\nlines", "ünïcode ✓"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range Clean(s) {
			if r != ' ' && !unicode.IsPrint(r) {
				t.Fatalf("%q: %U is left", s, r)
			}
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{"plain", "a\x1b[31m<b>&", "\u009b2J", "\U000e0001", "\u202e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b strings.Builder
		if err := WriteLine(&b, s); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(strings.TrimSuffix(b.String(), "\n"), unsafe) {
			t.Fatalf("%q: got %q", s, b.String())
		}
		var back string
		if err := json.Unmarshal([]byte(b.String()), &back); err != nil {
			t.Fatal(err)
		}
		if back != strings.ToValidUTF8(s, "\ufffd") && !strings.Contains(back, "\ufffd") {
			t.Fatalf("got %q back, want %q", back, s)
		}
	})
}
