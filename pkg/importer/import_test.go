package importer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/events"
)

const oneVM = `{"vms": [{"vmid": 1, "name": "a", "start_at_boot": true, "network_config": {"ip": "10.0.0.1/24"}, "traefik_service": {"name": "web", "port": 80}}]}`

// folderOf writes files and returns their folder.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// problemsText renders problems as "level file path".
func problemsText(r Result) []string {
	var out []string
	for _, p := range r.Problems {
		out = append(out, fmt.Sprintf("%s %s %s", p.Level, p.File, p.Path))
	}
	return out
}

func TestImportBrokenFilesAmongGoodOnes(t *testing.T) {
	dir := folderOf(t, map[string]string{
		"phoenix_vm_configs.json":       oneVM,
		"phoenix_lxc_configs.json":      `{"lxc_configs": {"101": {"name": "x",}}}`,
		"phoenix_stacks_config.json":    `{"stacks": {}}`,
		"huge.json":                     `"` + strings.Repeat("x", maxFileBytes) + `"`,
		"deep.json":                     strings.Repeat("[", 20_000),
		"notes.json":                    `{"a": 1}`,
		"phoenix_vm.schema.json":        `{`,
		"readme.txt":                    `{`,
		".git/config.json":              `{`,
		"sub/certificate-manifest.json": `[]`,
	})
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Import(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"error deep.json " + strings.Repeat("[0]", 100),
		"error huge.json ",
		"info notes.json ",
		"error phoenix_lxc_configs.json lxc_configs.101",
		"error phoenix_stacks_config.json ",
		"info phoenix_vm_configs.json ",
		"error pipe.json ",
	}
	got := problemsText(r)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if len(r.Stack.Services) != 1 || r.Stack.Services[0].Name != "web" {
		t.Errorf("services %+v", r.Stack.Services)
	}
}

func TestImportLoneFile(t *testing.T) {
	dir := folderOf(t, map[string]string{"machines.json": oneVM, "other.json": `{"a": 1}`})
	r, err := Import(filepath.Join(dir, "machines.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := Service{Name: "web", Hosts: []string{"web.phoenix.localhost"}, State: events.StatePending}
	if len(r.Services) != 1 || fmt.Sprint(r.Services[0]) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", r.Services, want)
	}
	if got, want := problemsText(r), []string{"info machines.json "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestImportTellsFilesOfTwoFoldersApart(t *testing.T) {
	one, two := folderOf(t, map[string]string{"a.json": `{"a": 1}`}), folderOf(t, map[string]string{"a.json": `{"a": 1}`})
	r, err := Import(one, two, filepath.Join(two, "a.json"))
	if !errors.Is(err, ErrNothing) {
		t.Fatal(err)
	}
	other := filepath.Base(two) + "/a.json "
	if got, want := problemsText(r), []string{"info a.json ", "error " + other, "info " + other}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestImportNothing(t *testing.T) {
	dir := folderOf(t, map[string]string{"a.json": `{"a": 1}`, "b.json": `]`})
	r, err := Import(dir)
	if !errors.Is(err, ErrNothing) {
		t.Errorf("got %v, want ErrNothing", err)
	}
	if got, want := problemsText(r), []string{"info a.json ", "error b.json "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := Import(filepath.Join(dir, "a.json")); !errors.Is(err, ErrNothing) {
		t.Errorf("got %v, want ErrNothing", err)
	}
	if _, err := Import(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want os.ErrNotExist", err)
	}
}

func TestImportFilesOfStacks(t *testing.T) {
	dir := folderOf(t, map[string]string{
		"stacks/web/phoenix.json":       `{"compose_file_path": "docker-compose.yml", "environments": {"prod": {"files": [{"source": "gone.env"}, {"source": "../../../etc/passwd"}, {"source": "/etc/passwd"}]}}}`,
		"stacks/web/docker-compose.yml": ``,
		"phoenix_vm_configs.json":       `{"vms": [{"vmid": 1, "docker_stacks": ["web"]}]}`,
	})
	r, err := Import(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"info phoenix_vm_configs.json ",
		"error stacks/web/phoenix.json environments.prod.files[0].source",
		"error stacks/web/phoenix.json environments.prod.files[1].source",
	}
	if got := problemsText(r); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestImportSharedDuplicateKeys(t *testing.T) {
	r := importShared(t, "extra-2025-10-08-duplicate-keys")
	if !slices.Contains(problemsText(r), "error phoenix_hypervisor_config.json shared_volumes.firewall") {
		t.Errorf("the key given twice is not reported: %q", problemsText(r))
	}
}

func TestImportSharedStackManifests(t *testing.T) {
	r := importShared(t, "extra-2025-11-14-stack-manifests")
	if len(r.Services) != 5 {
		t.Errorf("%d services, want 5", len(r.Services))
	}
	for _, s := range r.Services {
		if s.State != events.StateFailed || !strings.Contains(s.Why, "no guest in these files deploys stack") {
			t.Errorf("%+v", s)
		}
	}
}

// TestImportLarge keeps the work in proportion to the input, however it is made.
func TestImportLarge(t *testing.T) {
	var guests, certs strings.Builder
	for i := range maxEntries {
		fmt.Fprintf(&guests, `%s{"vmid": %d, "name": "g", "dependencies": [%d], "network_config": {"ip": "10.0.0.1/8"}, "traefik_service": {"name": "a b", "port": 80}}`, comma(i), i+1, i)
		fmt.Fprintf(&certs, `%s{"common_name": "a%d.lab.test"}`, comma(i), i)
	}
	r, err := assemble([]source{
		{name: "vm.json", raw: []byte(`{"vms": [` + guests.String() + `]}`)},
		{name: "lxc.json", raw: []byte(noLXC)},
		{name: "hyper.json", raw: []byte(hyper)},
		{name: "certs.json", raw: []byte(`[` + certs.String() + `]`)},
		{name: "too-many.json", raw: []byte(`{"vms": [` + guests.String() + `, {}]}`)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) != maxProblems+1 || !strings.HasSuffix(r.Problems[maxProblems].Message, "more problems are not shown") {
		t.Errorf("%d problems, the last %+v", len(r.Problems), r.Problems[len(r.Problems)-1])
	}
	if len(r.Services) != 1 {
		t.Errorf("%d services, want the one that all of them are", len(r.Services))
	}
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// FuzzImport feeds one file of each kind with anything: no panic, and whatever
// is taken over makes a valid stack.
func FuzzImport(f *testing.F) {
	for _, name := range []string{"clean", "mistakes"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "examples", "older-system", name, "*.json"))
		if err != nil || len(files) == 0 {
			f.Fatal(err, files)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := assemble([]source{
			{name: "input.json", raw: raw, given: true},
			{name: "vm.json", raw: []byte(oneVM)}, {name: "lxc.json", raw: []byte(noLXC)}, {name: "hyper.json", raw: []byte(hyper)},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Stack.Validate(); err != nil {
			t.Fatalf("the stack is not valid: %v", err)
		}
		if _, err := r.YAML(); err != nil {
			t.Fatal(err)
		}
	})
}
