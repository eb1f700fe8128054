// Package testacme is an ACME server (RFC 8555) for tests, just enough for real
// clients: it checks TLS-ALPN-01 challenges by real handshakes at one address and
// signs with a test CA. It believes every signature.
package testacme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/phoenix-platform/phoenix/services/proxyconf/internal/testca"
)

// Server is an ACME server that ends with the test.
type Server struct {
	t        testing.TB
	ca       *testca.CA
	validate string // host:port where challenges are checked
	http     *httptest.Server

	mu      sync.Mutex
	cert    *tls.Certificate
	orders  []*order
	refused map[string]bool
	life    time.Duration
	issued  int
	denied  int
}

type order struct {
	Host  string
	Valid bool
	Chain []byte
}

// Start serves on a loopback address at a port of its own.
func Start(t testing.TB, ca *testca.CA, listen, validate string) *Server {
	t.Helper()
	s := &Server{t: t, ca: ca, validate: validate, refused: map[string]bool{}, life: 24 * time.Hour}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		t.Fatal(err)
	}
	s.http = httptest.NewUnstartedServer(s.handler())
	_ = s.http.Listener.Close()
	s.cert = &ca.Server(t, host).Certificates[0]
	s.http.Listener, s.http.TLS = l, &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: s.present}
	s.http.StartTLS()
	t.Cleanup(s.http.Close)
	return s
}

// present shows the server's own certificate.
func (s *Server) present(*tls.ClientHelloInfo) (*tls.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &tls.Config{Certificates: []tls.Certificate{*s.cert}, MinVersion: tls.VersionTLS12}, nil
}

// Directory is where clients begin.
func (s *Server) Directory() string { return s.http.URL + "/directory" }

// Refuse makes the server refuse orders for a host, or take them again.
func (s *Server) Refuse(host string, refuse bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[host] = refuse
}

// SetLife sets how long certificates live from now on.
func (s *Server) SetLife(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.life = d
}

// Refused tells how many orders were refused.
func (s *Server) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.denied
}

