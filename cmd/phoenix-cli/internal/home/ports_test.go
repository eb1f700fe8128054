package home

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/procfs"
)

// listenForTest is what the test's own binary does when it is executed as a
// process that holds a port: it says where, until its input ends.
func listenForTest() {
	l, err := net.Listen("tcp", "127.14.1.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stdout, l.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = l.Close()
}

// startListener executes a process of that home, or of none, that holds a port.
func startListener(t *testing.T, root string) (address string, pid int) {
	t.Helper()
	cmd := listenCommand(t)
	if root != "" {
		cmd.Env = append(cmd.Env, "PHOENIX_HOME="+root)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line), cmd.Process.Pid
}

// listenCommand is this test's own binary as a process that holds a port.
func listenCommand(t *testing.T) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = []string{"PHOENIX_TEST_LISTEN=1"}
	cmd.Dir = "/"
	return cmd
}

// start executes cmd until the test ends.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
}

// TestHomeOfAProcessWithoutEnvironment finds the home of a process that shows
// nothing but its output, or its folder.
func TestHomeOfAProcessWithoutEnvironment(t *testing.T) {
	h, err := Open(filepath.Join(t.TempDir(), "home"), "127.14.1")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(h.Logs(), 0o700); err != nil {
		t.Fatal(err)
	}
	heard := listenCommand(t)
	path := filepath.Join(h.Logs(), "nginx.log")
	log, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	heard.Stdout = log
	start(t, heard)
	placed := listenCommand(t)
	placed.Dir = h.Logs()
	placed.Stdout, err = os.Create(filepath.Join(t.TempDir(), "elsewhere"))
	if err != nil {
		t.Fatal(err)
	}
	start(t, placed)
	for _, cmd := range []*exec.Cmd{heard, placed} {
		p, err := procfs.NewProc(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if got := homeOf(p); got != h.Root {
			t.Errorf("got %q, want %q", got, h.Root)
		}
	}
}

func TestPortHolder(t *testing.T) {
	root := filepath.Join(t.TempDir(), "home")
	address, pid := startListener(t, root)
	got, err := PortHolder(address)
	if err != nil || got.PID != pid || got.Home != root || !strings.HasPrefix(got.Command, "home.test") {
		t.Fatalf("got %+v, %v, want process %d of %s", got, err, pid, root)
	}
	if want := fmt.Sprintf("process %d (home.test) of the Phoenix home %s", pid, root); got.String() != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := PortHolder("127.14.1.1:1"); !errors.Is(err, ErrNoHolder) {
		t.Errorf("free: got %v, want ErrNoHolder", err)
	}
	if _, err := PortHolder("localhost:1"); err == nil {
		t.Error("name: got no error")
	}
}

func TestCheckPorts(t *testing.T) {
	h, err := Open(filepath.Join(t.TempDir(), "home"), "127.14.1")
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other")
	foreign, _ := startListener(t, other)
	stranger, pid := startListener(t, "")
	own, _ := startListener(t, h.Root)

	if err := h.CheckPorts(t.Context(), []string{own, "127.14.1.1:0"}); err != nil {
		t.Errorf("own and free: %v", err)
	}
	err = h.CheckPorts(t.Context(), []string{foreign, stranger, "192.0.2.1:1"})
	var taken *PortError
	if !errors.As(err, &taken) || taken.Holder == nil || taken.Holder.Home != other {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		"PHOENIX_HOME=" + other + " phoenix-cli down",
		fmt.Sprintf("address %s is taken by process %d", stranger, pid),
		"192.0.2.1:1 is not one of this machine",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

func TestHolderOfAnotherUser(t *testing.T) {
	if got, want := (Holder{UID: 0}).String(), "a process of user root"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestShorten(t *testing.T) {
	tests := map[string]struct {
		line []string
		want string
	}{
		"program":     {[]string{"/usr/bin/traefik", "--configfile=/x"}, "traefik"},
		"sub-command": {[]string{"/opt/phoenix-cli", "host", "--verbose"}, "phoenix-cli host"},
		"title":       {[]string{"nginx: master process /usr/sbin/nginx -c /x"}, "nginx: master process /usr/sbin/nginx -c /x"},
		"no secrets":  {[]string{"/bin/x", "PASSWORD=1"}, "x"},
		"no file":     {[]string{"/bin/sh", "/root/x.sh"}, "sh"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := shorten(tt.line); got != tt.want {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
		})
	}
}
