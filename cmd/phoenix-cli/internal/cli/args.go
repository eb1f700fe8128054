package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/pkg/nearest"
)

// takes checks that there is one argument for each name.
func takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return fmt.Errorf("%s is missing: %s", strings.Join(names[len(args):], " and "), cmd.UseLine())
		case len(args) > len(names):
			return unexpected(cmd, args[len(names)])
		}
		return nil
	}
}

// takesSome checks that there is at least one argument.
func takesSome(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s is missing: %s", name, cmd.UseLine())
		}
		return nil
	}
}

// takesCommand refuses what is not one of the command's own commands.
func takesCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := cmd.CommandPath() + " --help lists the commands"
	var known []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			known = append(known, c.Name())
		}
	}
	if near := nearest.Of(args[0], known); near != "" {
		hint = "did you mean " + cmd.CommandPath() + " " + near + "?"
	}
	return fault.Misusef(hint, "unknown command %q", args[0])
}

func unexpected(cmd *cobra.Command, arg string) error {
	return fmt.Errorf("unexpected argument %q: %s", arg, cmd.UseLine())
}

// flagError names the flag that an unknown one may have meant.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	var known []string
	collect := func(f *pflag.Flag) {
		if !f.Hidden {
			known = append(known, f.Name)
		}
	}
	cmd.Flags().VisitAll(collect)
	cmd.InheritedFlags().VisitAll(collect)
	if near := nearest.Of(unknown.GetSpecifiedName(), known); near != "" {
		return fault.Misuse(err, "did you mean --"+near+"?")
	}
	return err
}
