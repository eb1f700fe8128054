package nginxtest

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"testing"

	"github.com/phoenix-platform/phoenix/pkg/seal"
)

// Echo is what the stand-in for Traefik saw of a request.
type Echo struct {
	Method, Path, Host, Proto, RemoteAddr, ServerName string
	Header                                            http.Header
}

// Traefik is an HTTPS server with HTTP/2 that answers what tests ask for by
// path:
//
//	/echo      the request as Echo
//	/length    reads the body and answers its length
//	/drip      writes a line, and each further line when it has read one
//	/ws        switches protocols and sends back what comes
//	/status/N  answers with the status N
type Traefik struct {
	Addr netip.AddrPort

	server *httptest.Server
}

// Close ends it before the test ends.
func (t *Traefik) Close() {
	t.server.CloseClientConnections()
	t.server.Close()
}

// StartTraefik serves at ip, with the pair's certificate, until the test ends.
func StartTraefik(tb testing.TB, ip string, pair seal.Pair) *Traefik {
	tb.Helper()
	return StartTraefikAt(tb, Free(tb, ip), pair)
}

// StartTraefikAt serves at addr.
func StartTraefikAt(tb testing.TB, addr netip.AddrPort, pair seal.Pair) *Traefik {
	tb.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/", echo)
	mux.HandleFunc("/length", length)
	mux.HandleFunc("/drip", drip)
	mux.HandleFunc("/ws", websocket)
	mux.HandleFunc("/status/{code}", status)
	srv := httptest.NewUnstartedServer(mux)
	srv.EnableHTTP2 = true
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{TLS(tb, pair)}, MinVersion: tls.VersionTLS12}
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	if err := srv.Listener.Close(); err != nil {
		tb.Fatal(err)
	}
	var config net.ListenConfig
	var err error
	if srv.Listener, err = config.Listen(tb.Context(), "tcp", addr.String()); err != nil {
		tb.Fatal(err)
	}
	srv.StartTLS()
	t := &Traefik{Addr: addr, server: srv}
	tb.Cleanup(t.Close)
	return t
}

func echo(w http.ResponseWriter, r *http.Request) {
	_ = json.NewEncoder(w).Encode(Echo{
		Method: r.Method, Path: r.RequestURI, Host: r.Host, Proto: r.Proto, RemoteAddr: r.RemoteAddr,
		ServerName: r.TLS.ServerName, Header: r.Header,
	})
}

func length(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = io.WriteString(w, strconv.FormatInt(n, 10))
}

// drip talks in turns, as a bidirectional stream of gRPC does, and ends with a
// trailer.
func drip(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	_ = rc.EnableFullDuplex()
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	w.Header().Set("Trailer", "Grpc-Status")
	_, _ = io.WriteString(w, "hello\n")
	_ = rc.Flush()
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() {
		_, _ = io.WriteString(w, r.Proto+" "+lines.Text()+"\n")
		_ = rc.Flush()
	}
	w.Header().Set("Grpc-Status", "0")
}

func websocket(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" || r.Header.Get("Connection") != "upgrade" {
		http.Error(w, "no upgrade", http.StatusUpgradeRequired)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+r.Header.Get("Upgrade")+"\r\n\r\n")
	_, _ = io.Copy(conn, buffered)
}

func status(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.PathValue("code"))
	if err != nil {
		code = http.StatusBadRequest
	}
	w.WriteHeader(code)
}
