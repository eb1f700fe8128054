package traefik

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	logTail   = 256 << 10 // bytes at the end of the log that are looked at
	maxReason = 300       // bytes of one reason
)

// OrderErrors reads the end of Traefik's log and returns, by host, why its newest
// order failed. Traefik's API does not tell.
func OrderErrors(log string) (map[string]string, error) {
	tail, err := readTail(log)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Traefik's log: %w", err)
	}
	out := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(tail))
	lines.Buffer(nil, logTail+1)
	for lines.Scan() {
		var line struct {
			Level   string   `json:"level"`
			Error   string   `json:"error"`
			Domains []string `json:"domains"`
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Level != "error" {
			continue
		}
		for _, host := range line.Domains {
			out[host] = brief(line.Error)
		}
	}
	return out, nil
}

func readTail(path string) ([]byte, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if over := info.Size() - logTail; over > 0 {
		if _, err := f.Seek(over, io.SeekStart); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(f, logTail))
}

// brief takes the part of the error that tells, on one line.
func brief(text string) string {
	if _, after, ok := strings.Cut(text, "had a problem:"); ok {
		text = after
	}
	text = strings.Join(strings.Fields(text), " ")
	text = strings.TrimSuffix(text, ", url:")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}
