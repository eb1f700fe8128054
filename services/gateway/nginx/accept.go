package nginx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// testTimeout bounds nginx's look at a configuration.
const testTimeout = 20 * time.Second

// RefusedError says why a configuration was not applied. The former one serves
// on.
type RefusedError struct {
	Reason string // nginx's own words, one finding per line
}

// Error implements error.
func (e *RefusedError) Error() string { return "nginx configuration refused: " + e.Reason }

// test has nginx judge the candidate.
func (s *Server) test(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	args := s.command(candidate, "-t", "-q")
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // the nginx that was configured
	cmd.Dir = s.prefix
	cmd.WaitDelay = time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && errors.As(err, &exit) && exit.Exited():
		return &RefusedError{Reason: findings(said.String())}
	}
	return fmt.Errorf("test nginx configuration: %w", err)
}

// findings keeps what nginx complained of, without the lines that only sum up.
func findings(said string) string {
	var lines []string
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasSuffix(line, " test failed") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
