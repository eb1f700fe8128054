package cli

import (
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/home"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/progress"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
)

// app is what all commands share: the world, and the flags that every command
// takes.
type app struct {
	World
	flags flags
	// begun is set once a command's line was found right and the command runs.
	begun bool
}

// flags are the flags that every command takes.
type flags struct {
	home    string
	output  output
	noColor bool
	quiet   bool
	verbose bool
}

// bind adds the flags to the root command.
func (f *flags) bind(root *cobra.Command) {
	set := root.PersistentFlags()
	f.output = outputText
	set.StringVar(&f.home, "home", "", "`folder` of the stack (default $PHOENIX_HOME, else phoenix in the XDG state folder)")
	set.VarP(&f.output, "output", "o", "what to write: text, or json for scripts")
	set.BoolVar(&f.noColor, "no-color", false, "no colours, as with NO_COLOR set")
	set.BoolVarP(&f.quiet, "quiet", "q", false, "no progress, only results and errors")
	set.BoolVarP(&f.verbose, "verbose", "v", false, "say on standard error what is done underneath")
}

// env returns the environment's value, with the flags that stand for a variable
// laid over it.
func (a *app) env(key string) string {
	if key == "PHOENIX_HOME" && a.flags.home != "" {
		return a.flags.home
	}
	return a.Getenv(key)
}

// homeRoot returns the folder of the stack; it need not exist.
func (a *app) homeRoot() (string, error) { return home.Root(a.env) }

// log returns the logger of what happens underneath.
func (a *app) log() *slog.Logger {
	if !a.flags.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(a.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// style returns how text that goes to w is coloured.
func (a *app) style(w io.Writer) view.Style {
	return view.Style{Color: a.live(w) && !a.flags.noColor && a.Getenv("NO_COLOR") == ""}
}

// live says whether w is a terminal that somebody looks at.
func (a *app) live(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && a.Getenv("TERM") != "dumb" && a.Getenv("CI") == ""
}

// progress begins to tell on standard error how work goes on.
func (a *app) progress() *progress.Reporter {
	return progress.New(a.Stderr, progress.Options{
		Live: a.live(a.Stderr), Quiet: a.flags.quiet, Style: a.style(a.Stderr), Width: a.width,
	})
}

// width returns the width of the terminal on standard error.
func (a *app) width() int {
	if f, ok := a.Stderr.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 80
}

// write writes a result: v as JSON, or text, as was asked for.
func (a *app) write(v any, text func(io.Writer, view.Style) error) error {
	if a.flags.output == outputJSON {
		return view.WriteJSON(a.Stdout, v)
	}
	return text(a.Stdout, a.style(a.Stdout))
}
