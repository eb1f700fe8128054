package await_test

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/cmd/phoenix-cli/internal/await"
)

// door is a front door that answers 503 a few times before it opens. Its
// certificate is for example.com.
func door(t *testing.T, busy int32) (address, root string) {
	t.Helper()
	var asked atomic.Int32
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) <= busy {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(srv.Close)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	return srv.Listener.Addr().String(), string(cert)
}

func TestFrontDoor(t *testing.T) {
	address, root := door(t, 2)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := await.FrontDoor(ctx, "https://example.com/", address, root); err != nil {
		t.Error(err)
	}
}

func TestFrontDoorStaysShut(t *testing.T) {
	address, root := door(t, 1<<30)
	other, _ := door(t, 0)
	tests := map[string]struct{ url, address, want string }{
		"answers 503":      {"https://example.com/", address, "answered 503"},
		"wrong name":       {"https://gateway.phoenix.localhost/", other, "certificate is valid for"},
		"nobody is there":  {"https://example.com/", "127.18.0.1:1", "connection refused"},
		"not a URL at all": {"https://%zz/", address, "invalid URL escape"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			err := await.FrontDoor(ctx, tt.url, tt.address, root)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if err := await.FrontDoor(t.Context(), "https://example.com/", address, "no PEM"); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a complaint about the root", err)
	}
}
