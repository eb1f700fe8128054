package host

import (
	"context"
	"time"
)

// upkeepInterval is the time between two looks at logs and disk.
const upkeepInterval = 10 * time.Second

// upkeep looks after logs and disk until ctx ends.
func (h *host) upkeep(ctx context.Context) {
	tick := time.NewTicker(upkeepInterval)
	defer tick.Stop()
	for {
		h.rotateLogs()
		h.watchDisk()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// rotateLogs keeps the units' logs, and the host's own, from growing for ever.
func (h *host) rotateLogs() {
	logs := []string{h.options.Home.HostLog()}
	for _, k := range h.all() {
		logs = append(logs, h.machine.logFile(k.name))
	}
	for _, path := range logs {
		if err := rotate(path, maxLog); err != nil {
			h.options.Log.Error("log not rotated", "error", err)
		}
	}
}

// watchDisk warns, once, when too little room is left.
func (h *host) watchDisk() {
	var warnings []string
	if err := h.options.Home.CheckSpace(); err != nil {
		warnings = append(warnings, err.Error())
	}
	h.mu.Lock()
	before := len(h.warnings)
	h.warnings = warnings
	h.mu.Unlock()
	if len(warnings) > before {
		h.options.Log.Warn("trouble ahead", "warning", warnings[0])
	}
}
