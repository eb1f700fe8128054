package unit

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
)

// defined answers a definition.
type defined struct {
	Changed bool `json:"changed"`
}

// NewHandler serves host over HTTP, as [Client] asks for it.
//
// A verb runs to its end although its client goes away: whoever asks for the
// restart of his own unit would otherwise be left stopped.
func NewHandler(host Host, log *slog.Logger) http.Handler {
	h := &handler{host: host, log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.info)
	mux.HandleFunc("POST /shutdown", h.shutdown)
	mux.HandleFunc("GET /units", h.list)
	mux.HandleFunc("GET /units/{name}", h.status)
	mux.HandleFunc("PUT /units/{name}", h.define)
	mux.HandleFunc("DELETE /units/{name}", h.verb(host.Remove))
	mux.HandleFunc("POST /units/{name}/start", h.verb(host.Start))
	mux.HandleFunc("POST /units/{name}/stop", h.verb(host.Stop))
	mux.HandleFunc("POST /units/{name}/restart", h.verb(host.Restart))
	mux.HandleFunc("POST /units/{name}/reload", h.verb(host.Reload))
	return mux
}

type handler struct {
	host Host
	log  *slog.Logger
}

func (h *handler) info(w http.ResponseWriter, r *http.Request) {
	i, err := h.host.Info(r.Context())
	h.answer(w, r, i, err)
}

func (h *handler) shutdown(w http.ResponseWriter, r *http.Request) {
	h.answer(w, r, nil, h.host.Shutdown(context.WithoutCancel(r.Context())))
}

func (h *handler) list(w http.ResponseWriter, r *http.Request) {
	list, err := h.host.List(r.Context())
	if list == nil {
		list = []Status{}
	}
	h.answer(w, r, list, err)
}

func (h *handler) status(w http.ResponseWriter, r *http.Request) {
	s, err := h.host.Status(r.Context(), r.PathValue("name"))
	h.answer(w, r, s, err)
}

func (h *handler) define(w http.ResponseWriter, r *http.Request) {
	var u Unit
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&u); err != nil {
		h.answer(w, r, nil, fmt.Errorf("%w: decode definition: %w", ErrInvalid, err))
		return
	}
	if u.Name != r.PathValue("name") {
		h.answer(w, r, nil, fmt.Errorf("%w: definition of %.80q sent to %.80q", ErrInvalid, u.Name, r.PathValue("name")))
		return
	}
	if err := u.Validate(); err != nil {
		h.answer(w, r, nil, err)
		return
	}
	changed, err := h.host.Define(context.WithoutCancel(r.Context()), u)
	h.answer(w, r, defined{Changed: changed}, err)
}

// verb serves a method that takes a unit's name and says only whether it
// worked.
func (h *handler) verb(do func(ctx context.Context, name string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		if err := ValidName(name); err != nil {
			h.answer(w, r, nil, err)
			return
		}
		h.answer(w, r, nil, do(context.WithoutCancel(r.Context()), name))
	}
}

// answer sends v, or the error.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, v any, err error) {
	status := http.StatusOK
	if err != nil {
		v, status = faultOf(err)
	} else if v == nil {
		status = http.StatusNoContent
	}
	h.log.DebugContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "status", status, "error", err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if v == nil {
		return
	}
	if err := json.NewEncoder(w).Encode(v); err != nil {
		h.log.DebugContext(r.Context(), "answer not sent", "path", r.URL.Path, "error", err)
	}
}
