package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/fault"
	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/view"
	"github.com/phoenix-platform/phoenix/pkg/importer"
)

func newImport(a *app) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "import FILE|FOLDER... [flags]",
		GroupID: groupServices,
		Short:   "turn the older system's JSON into a phoenix.yaml",
		Long: `Reads the JSON files of the older Phoenix Hypervisor, names what is wrong in them
with file, place and what to do about it, and writes a phoenix.yaml with every
service that can be served. Services that can't are named with the reason.

What is wrong in the input does not make the command fail; a file or folder that
can't be read does.`,
		Example: `phoenix-cli import /usr/local/phoenix_hypervisor/etc --out phoenix.yaml
phoenix-cli import etc/ stacks/ -o json | jq '.problems[] | select(.level == "error")'
phoenix-cli up -f phoenix.yaml --stand-in-backends`,
		Args: takesSome("FILE or FOLDER"),
		RunE: func(_ *cobra.Command, args []string) error { return a.importFiles(args, out) },
	}
	cmd.Flags().StringVar(&out, "out", "", "`file` to write; an existing one is replaced")
	_ = cmd.MarkFlagFilename("out", "yaml", "yml")
	section(cmd, sectionJSON, `One object; its schema is docs/cli/import.schema.json:
{"services":[{"name","hosts","state","why"}],
 "problems":[{"level","file","path","message","hint"}],"written"}`)
	return cmd
}

func (a *app) importFiles(paths []string, out string) error {
	r, err := importer.Import(paths...)
	nothing := errors.Is(err, importer.ErrNothing)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return fault.Misuse(err, "name files and folders that can be read")
	case err != nil && !nothing:
		return err
	}
	if out != "" && !nothing {
		if r.Written, err = writeStack(r, out); err != nil {
			return err
		}
	}
	if err := a.write(r, func(w io.Writer, style view.Style) error { return importer.Render(w, r, style.Color) }); err != nil {
		return err
	}
	if nothing {
		return fault.Misuse(importer.ErrNothing, "name the folder that holds the older system's *.json")
	}
	return nil
}

func writeStack(r importer.Result, out string) (string, error) {
	raw, err := r.YAML()
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(out)
	if err != nil {
		return "", fmt.Errorf("write %s: %w", out, err)
	}
	if err := renameio.WriteFile(path, raw, 0o644); err != nil {
		return "", fault.Failure(fmt.Errorf("write %s: %w", out, err), "choose another file with --out")
	}
	return path, nil
}
