package act

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nats-io/nkeys"

	"github.com/phoenix-platform/phoenix/pkg/events"
	"github.com/phoenix-platform/phoenix/services/provisioner/blueprint"
	"github.com/phoenix-platform/phoenix/services/provisioner/driver"
)

// filled is what came of filling a container.
type filled struct {
	changed bool
	curve   string // public curve key
}

// fill puts everything into a container that its service needs, and defines the
// unit that runs it. A service whose program, configuration or keys are new is
// restarted by that; no other.
func (w *World) fill(ctx context.Context, ref driver.Ref, plan blueprint.Container) (filled, error) {
	files, err := w.files(plan)
	if err != nil {
		return filled{}, err
	}
	curve, changed, err := w.curve(ctx, ref)
	if err != nil {
		return filled{}, err
	}
	content := sha256.New()
	_, _ = fmt.Fprintln(content, curve)
	for _, f := range files {
		pushed, err := w.Driver.Push(ctx, ref, f)
		if err != nil {
			return filled{}, err
		}
		changed = changed || pushed
		_, _ = fmt.Fprintf(content, "%s %o %x\n", f.Path, f.Mode, sha256.Sum256(f.Data))
	}
	program, err := w.programs.of(plan.Unit.Exec[0])
	if err != nil {
		return filled{}, err
	}
	_, _ = fmt.Fprintln(content, program)
	plan.Unit.Digest = hex.EncodeToString(content.Sum(nil))
	defined, err := w.Driver.InstallUnit(ctx, ref, plan.Unit)
	if err != nil {
		return filled{}, err
	}
	return filled{changed: changed || defined, curve: curve}, nil
}

// files returns what goes into a container besides its curve key.
func (w *World) files(plan blueprint.Container) ([]driver.File, error) {
	config, err := plan.Config.Marshal()
	if err != nil {
		return nil, err
	}
	identity, err := w.identity(plan.Identity)
	if err != nil {
		return nil, err
	}
	busCA, err := os.ReadFile(w.BusCA)
	if err != nil {
		return nil, fmt.Errorf("read the bus's certificates: %w", err)
	}
	return []driver.File{
		{Path: blueprint.StateFolder, Mode: fs.ModeDir | 0o700},
		{Path: blueprint.BusCAFile, Mode: 0o600, Data: busCA},
		{Path: blueprint.IdentityFile, Mode: 0o600, Data: identity},
		{Path: blueprint.ConfigFile, Mode: 0o600, Data: config},
	}, nil
}

// identity reads the bus seed of a service.
func (w *World) identity(id events.Identity) ([]byte, error) {
	seed, err := os.ReadFile(filepath.Join(w.Identities, string(id)+".nk"))
	if err != nil {
		return nil, fmt.Errorf("read the bus identity of %s: %w", id, err)
	}
	return seed, nil
}

// curve returns the public curve key of a container. The private one is made
// when the container is, and lies nowhere but in it; where it is missing or
// broken, the container gets another pair.
func (w *World) curve(ctx context.Context, ref driver.Ref) (public string, changed bool, err error) {
	seed, err := w.Driver.Pull(ctx, ref, blueprint.CurveFile)
	if err == nil {
		if public, err := publicCurve(seed); err == nil {
			return public, false, nil
		}
		w.Log.WarnContext(ctx, "curve key is broken; making another one", "container", ref.ID)
	} else if !errors.Is(err, driver.ErrNotFound) {
		return "", false, err
	}
	pair, err := nkeys.CreateCurveKeys()
	if err != nil {
		return "", false, fmt.Errorf("make a curve key: %w", err)
	}
	defer pair.Wipe()
	if seed, err = pair.Seed(); err != nil {
		return "", false, fmt.Errorf("make a curve key: %w", err)
	}
	if public, err = pair.PublicKey(); err != nil {
		return "", false, fmt.Errorf("make a curve key: %w", err)
	}
	_, err = w.Driver.Push(ctx, ref, driver.File{Path: blueprint.CurveFile, Mode: 0o600, Data: seed})
	return public, true, err
}

func publicCurve(seed []byte) (string, error) {
	pair, err := nkeys.FromCurveSeed(seed)
	if err != nil {
		return "", err
	}
	defer pair.Wipe()
	return pair.PublicKey()
}
