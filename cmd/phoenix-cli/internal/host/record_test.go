package host

import (
	"testing"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host/process"
	"github.com/phoenix-platform/phoenix/pkg/unit"
)

func TestDecide(t *testing.T) {
	plain := &unit.Unit{Name: "a", Exec: []string{"/bin/a"}}
	other := &unit.Unit{Name: "a", Exec: []string{"/bin/a", "-x"}}
	enabled := &unit.Unit{Name: "a", Exec: []string{"/bin/a"}, Enabled: true}
	wanted := record{Epoch: "now", Wanted: true, Definition: *plain}
	stopped := record{Epoch: "now", Definition: *plain}
	before := record{Epoch: "before", Wanted: true, Definition: *plain}
	tests := map[string]struct {
		definition *unit.Unit
		record     record
		alive      bool
		want       verdict
	}{
		"runs":                             {plain, wanted, true, keep},
		"runs, defined otherwise":          {other, wanted, true, restart},
		"runs, was being stopped":          {plain, stopped, true, stop},
		"runs, enabled, was being stopped": {enabled, stopped, true, stop},
		"runs, removed":                    {nil, wanted, true, stop},
		"ended while nobody watched":       {plain, wanted, false, start},
		"ended while it was stopped":       {plain, stopped, false, leave},
		"stopped stays, though enabled":    {enabled, stopped, false, leave},
		"enabled, first start":             {enabled, record{}, false, start},
		"enabled, after a boot":            {enabled, before, false, start},
		"not enabled, after a boot":        {plain, before, false, leave},
		"not enabled, never started":       {plain, record{}, false, leave},
		"removed and ended":                {nil, wanted, false, leave},
		"nothing known of what runs":       {plain, record{}, true, stop},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := decide(tt.definition, tt.record, "now", tt.alive); got != tt.want {
				t.Fatalf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestSurvivor(t *testing.T) {
	leader := process.Found{ID: process.ID{PID: 100, Start: 5}, Group: 100}
	worker := process.Found{ID: process.ID{PID: 101, Start: 6}, Group: 100}
	tests := map[string]struct {
		members  []process.Found
		recorded process.ID
		want     int
	}{
		"recorded":                {[]process.Found{worker, leader}, leader.ID, 100},
		"recorded one is gone":    {[]process.Found{worker}, leader.ID, 0},
		"its number is another's": {[]process.Found{leader}, process.ID{PID: 100, Start: 4}, 0},
		"not recorded yet":        {[]process.Found{worker, leader}, process.ID{}, 100},
		"not recorded, workers":   {[]process.Found{worker}, process.ID{}, 0},
		"nothing":                 {nil, process.ID{}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := survivor(tt.members, record{Process: tt.recorded})
			if got.PID != tt.want || ok != (tt.want != 0) {
				t.Fatalf("got %v, %v, want %d", got, ok, tt.want)
			}
		})
	}
}

func TestDelay(t *testing.T) {
	for i, ms := range []int64{100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000} {
		if got := delay(i + 1).Milliseconds(); got != ms {
			t.Errorf("after %d: got %d ms, want %d ms", i+1, got, ms)
		}
	}
	if got := delay(1 << 40); got != maxDelay {
		t.Errorf("got %s, want %s", got, maxDelay)
	}
}
