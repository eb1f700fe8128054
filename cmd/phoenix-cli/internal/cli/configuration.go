package cli

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/pkg/config"
)

// defaultFile is read by up and plan when no other is named and it is there.
const defaultFile = "phoenix.yaml"

// configFlags are the flags of commands that take a configuration.
type configFlags struct {
	file string
	keys *pflag.FlagSet
}

// bind adds -f and a flag for every key of phoenix.yaml.
func (c *configFlags) bind(cmd *cobra.Command) {
	set := cmd.Flags()
	set.StringVarP(&c.file, "file", "f", "", "configuration `file` (default: phoenix.yaml in the current folder, else what the last up used)")
	_ = cmd.MarkFlagFilename("file", "yaml", "yml")
	c.keys = pflag.NewFlagSet("configuration", pflag.ContinueOnError)
	config.BindFlags(c.keys)
	c.keys.VisitAll(func(f *pflag.Flag) {
		f.Annotations = map[string][]string{configFlag: {f.Name}}
		f.DefValue = "" // the file's, or the built-in one
		set.AddFlag(f)
	})
}

// resolve returns the configuration: built-in values, then a file, then the
// environment, then flags. It also tells which file was read, if any.
func (a *app) resolve(c configFlags, cmd *cobra.Command) (config.Stack, string, error) {
	file, err := a.configFile(c.file)
	if err != nil {
		return config.Stack{}, "", err
	}
	s, err := config.Resolve(file, a.Getenv, cmd.Flags())
	if errors.Is(err, fs.ErrNotExist) {
		return config.Stack{}, "", fault.Misuse(err, "name a file that is there, or leave -f out")
	}
	return s, file, fault.Misuse(err, "correct it and try again; nothing was changed")
}

// configFile is the file to read: the one that was named, or phoenix.yaml in
// the current folder, or what the last up left in the home.
func (a *app) configFile(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	root, err := a.homeRoot()
	if err != nil {
		return "", fault.Misuse(err, "")
	}
	for _, path := range []string{defaultFile, storedPath(root)} {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", nil
}

// configHelp tells where the configuration comes from.
const configHelp = `The configuration is phoenix.yaml: the file named with -f, else phoenix.yaml in
the current folder, else the one that the last up used, else a built-in one
without services. Every key can also be given in the environment, PHOENIX_DOMAIN
for domain, and as a flag; flags win over the environment, the environment over
the file.`
