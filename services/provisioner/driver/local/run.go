package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
)

// maxOutput is how much of what a command says is kept, in bytes.
const maxOutput = 64 << 10

// Run implements [driver.Driver]. The command runs in the container's folder,
// with a clean environment.
func (d *Driver) Run(ctx context.Context, r driver.Ref, c driver.Command) (driver.Output, error) {
	if len(c.Exec) == 0 {
		return driver.Output{}, errors.New("run a command: none is given")
	}
	if err := d.check(r); err != nil {
		return driver.Output{}, err
	}
	var stdout, stderr bounded
	cmd := exec.CommandContext(ctx, c.Exec[0], c.Exec[1:]...) //nolint:gosec // running what the caller says is its purpose
	cmd.Dir = d.Root(r.ID)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + cmd.Dir}
	cmd.Stdin = bytes.NewReader(c.Stdin)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	out := driver.Output{Stdout: stdout.kept, Stderr: stderr.kept}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return out, fmt.Errorf("run %s in container %d: %w", c.Exec[0], r.ID, ctx.Err())
	case errors.As(err, &exit):
		out.Code = exit.ExitCode()
		return out, nil
	case err != nil:
		return out, fmt.Errorf("run %s in container %d: %w", c.Exec[0], r.ID, err)
	}
	return out, nil
}

// bounded keeps the beginning of what is written to it.
type bounded struct{ kept []byte }

// Write takes everything and keeps what there is room for.
func (b *bounded) Write(p []byte) (int, error) {
	b.kept = append(b.kept, p[:min(len(p), maxOutput-len(b.kept))]...)
	return len(p), nil
}
