// Command phoenix-cli brings a Phoenix stack up and down, and tells about it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], cli.World{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Program: os.Args[0], Getenv: os.Getenv, Environ: os.Environ,
	})
	stop()
	os.Exit(code)
}
