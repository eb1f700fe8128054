package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
)

// program is how the command is called.
const program = "phoenix-cli"

// World is everything that commands see of the world around them.
type World struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Program is how this program was called.
	Program string
	Getenv  func(string) string
	Environ func() []string
}

// Run executes the command that args name and returns its exit code.
func Run(ctx context.Context, args []string, w World) int {
	a := &app{World: w}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(w.Stdin)
	root.SetOut(w.Stdout)
	root.SetErr(w.Stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return fault.Done
	}
	if !a.begun {
		err = misuse(cmd, err)
	}
	if a.flags.output == outputJSON {
		fault.JSON(w.Stderr, err)
	} else {
		fault.Text(w.Stderr, program, err)
	}
	return fault.Code(err)
}

// misuse marks what was wrong with a command line before the command began.
func misuse(cmd *cobra.Command, err error) error {
	if len(fault.Hints(err)) > 0 {
		return fault.Misuse(err, "")
	}
	return fault.Misuse(err, cmd.CommandPath()+" --help tells how it is used")
}
