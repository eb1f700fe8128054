// Command traefik provides the Traefik that a stack runs: the one in $PATH
// when its version is right, else the one in the cache, else one that it builds
// from source into the cache. It prints the path on standard output, and how
// far it is on standard error.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/phoenix-platform/phoenix/pkg/binaries"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	live := term.IsTerminal(int(os.Stderr.Fd()))
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr, live)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "traefik:", err)
		os.Exit(1)
	}
}

// errUsage says that the flags were wrong, which the user has been told.
var errUsage = errors.New("wrong use")

// options are the command's flags.
type options struct {
	path   string
	output string
}

// parse reads the flags.
func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("traefik", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.path, "path", "", "check this Traefik, instead of looking for one")
	flags.StringVar(&o.output, "o", "text", "output: text (the path alone) or json")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, errUsage
	}
	if flags.NArg() > 0 || (o.output != "text" && o.output != "json") {
		flags.Usage()
		return o, errUsage
	}
	return o, nil
}

// run provides Traefik and prints where it is.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, live bool) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	found, err := provide(ctx, o.path, newProgress(stderr, live, time.Now))
	if err != nil {
		return err
	}
	return report(stdout, o.output, found)
}

// provide finds Traefik, or builds it.
func provide(ctx context.Context, configured string, p *progress) (binaries.Binary, error) {
	b, err := binaries.Traefik(ctx, configured)
	if err == nil || configured != "" || !errors.Is(err, binaries.ErrNotFound) {
		return b, err
	}
	p.say("%v", err)
	path, err := binaries.TraefikCache()
	if err != nil {
		return binaries.Binary{}, err
	}
	return ensureBuilt(ctx, path, p)
}

// report prints what was found.
func report(stdout io.Writer, output string, b binaries.Binary) error {
	if output == "text" {
		_, err := fmt.Fprintln(stdout, b.Path)
		return err
	}
	out := json.NewEncoder(stdout)
	out.SetIndent("", "  ")
	return out.Encode(struct {
		Path    string `json:"path"`
		Version string `json:"version"`
	}{b.Path, b.Version})
}