// Use makes the server another CA's: it serves under that one's root and signs
// with it.
func (s *Server) Use(ca *testca.CA) {
	host, _, err := net.SplitHostPort(s.http.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	cert := ca.Server(s.t, host).Certificates[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ca, s.cert = ca, &cert
}

// Issued tells how many certificates were signed.
func (s *Server) Issued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issued
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /directory", s.directory)
	mux.HandleFunc("/nonce", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /account", s.account)
	mux.HandleFunc("POST /order", s.newOrder)
	mux.HandleFunc("POST /order/{id}", s.each(func(w http.ResponseWriter, _ *http.Request, id int, o *order) { s.showOrder(w, id, o) }))
	mux.HandleFunc("POST /authz/{id}", s.each(func(w http.ResponseWriter, _ *http.Request, id int, o *order) { s.showAuthz(w, id, o) }))
	mux.HandleFunc("POST /challenge/{id}", s.each(s.challenge))
	mux.HandleFunc("POST /finalize/{id}", s.each(s.finalize))
	mux.HandleFunc("POST /cert/{id}", s.each(func(w http.ResponseWriter, _ *http.Request, _ int, o *order) { _, _ = w.Write(o.Chain) }))
	var nonce sync.Mutex
	count := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce.Lock()
		count++
		w.Header().Set("Replay-Nonce", "nonce"+strconv.Itoa(count))
		nonce.Unlock()
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) url(path string, id int) string { return s.http.URL + path + strconv.Itoa(id) }

func (s *Server) directory(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, http.StatusOK, map[string]string{
		"newNonce": s.http.URL + "/nonce", "newAccount": s.http.URL + "/account", "newOrder": s.http.URL + "/order",
	})
}

func (s *Server) account(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", s.http.URL+"/account/1")
	s.answer(w, http.StatusCreated, map[string]string{"status": "valid"})
}

func (s *Server) newOrder(w http.ResponseWriter, r *http.Request) {
	var in struct{ Identifiers []struct{ Value string } }
	if !s.payload(w, r, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	host := in.Identifiers[0].Value
	if s.refused[host] {
		s.denied++
		s.problem(w, http.StatusForbidden, "rejectedIdentifier", "nobody claims "+host)
		return
	}
	s.orders = append(s.orders, &order{Host: host})
	id := len(s.orders) - 1
	w.Header().Set("Location", s.url("/order/", id))
	w.WriteHeader(http.StatusCreated)
	s.showOrder(w, id, s.orders[id])
}

// each finds the order that a path names, and locks.
func (s *Server) each(do func(http.ResponseWriter, *http.Request, int, *order)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil || id < 0 || id >= len(s.orders) {
			s.problem(w, http.StatusNotFound, "malformed", "no such order")
			return
		}
		do(w, r, id, s.orders[id])
	}
}

func (s *Server) showOrder(w http.ResponseWriter, id int, o *order) {
	out := map[string]any{
		"status": "pending", "identifiers": []any{map[string]string{"type": "dns", "value": o.Host}},
		"authorizations": []string{s.url("/authz/", id)}, "finalize": s.url("/finalize/", id),
	}
	if o.Valid {
		out["status"] = "ready"
	}
	if o.Chain != nil {
		out["status"], out["certificate"] = "valid", s.url("/cert/", id)
	}
	w.Header().Set("Location", s.url("/order/", id))
	s.answer(w, 0, out)
}

func (s *Server) showAuthz(w http.ResponseWriter, id int, o *order) {
	s.answer(w, 0, map[string]any{
		"status": status(o), "identifier": map[string]string{"type": "dns", "value": o.Host},
		"challenges": []any{s.challengeOf(id, o)},
	})
}

func (s *Server) challengeOf(id int, o *order) map[string]string {
	return map[string]string{"type": "tls-alpn-01", "status": status(o), "token": "token" + strconv.Itoa(id), "url": s.url("/challenge/", id)}
}

func status(o *order) string {
	if o.Valid {
		return "valid"
	}
	return "pending"
}

// challenge looks for a certificate with the challenge's extension; other orders
// go on meanwhile.
func (s *Server) challenge(w http.ResponseWriter, r *http.Request, id int, o *order) {
	s.mu.Unlock()
	err := s.check(r.Context(), o.Host)
	s.mu.Lock()
	if err != nil {
		s.problem(w, http.StatusForbidden, "unauthorized", err.Error())
		return
	}
	o.Valid = true
	w.Header().Set("Link", fmt.Sprintf("<%s>;rel=\"up\"", s.url("/authz/", id)))
	s.answer(w, 0, s.challengeOf(id, o))
}

func (s *Server) check(ctx context.Context, host string) error {
	d := tls.Dialer{
		NetDialer: &net.Dialer{Timeout: 5 * time.Second},
		Config:    &tls.Config{ServerName: host, NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, //nolint:gosec // the challenge's certificate is self-signed
	}
	conn, err := d.DialContext(ctx, "tcp", s.validate)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	secured, ok := conn.(*tls.Conn)
	if !ok {
		return errors.New("not a TLS connection")
	}
	leaf := secured.ConnectionState().PeerCertificates[0]
	for _, ext := range leaf.Extensions {
		if ext.Id.String() == "1.3.6.1.5.5.7.1.31" && slices.Contains(leaf.DNSNames, host) {
			return nil
		}
	}
	return fmt.Errorf("no answer to the challenge for %s", host)
}

func (s *Server) finalize(w http.ResponseWriter, r *http.Request, id int, o *order) {
	var in struct{ CSR string }
	if !s.payload(w, r, &in) {
		return
	}
	der, err := base64.RawURLEncoding.DecodeString(in.CSR)
	if err != nil || !o.Valid {
		s.problem(w, http.StatusForbidden, "orderNotReady", fmt.Sprint("not ready, or ", err))
		return
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil || !slices.Equal(csr.DNSNames, []string{o.Host}) {
		s.problem(w, http.StatusBadRequest, "badCSR", fmt.Sprint("names, or ", err))
		return
	}
	leaf := s.ca.Sign(s.t, csr, s.life)
	o.Chain = slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}), s.ca.Root())
	s.issued++
	s.showOrder(w, id, o)
}

// payload reads what a JWS carries.
func (s *Server) payload(w http.ResponseWriter, r *http.Request, into any) bool {
	var jws struct{ Payload string }
	err := json.NewDecoder(r.Body).Decode(&jws)
	if err == nil {
		err = json.NewDecoder(base64.NewDecoder(base64.RawURLEncoding, strings.NewReader(jws.Payload))).Decode(into)
	}
	if err != nil {
		s.problem(w, http.StatusBadRequest, "malformed", err.Error())
	}
	return err == nil
}

func (s *Server) answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	if code != 0 {
		w.WriteHeader(code)
	}
	_ = json.NewEncoder(w).Encode(body)
}

func (s *Server) problem(w http.ResponseWriter, code int, kind, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "urn:ietf:params:acme:error:" + kind, "detail": detail, "status": code})
}
