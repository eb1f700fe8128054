package host

import (
	"fmt"
	"slices"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/host/process"
)

// Left names the units of the home that run, in order: with a host those that
// it keeps, without one those that a killed host has left.
func Left(h *home.Home) ([]string, error) {
	list, err := process.Find(markVariable)
	if err != nil {
		return nil, fmt.Errorf("look for units: %w", err)
	}
	m := &machine{home: h}
	var names []string
	for _, f := range list {
		if name, ok := m.unitOf(f); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
