package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The sections of a command's help besides what cobra knows, by their
// annotation.
const (
	sectionExit  = "EXIT STATUS"
	sectionFiles = "FILES"
	sectionEnv   = "ENVIRONMENT"
	sectionJSON  = "JSON"
)

// configFlag marks the flags that stand for keys of phoenix.yaml.
const configFlag = "phoenix.yaml"

// section adds a section to the command's help.
func section(cmd *cobra.Command, title, text string) {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[title] = text
}

const exitStatus = `0  done, or nothing had to be done
1  tried and failed
2  wrong use of the command, or wrong configuration
3  not ready in time; what was begun goes on`

// help writes the manual of a command.
func help(cmd *cobra.Command, _ []string) { manual(cmd, cmd.OutOrStdout()) }

func manual(cmd *cobra.Command, w io.Writer) {
	var b strings.Builder
	part := func(title, text string) {
		if text = strings.Trim(text, "\n"); text != "" {
			b.WriteString(title + "\n" + indented(text) + "\n\n")
		}
	}
	part("NAME", cmd.CommandPath()+" - "+cmd.Short)
	part("SYNOPSIS", synopsis(cmd))
	part("DESCRIPTION", cmd.Long)
	part("COMMANDS", commands(cmd))
	part("EXAMPLES", cmd.Example)
	part("OPTIONS", flagTable(cmd.LocalNonPersistentFlags(), false))
	part("CONFIGURATION", flagTable(cmd.LocalNonPersistentFlags(), true))
	part("OPTIONS OF EVERY COMMAND", flagTable(cmd.Root().PersistentFlags(), false))
	part(sectionJSON, cmd.Annotations[sectionJSON])
	part(sectionFiles, cmd.Annotations[sectionFiles])
	part(sectionEnv, cmd.Annotations[sectionEnv])
	exit := cmd.Annotations[sectionExit]
	if exit == "" {
		exit = exitStatus
	}
	part(sectionExit, exit)
	_, _ = io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
}

func synopsis(cmd *cobra.Command) string {
	if !cmd.HasAvailableSubCommands() {
		return cmd.UseLine()
	}
	return cmd.CommandPath() + " COMMAND [flags]"
}

// commands lists the commands below cmd, group by group.
func commands(cmd *cobra.Command) string {
	var b strings.Builder
	list := func(group string) {
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() && sub.GroupID == group {
				fmt.Fprintf(&b, "  %-12s %s\n", sub.Name(), sub.Short)
			}
		}
	}
	list("")
	for _, g := range cmd.Groups() {
		b.WriteString(g.Title + "\n")
		list(g.ID)
	}
	if b.Len() > 0 {
		fmt.Fprintf(&b, "\n%s COMMAND --help tells more.\n", cmd.CommandPath())
	}
	return b.String()
}

// flagTable describes the flags, those of the configuration or the others.
func flagTable(all *pflag.FlagSet, ofConfig bool) string {
	chosen := pflag.NewFlagSet("", pflag.ContinueOnError)
	chosen.SortFlags = false
	all.VisitAll(func(f *pflag.Flag) {
		if _, is := f.Annotations[configFlag]; is == ofConfig && f.Name != "help" {
			chosen.AddFlag(f)
		}
	})
	return unindented(chosen.FlagUsagesWrapped(96))
}

func indented(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if l != "" {
			lines[i] = "    " + l
		}
	}
	return strings.Join(lines, "\n")
}

// unindented removes the two blanks that pflag begins its lines with.
func unindented(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, "  ")
	}
	return strings.Join(lines, "\n")
}
