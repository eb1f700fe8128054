package serve

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"

	"github.com/phoenix-platform/phoenix/services/proxyconf/storage"
	"github.com/phoenix-platform/phoenix/services/proxyconf/traefik"
)

// LaunchCommand is the argument by which this program becomes Traefik.
const LaunchCommand = "launch"

// Launch turns this program into Traefik, after it has mended Traefik's
// certificates. Whoever starts the unit, and be it after a crash, starts it so.
type Launch struct {
	Folder  traefik.Folder
	Domain  string
	Root    string // file of the stack's root
	Traefik string // program
	Config  string // file of the static configuration
}

// command is the unit's command line.
func (l Launch) command(self string) []string {
	return []string{
		self, LaunchCommand, "--folder", string(l.Folder), "--domain", l.Domain, "--root", l.Root,
		"--traefik", l.Traefik, "--config", l.Config,
	}
}

// ParseLaunch reads the arguments after LaunchCommand.
func ParseLaunch(args []string, stderr io.Writer) (Launch, error) {
	var l Launch
	flags := flag.NewFlagSet(LaunchCommand, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar((*string)(&l.Folder), "folder", "", "Traefik's `folder`")
	flags.StringVar(&l.Domain, "domain", "", "the stack's `domain`")
	flags.StringVar(&l.Root, "root", "", "`file` of the stack's root certificate")
	flags.StringVar(&l.Traefik, "traefik", "", "Traefik's `program`")
	flags.StringVar(&l.Config, "config", "", "`file` of the static configuration")
	return l, flags.Parse(args)
}

// Exec mends the certificates and becomes Traefik. It returns only to fail.
func (l Launch) Exec(log *slog.Logger) error {
	if err := l.mend(log); err != nil {
		return err
	}
	args := []string{l.Traefik, "--configfile=" + l.Config}
	if err := syscall.Exec(l.Traefik, args, os.Environ()); err != nil { //nolint:gosec // starting what it is told to is its purpose
		return fmt.Errorf("become %s: %w", l.Traefik, err)
	}
	return nil
}

func (l Launch) mend(log *slog.Logger) error {
	key, err := storage.AccountKey(l.Folder.Account())
	if err != nil {
		return err
	}
	root, err := os.ReadFile(l.Root)
	if err != nil {
		return fmt.Errorf("read the root: %w", err)
	}
	wish := storage.Wish{
		Resolvers: traefik.ResolverNames(resolvers), Roots: pool(string(root)),
		Account: storage.Account{Email: "proxy@" + l.Domain, Key: key},
	}
	if hosts, err := l.Folder.RoutedHosts(); err != nil {
		log.Warn("all certificates are kept", "err", err)
	} else {
		wish.Wanted = func(host string) bool { return hosts[host] }
	}
	mended, err := storage.Mend(l.Folder.Storage(), wish)
	if err != nil {
		return err
	}
	if mended.Restored || mended.SetAside || len(mended.Dropped) > 0 {
		log.Warn("certificates mended", "restored", mended.Restored, "set_aside", mended.SetAside, "dropped", mended.Dropped)
	}
	return nil
}
