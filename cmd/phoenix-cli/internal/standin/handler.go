package standin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Echo is a stand-in's answer: the request as it arrived.
type Echo struct {
	Service string      `json:"service"`
	Method  string      `json:"method"`
	Path    string      `json:"path"`
	Query   string      `json:"query,omitempty"`
	Host    string      `json:"host"`
	Headers http.Header `json:"headers"`
	// BodyLength is how many bytes the request's body had.
	BodyLength int64  `json:"body_length"`
	Proto      string `json:"proto"`
	Remote     string `json:"remote"`
	// TLSServerName is the name that the client asked for; empty without TLS.
	TLSServerName string `json:"tls_server_name,omitempty"`
}

// handler answers for one service.
type handler struct{ service string }

// newHandler returns the answers of the named service: WebSocket messages come
// back, gRPC messages come back, /stream streams, and any other request is
// described in JSON.
func newHandler(service string) http.Handler { return handler{service: service} }

// ServeHTTP implements http.Handler.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Stand-In", h.service)
	switch {
	case strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		echoMessages(w, r)
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc"):
		echoCall(w, r)
	case r.URL.Path == "/stream":
		stream(w, r)
	default:
		h.describe(w, r)
	}
}

// describe counts the body, keeps nothing of it, and says what arrived.
func (h handler) describe(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		http.Error(w, "body broke off: "+err.Error(), http.StatusBadRequest)
		return
	}
	echo := Echo{
		Service: h.service, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Host: r.Host,
		Headers: r.Header, BodyLength: n, Proto: r.Proto, Remote: r.RemoteAddr,
	}
	if r.TLS != nil {
		echo.TLSServerName = r.TLS.ServerName
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(echo) // a client that went away needs no answer
}

// maxMessage is the largest WebSocket message that is sent back, in bytes.
const maxMessage = 1 << 20

// echoMessages sends every WebSocket message back until either side ends.
func echoMessages(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // nothing here is worth asking for the origin
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxMessage)
	for {
		if err := echoMessage(r.Context(), conn); err != nil {
			code := websocket.StatusGoingAway
			if websocket.CloseStatus(err) != -1 {
				code = websocket.StatusNormalClosure
			}
			_ = conn.Close(code, "")
			return
		}
	}
}

func echoMessage(ctx context.Context, conn *websocket.Conn) error {
	kind, message, err := conn.Read(ctx)
	if err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	if err := conn.Write(ctx, kind, message); err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	return nil
}

// echoCall sends back what a gRPC client sends, while it is sending, and says in
// the end that all went well. It needs no knowledge of the messages.
func echoCall(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	w.Header().Set("Trailer", "Grpc-Status")
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	_ = control.Flush()
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Body.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return
			}
			_ = control.Flush()
		}
		if errors.Is(err, io.EOF) {
			w.Header().Set("Grpc-Status", "0")
			return
		}
		if err != nil {
			return
		}
	}
}

// The bounds of a stream.
const (
	maxChunks   = 10000
	maxInterval = 10 * time.Second
)

// stream sends lines one by one: as many as the query's n (5), with the time of
// every (100ms) between them.
func stream(w http.ResponseWriter, r *http.Request) {
	n, interval, err := streamQuery(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	control := http.NewResponseController(w)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for i := range n {
		if i > 0 {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
			}
		}
		if _, err := fmt.Fprintf(w, "chunk %d of %d\n", i+1, n); err != nil {
			return
		}
		if err := control.Flush(); err != nil {
			return
		}
	}
}

func streamQuery(r *http.Request) (n int, interval time.Duration, err error) {
	n, interval = 5, 100*time.Millisecond
	if s := r.URL.Query().Get("n"); s != "" {
		if n, err = strconv.Atoi(s); err != nil || n < 1 || n > maxChunks {
			return 0, 0, fmt.Errorf("n is not a number from 1 to %d", maxChunks)
		}
	}
	if s := r.URL.Query().Get("every"); s != "" {
		if interval, err = time.ParseDuration(s); err != nil || interval <= 0 || interval > maxInterval {
			return 0, 0, fmt.Errorf("every is not a time up to %s, such as 50ms", maxInterval)
		}
	}
	return n, interval, nil
}
