package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/saga"
)

// readPublic reads what others were last told about a stack.
func (l *Ledger) readPublic(ctx context.Context, stack string) (map[string][]byte, error) {
	out, err := l.bucket.List(ctx, stackKey+stack)
	if err != nil {
		return nil, fmt.Errorf("read state of stack %s: %w", stack, err)
	}
	for key := range out {
		if key != stackKey+stack {
			delete(out, key)
		}
	}
	containers, err := l.bucket.List(ctx, containerKey)
	if err != nil {
		return nil, fmt.Errorf("read containers of stack %s: %w", stack, err)
	}
	for key, raw := range containers {
		var c events.ContainerState
		if err := json.Unmarshal(raw, &c); err == nil && c.Stack == stack {
			out[key] = raw
		}
	}
	return out, nil
}

// tell lets others read what has become of a stack. Containers that are gone
// are forgotten.
func (l *Ledger) tell(ctx context.Context, s saga.State) error {
	told, err := l.told(ctx, s.Stack)
	if err != nil {
		return err
	}
	wanted, err := public(s)
	if err != nil {
		return err
	}
	for key, raw := range wanted {
		if bytes.Equal(told[key], raw) {
			continue
		}
		if _, err := l.bucket.Put(ctx, key, raw); err != nil {
			return fmt.Errorf("tell about %s: %w", key, err)
		}
		told[key] = raw
	}
	for key := range told {
		if _, stays := wanted[key]; stays {
			continue
		}
		if err := l.bucket.Delete(ctx, key); err != nil {
			return fmt.Errorf("forget %s: %w", key, err)
		}
		delete(told, key)
	}
	return nil
}

// told returns what others were last told about a stack. It is read once.
func (l *Ledger) told(ctx context.Context, stack string) (map[string][]byte, error) {
	if told, ok := l.public[stack]; ok {
		return told, nil
	}
	told, err := l.readPublic(ctx, stack)
	if err == nil {
		l.public[stack] = told
	}
	return told, err
}

// public renders what others may read of a state: key → JSON.
func public(s saga.State) (map[string][]byte, error) {
	if s.Sequence == 0 {
		return nil, nil // nobody ever asked for it
	}
	values := map[string]any{stackKey + s.Stack: s.Public()}
	for _, c := range s.PublicContainers() {
		values[containerKey+strconv.Itoa(c.ID)] = c
	}
	out := map[string][]byte{}
	for key, v := range values {
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", key, err)
		}
		out[key] = raw
	}
	return out, nil
}
