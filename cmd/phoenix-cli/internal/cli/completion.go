package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// completeFor bounds what the completion of a word may ask of a stack.
const completeFor = 2 * time.Second

func newCompletion(a *app) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:     "completion bash|zsh|fish|powershell",
		GroupID: groupProgram,
		Short:   "write the script that completes commands in a shell",
		Long: `Writes the script that makes a shell complete commands, flags and, while a stack
runs, the names of its services and the ids of its dead letters.`,
		Example: `source <(phoenix-cli completion bash)
phoenix-cli completion zsh > "${fpath[1]}/_phoenix-cli"
phoenix-cli completion fish > ~/.config/fish/completions/phoenix-cli.fish`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := takes("the shell")(cmd, args); err != nil {
				return err
			}
			if !slices.Contains(shells, args[0]) {
				return fmt.Errorf("no completion for shell %q: %s", args[0], cmd.UseLine())
			}
			return nil
		},
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.Stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.Stdout)
			case "fish":
				return root.GenFishCompletion(a.Stdout, true)
			}
			return root.GenPowerShellCompletionWithDesc(a.Stdout)
		},
	}
}

// completer offers words that a running stack knows.
type completer func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective)

// complete returns a completer of the words that ask finds in a session. It
// offers nothing when no stack runs, and at most the words for one argument.
func (a *app) complete(most int, ask func(context.Context, *session) ([]string, error)) completer {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completeFor)
		defer cancel()
		s, err := a.attach(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer s.close()
		words, err := ask(ctx, s)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		slices.Sort(words)
		return slices.Compact(words), cobra.ShellCompDirectiveNoFileComp
	}
}

func serviceNames(ctx context.Context, s *session) ([]string, error) {
	facts, err := s.op.Facts(ctx, s.stack)
	var out []string
	for _, svc := range facts.Services {
		out = append(out, svc.Name)
	}
	return out, err
}

func certNames(ctx context.Context, s *session) ([]string, error) {
	certs, err := s.op.Certs(ctx)
	var out []string
	for _, c := range certs {
		out = append(out, c.Names...)
	}
	return out, err
}

func deadLetterIDs(ctx context.Context, s *session) ([]string, error) {
	letters, err := s.op.DeadLetters(ctx)
	var out []string
	for _, l := range letters {
		out = append(out, l.ID)
	}
	return out, err
}
