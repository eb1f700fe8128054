package cli_test

import (
	"errors"
	"os/exec"
	"strconv"
)

// exitCode reads the exit code from the error of a command that ended.
func exitCode(err error) string {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return strconv.Itoa(exit.ExitCode())
	}
	return err.Error()
}
