package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/version"
)

// build tells which build of the program this is, and what is built into it.
type build struct {
	Version  string            `json:"version"`
	Go       string            `json:"go"`
	Platform string            `json:"platform"`
	Modules  map[string]string `json:"modules"`
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		GroupID: groupProgram,
		Short:   "tell which build this is",
		Long:    "Tells the version of the program, and those of the parts that are built into it.",
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			b := thisBuild()
			return a.write(b, b.text)
		},
	}
}

func thisBuild() build {
	b := build{
		Version: version.String(), Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Modules: map[string]string{},
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	wanted := map[string]string{
		"github.com/nats-io/nats-server/v2": "nats-server", "github.com/nats-io/nats.go": "nats.go",
	}
	for _, m := range info.Deps {
		if short, ok := wanted[m.Path]; ok {
			b.Modules[short] = m.Version
		}
	}
	return b
}

func (b build) text(w io.Writer, _ view.Style) error {
	if _, err := fmt.Fprintf(w, "%s %s (%s, %s)\n", program, b.Version, b.Go, b.Platform); err != nil {
		return err
	}
	for _, name := range []string{"nats-server", "nats.go"} {
		if v := b.Modules[name]; v != "" {
			if _, err := fmt.Fprintf(w, "%s %s\n", name, v); err != nil {
				return err
			}
		}
	}
	return nil
}
