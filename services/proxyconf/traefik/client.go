package traefik

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	askFor  = 5 * time.Second // one question to the API
	maxBody = 16 << 20        // bytes of one answer
	perPage = 200
)

// Client asks Traefik's API.
type Client struct {
	http *http.Client
	base string
}

// NewClient returns the client of the API at host:port.
func NewClient(address string) *Client {
	return &Client{
		base: "http://" + address,
		http: &http.Client{Timeout: askFor, Transport: &http.Transport{MaxIdleConns: 2, IdleConnTimeout: 30 * time.Second}},
	}
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Alive says whether the API answers.
func (c *Client) Alive(ctx context.Context) error {
	return c.get(ctx, "/api/version", nil, nil)
}

// Serves says whether Traefik serves the configuration with that marker.
func (c *Client) Serves(ctx context.Context, marker string) (bool, error) {
	err := c.get(ctx, "/api/http/middlewares/"+url.PathEscape(marker+"@file"), nil, nil)
	if errors.Is(err, errNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Fault is a service whose route Traefik could not use as it is.
type Fault struct {
	Service string
	Errors  []string
}

// Faults lists the services whose route Traefik reports as disabled or with a
// warning.
func (c *Client) Faults(ctx context.Context) ([]Fault, error) {
	var out []Fault
	for _, status := range []string{"disabled", "warning"} {
		routers, err := c.routers(ctx, status)
		if err != nil {
			return nil, err
		}
		for _, r := range routers {
			if name, ok := strings.CutPrefix(strings.TrimSuffix(r.Name, "@file"), "service-"); ok {
				out = append(out, Fault{Service: name, Errors: r.Errors})
			}
		}
	}
	return out, nil
}

// Routers lists the names of all routers of the dynamic configuration.
func (c *Client) Routers(ctx context.Context) ([]string, error) {
	routers, err := c.routers(ctx, "")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range routers {
		if name, ok := strings.CutSuffix(r.Name, "@file"); ok {
			names = append(names, name)
		}
	}
	return names, nil
}

type router struct {
	Name   string   `json:"name"`
	Errors []string `json:"error"`
}

// routers reads page after page.
func (c *Client) routers(ctx context.Context, status string) ([]router, error) {
	var all []router
	for page := 1; ; {
		var part []router
		next, err := c.page(ctx, "/api/http/routers", url.Values{
			"status": {status}, "page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(perPage)},
		}, &part)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
		if next <= page { // the API names page 1 after the last one
			return all, nil
		}
		page = next
	}
}

var errNotFound = errors.New("not found")

func (c *Client) get(ctx context.Context, path string, query url.Values, into any) error {
	_, err := c.page(ctx, path, query, into)
	return err
}

// page asks for one page and returns the number of the next one.
func (c *Client) page(ctx context.Context, path string, query url.Values, into any) (next int, err error) {
	target := c.base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("ask Traefik for %s: %w", path, err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask Traefik: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return 0, fmt.Errorf("ask Traefik for %s: %w", path, err)
	}
	switch {
	case res.StatusCode == http.StatusNotFound:
		return 0, errNotFound
	case res.StatusCode != http.StatusOK:
		return 0, fmt.Errorf("ask Traefik for %s: it answered %s: %.200q", path, res.Status, body)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			return 0, fmt.Errorf("ask Traefik for %s: %w", path, err)
		}
	}
	if header := res.Header.Get("X-Next-Page"); header != "" {
		if next, err = strconv.Atoi(header); err != nil {
			return 0, fmt.Errorf("ask Traefik for %s: next page %q", path, header)
		}
	}
	return next, nil
}
